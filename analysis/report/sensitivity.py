"""The page of a measurement of sensitivity, and its block on the command line.

Pure, but for looking which reports lie below the folder.
"""

from analysis.report import formats, provenance, reproduce
from analysis.report import sensitivity_figures as figures
from analysis.report import sensitivity_tables as tables
from analysis.report.aligned import aligned, cells
from analysis.report.image import FigureImage, image
from analysis.report.templates import filled
from analysis.sensitivity.result import Sensitivity
from analysis.verdict import Verdict
from history.run import RunFolder
from history.series import SensitivityFolder, Series

_SHOWN = 600


def render(series: Series, result: Sensitivity, folder: SensitivityFolder) -> str:
    """Render the page; `folder` is where it will lie."""
    return filled(
        "sensitivity.html.j2",
        series_id=formats.plain(result.series_id),
        verdict=_verdict(result),
        heading=heading(result),
        meanings=[formats.plain(told, _SHOWN) for told in meanings(result)],
        banner_facts=_banner_facts(series, result),
        detection=tables.detection(result),
        chances=tables.chances(result),
        lengths=tables.lengths(result),
        runs=tables.runs(result),
        figures=_images(result),
        mark=tables.MARK,
        reports=_reports(result, folder),
        facts=provenance.series_facts(series),
        commands=reproduce.sensitivity_commands(series),
    )


def lines(result: Sensitivity) -> str:
    """Give the block that is printed: what was found, then one line for each fault and rate."""
    parts = [f"{heading(result)}  {formats.plain(result.series_id)}"]
    parts += [f"  {formats.plain(told, _SHOWN)}" for told in meanings(result)]
    for one in (tables.detection(result), tables.chances(result)):
        parts += ["", f"  {one.caption}", *(f"  {line}" for line in aligned(*cells(one)))]
    return "\n".join(parts).replace("\u00a0", " ")


def _verdict(result: Sensitivity) -> Verdict:
    if result.false_alarms:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if result.problem else Verdict.PASS


def heading(result: Sensitivity) -> str:
    """Say in a line how rare a fault one run still catches."""
    if result.false_alarms:
        return formats.counted(len(result.false_alarms), "false alarm")
    known = [fault.rarest for fault in figures.shown(result) if fault.rarest]
    if not known:
        return "Nothing measured"
    which = "Faults" if len(known) > 1 else "A fault"
    are = "are" if len(known) > 1 else "is"
    return f"{which} of {tables.about_one_in(max(known))} requests {are} caught"


def meanings(result: Sensitivity) -> list[str]:
    """Say what the heading rests on, one sentence or two each."""
    told = [f"Incomplete: {result.problem}."] if result.problem else []
    if result.false_alarms:
        told.append(
            f"The judge said FAIL of {', '.join(result.false_alarms)}, into which nothing was "
            "injected: until that is understood, no figure here means anything."
        )
    known = [fault for fault in figures.shown(result) if fault.rarest]
    if known:
        worst = max(known, key=lambda fault: fault.rarest or 0.0)
        told.append(
            f"One run of {result.duration_s} s at this load catches "
            f"{'each of these faults' if len(known) > 1 else 'this fault'} with a probability of "
            f"at least 95 %, as long as it spoils one request in "
            f"{tables.about_one_in(worst.rarest or 1.0).removeprefix('1 in ')} or more. This is "
            "derived from the model; rarer faults need longer runs, as the table says."
        )
    compared = result.compared
    if compared:
        outside = sum(one.disagrees for one in compared)
        told.append(
            f"{outside} of {formats.counted(len(compared), 'figure')} of the model "
            f"{'lies' if outside == 1 else 'lie'} outside the 95 % interval of what was measured "
            f"({tables.MARK} marks them); by chance up to one in twenty would."
        )
    return told


def _banner_facts(series: Series, result: Sensitivity) -> list[tuple[str, str]]:
    skipped = sum(bool(control.skipped) for control in series.controls)
    requests = sum(one.requests for one in result.runs)
    load_s = sum(one.load_s for one in result.runs)
    return [
        ("Measurement", formats.plain(series.series_id)),
        ("Started", formats.utc(series.started_utc)),
        ("Target", formats.plain(series.target)),
        ("Runs", f"{len(result.runs)} run, {skipped} skipped"),
        ("Requests", formats.integer(requests)),
        ("Requests/s", f"{requests / load_s:,.0f}" if load_s else formats.UNKNOWN),
    ]


def _images(result: Sensitivity) -> tuple[FigureImage, ...]:
    if not figures.shown(result):
        return ()
    rate = image(
        "rate",
        "Detection against the rate of the fault",
        figures.by_rate(result),
        alt=f"Line chart of the probability of detection against the rate of each fault. "
        f"{heading(result)}.",
        caption="Lines are the model at the fault's mean number of requests in a run, points are "
        "measured: the share of whole runs that were caught, with Clopper and Pearson's 95 % "
        "interval. Points at the same rate stand a little beside each other, so that all are seen.",
    )
    if not figures.has_shorter(result):
        return (rate,)
    expected = image(
        "expected",
        "Detection in shorter runs",
        figures.by_expected(result),
        alt="Line chart of the share of windows that were caught against the number of spoiled "
        "requests expected in them.",
        caption="Every point is all windows of one length, of one fault at one rate. If requests "
        "are spoiled independently of each other and seen with the same chance at every rate, the "
        f"points of a fault lie on its line. Fewer than {figures.LEAST_WINDOWS} windows are in the "
        "table only. Windows of different lengths are cut from the same "
        "runs, so points are not independent of each other.",
    )
    return rate, expected


def _reports(result: Sensitivity, folder: SensitivityFolder) -> list[tuple[str, str]]:
    """Link the reports that there are."""
    found = []
    for one in result.runs:
        report = RunFolder(folder.path / one.name).report
        if report.is_file():
            found.append((formats.plain(one.name), f"{one.name}/{report.name}"))
    return found
