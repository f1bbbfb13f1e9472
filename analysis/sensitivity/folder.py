"""A stored measurement of sensitivity judged: every run of it, and every shorter run within."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from analysis.failures import raise_in_debug, sentence
from analysis.judging import judge_run
from analysis.report import sensitivity as page
from analysis.run import Run
from analysis.sensitivity.measure import Measured, measure
from analysis.sensitivity.result import RunSeen, Sensitivity, combine
from analysis.stored import judge_folder, load_run
from analysis.verdict import Judgement, Verdict
from history.documents import write_document
from history.errors import UserError
from history.fault import NONE, Unit, parse_fault
from history.files import write_text_whole
from history.run import RunFolder
from history.series import (
    SENSITIVITY_PREFIX,
    Control,
    SensitivityFolder,
    Series,
    find_folder,
    read_series,
    refuse_bad_names,
)

Say = Callable[[str], None]


def find_measurement(reports: Path, name: str) -> SensitivityFolder:
    """Find a measurement by its folder or name; raises UserError when there is none."""
    return find_folder(
        SensitivityFolder,
        reports,
        name,
        prefix=SENSITIVITY_PREFIX,
        what="measurement of sensitivity",
        command="make sensitivity",
    )


def judge_measurement(folder: SensitivityFolder, *, say: Say) -> Sensitivity:
    """Judge a measurement and write sensitivity.json and sensitivity.html into its folder.

    Raises UserError when it cannot be read or its folder cannot be written.
    """
    series = read_series(folder.series)
    _refuse_unusable(folder, series)
    seen: list[RunSeen] = []
    measured: dict[str, Measured] = {}
    for number, control in enumerate(series.controls, start=1):
        if not control.skipped:
            say(f"judging run {number} of {len(series.controls)}: {control.name}")
            one, windows = _judged(RunFolder(folder.run(control)), control)
            seen.append(one)
            measured[one.name] = windows
    result = combine(series, seen, measured)
    write_document(folder.result, dataclasses.asdict(result))
    write_text_whole(folder.grid, page.render(series, result, folder))
    return result


def _refuse_unusable(folder: SensitivityFolder, series: Series) -> None:
    """Refuse names that are no folder's, and faults that have no rate."""
    refuse_bad_names(folder.series, series, "make sensitivity")
    for control in series.controls:
        if not _has_rate(control.fault):
            raise UserError(
                f"{folder.series}: the run {control.name} has the fault {control.fault!r}, "
                "expected one with a share of the requests, such as resend:0.001"
            )


def _has_rate(fault: str) -> bool:
    try:
        spec = parse_fault(fault)
    except ValueError:
        return False
    return spec.fault.unit is Unit.SHARE and 0 < spec.amount < 1


def _judged(folder: RunFolder, control: Control) -> tuple[RunSeen, Measured]:
    """Judge one run; that it cannot be judged is told, and costs the others nothing."""
    spec = parse_fault(control.fault)
    blank = RunSeen(
        name=control.name, fault=spec.name, rate=spec.amount, check=control.check, whole=False
    )
    nothing = Measured(lengths=(), observations=())
    if not folder.manifest.is_file():
        return dataclasses.replace(blank, problem="it left no run"), nothing
    try:
        run = load_run(folder)
        # The report of a run takes longer than its judgement: it is written once.
        judgement = judge_run(run) if folder.report.is_file() else judge_folder(folder, run)
        one = _seen(blank, run, judgement)
        if one.problem:
            return one, nothing
        windows = measure(run, fault=one.fault, check=one.check, rate=one.rate, caught=one.caught)
        return dataclasses.replace(one, whole_because=windows.whole_because), windows
    except Exception as error:  # noqa: BLE001 -- one broken run must not hide what the others show
        raise_in_debug(error)
        return dataclasses.replace(blank, problem=sentence(control.name, error)), nothing


def _seen(blank: RunSeen, run: Run, judgement: Judgement) -> RunSeen:
    manifest = run.manifest
    if manifest is None or parse_fault(manifest.fault or NONE) != parse_fault(
        f"{blank.fault}:{blank.rate:.12g}"
    ):
        found = manifest.fault if manifest else ""
        return dataclasses.replace(blank, problem=f"its run had {found or 'no fault'}")
    started, ended = manifest.load_started_ns, manifest.load_ended_ns
    checked = judgement.finding(blank.check).verdict
    return dataclasses.replace(
        blank,
        verdict=str(judgement.verdict),
        checked=str(checked),
        caught=checked == Verdict.FAIL,
        requests=run.record.rows,
        numbers=0 if run.final is None else max(0, run.final - run.initial),
        injected=manifest.fault_counts.get("injected"),
        load_s=(ended - started) / 1e9 if started is not None and ended is not None else 0.0,
        whole=not manifest.interrupted,
    )
