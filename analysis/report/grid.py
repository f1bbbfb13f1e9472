"""The page of a series of controls: every fault beside every check.

Pure, but for looking which reports lie below the folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.controls import Compared, Result, SeriesResult, check_names, does_harm
from analysis.report import formats, provenance, reproduce
from analysis.report.controls import Row, injected, row_of
from analysis.report.tables import Column, Table, numbers, table
from analysis.report.templates import filled
from analysis.verdict import Verdict
from history.operation import Outcome
from history.run import RunFolder
from history.series import Series, SeriesFolder

_SHOWN = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One check's verdict on one control; `named` where it is the check expected to have it."""

    check: str
    verdict: str
    named: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A control's line of the grid; `link` leads to its report, empty where there is none."""

    row: Row
    link: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """What was seen of one control: the check's first piece of evidence, and the counts."""

    name: str
    verdict: str
    counts: str
    evidence: str


def render(series: Series, result: SeriesResult, folder: Path, usual: Sequence[str]) -> str:
    """Render the page; `folder` is where it will lie, `usual` are the checks if none was made."""
    checks = check_names(result.controls, usual)
    return filled(
        "grid.html.j2",
        series_id=formats.plain(result.series_id),
        verdict=str(result.verdict),
        heading=_heading(result),
        meaning=_meaning(result),
        points=[row_of(found) for found in result.counted if found.result != Result.AS_EXPECTED],
        banner_facts=_banner_facts(series, result),
        checks=[formats.plain(name) for name in checks],
        lines=[_line(found, folder, checks) for found in result.controls],
        caught=[_caught(found) for found in result.counted if _rang(found)],
        counts=_counts(result),
        facts=provenance.series_facts(series),
        commands=reproduce.series_commands(series),
    )


def _heading(result: SeriesResult) -> str:
    counted = result.counted
    good = sum(found.result == Result.AS_EXPECTED for found in counted)
    if result.result == Result.AS_EXPECTED:
        all_of = "The one control" if good == 1 else f"All {good} controls"
        return f"{all_of} as expected"
    bad = len(result.only(Result.SILENT, Result.FALSE_ALARM))
    if bad:
        return f"{bad} of {formats.counted(len(counted), 'control')} not as expected"
    return "Undecided"


def _meaning(result: SeriesResult) -> str:
    silent, false = len(result.only(Result.SILENT)), len(result.only(Result.FALSE_ALARM))
    undecided = len(result.only(Result.UNDECIDED))
    told = []
    if result.problem:
        told.append(f"{result.problem[0].upper()}{result.problem[1:]}.")
    if result.result == Result.AS_EXPECTED:
        told.append(
            "Every alarm was seen to ring where a counter was wrong, in the check that is there "
            "for it, and none rang where it was right."
            if any(_rang(found) for found in result.controls)
            else "No alarm rang where nothing was wrong; none of these controls was to make one."
        )
    if silent:
        told.append(
            f"{formats.counted(silent, 'alarm')} did not ring although the counter was wrong: "
            "until that is understood, a PASS on this stack says little."
        )
    if false:
        told.append(
            f"{formats.counted(false, 'FAIL')} although nothing was done to the counter that "
            "makes it wrong: the counter is wrong by itself, or the alarm is. The evidence says "
            "which; until then, no other control here says much."
        )
    if undecided:
        told.append(
            f"{formats.counted(undecided, 'control')} decided nothing, for the reasons below. A "
            "longer load (DURATION) or a second try may."
        )
    return " ".join(told)


def _banner_facts(series: Series, result: SeriesResult) -> list[tuple[str, str]]:
    skipped = len(result.only(Result.SKIPPED))
    operations = sum(found.seen.operations.get("total", 0) for found in result.counted)
    return [
        ("Series", formats.plain(series.series_id)),
        ("Started", formats.utc(series.started_utc)),
        ("Target", formats.plain(series.target)),
        ("Controls", f"{len(result.counted)} run, {skipped} skipped"),
        ("Operations", formats.integer(operations)),
    ]


def _line(found: Compared, folder: Path, checks: Sequence[str]) -> Line:
    control = found.control
    report = RunFolder(SeriesFolder(folder).run(control)).report
    return Line(
        row=row_of(found),
        link=f"{control.name}/{report.name}" if report.is_file() else "",
        cells=tuple(
            Cell(
                check=formats.plain(name),
                verdict=found.seen.checks.get(name, ""),
                named=name == control.check,
            )
            for name in checks
        ),
    )


def _asked(found: Compared) -> str:
    """Give the variables that make a counter wrong in this way."""
    named = (("FAULT", found.control.fault), ("ENGINE", found.control.engine))
    return " ".join(f"{name}={formats.plain(value)}" for name, value in named if value)


def _rang(found: Compared) -> bool:
    """Whether a control's alarm was to ring, and did."""
    return found.result == Result.AS_EXPECTED and found.control.expected != Verdict.PASS


def _caught(found: Compared) -> Caught:
    control, seen = found.control, found.seen
    counts = []
    if does_harm(control.fault):
        counts.append(f"injected {formats.counted(seen.injected or 0, 'time')}")
    if control.check:
        pieces = formats.counted(seen.evidence_total, "piece of evidence", "pieces of evidence")
        counts.append(f"{pieces} in {formats.plain(control.check)}")
    return Caught(
        name=formats.plain(control.name),
        verdict=seen.verdict,
        counts=", ".join(counts),
        evidence=formats.plain(seen.evidence, _SHOWN),
    )


def _counts(result: SeriesResult) -> Table:
    """Count each control's operations by outcome, and how often its fault was injected."""
    outcomes = [str(outcome) for outcome in Outcome]
    rows = [
        (
            formats.plain(found.control.name),
            _asked(found) or formats.BLANK,
            injected(found),
            *(_count(found, name) for name in ("total", *outcomes)),
        )
        for found in result.counted
    ]
    columns = [
        *(Column("control"), Column("asked for by")),
        *numbers("injected", "operations", *outcomes),
    ]
    return table("What each control's run recorded", columns, rows)


def _count(found: Compared, name: str) -> str:
    counts = found.seen.operations
    return formats.integer(counts.get(name)) if counts else formats.BLANK
