"""A stored series of controls judged: every run of it, then all beside what was expected."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.alarms import own_control
from analysis.checks import OF_INCREMENTS
from analysis.controls import Seen, SeriesResult, compare_series, seen_of
from analysis.failures import raise_in_debug, sentence
from analysis.index import write_index
from analysis.report import grid
from analysis.stored import judge_folder, load_run
from analysis.verdict import SCHEMA_VERSION, Verdict
from history.documents import write_document
from history.errors import UserError
from history.files import write_text_whole
from history.manifest import read_manifest
from history.run import RunFolder
from history.series import (
    PREFIX,
    Control,
    Series,
    SeriesFolder,
    find_folder,
    read_series,
    refuse_bad_names,
)

Say = Callable[[str], None]


def find_series(reports: Path, name: str) -> SeriesFolder:
    """Find a series by its folder or its name; raises UserError when there is none of that name."""
    return find_folder(
        SeriesFolder,
        reports,
        name,
        prefix=PREFIX,
        what="series of controls",
        command="make controls",
    )


def judge_series(folder: SeriesFolder, *, stored: bool, say: Say) -> SeriesResult:
    """Judge a series and write controls.json, controls.html and the index of all runs.

    `stored` takes the verdicts that there are and judges only runs without one. Raises UserError
    when the series cannot be read or its folder cannot be written.
    """
    series = read_series(folder.series)
    _refuse_unusable(folder, series)
    seen: dict[str, Seen] = {}
    for number, control in enumerate(series.controls, start=1):
        if not control.skipped:
            say(f"judging control {number} of {len(series.controls)}: {control.name}")
            seen[control.name] = _seen(
                RunFolder(folder.run(control)), series, control, stored=stored
            )
    result = compare_series(series, seen)
    write_document(folder.result, dataclasses.asdict(result))
    write_text_whole(folder.grid, grid.render(series, result, folder.path, tuple(OF_INCREMENTS)))
    write_index(folder.path.parent)
    return result


def _refuse_unusable(folder: SeriesFolder, series: Series) -> None:
    """Refuse names that are no folder's, and verdicts that are none."""
    refuse_bad_names(folder.series, series, "make controls")
    for control in series.controls:
        if control.expected not in list(Verdict):
            raise UserError(
                f"{folder.series}: control {control.name} expects {control.expected!r}, expected "
                f"one of {', '.join(Verdict)}"
            )


def _seen(folder: RunFolder, series: Series, control: Control, *, stored: bool) -> Seen:
    """Judge one control's run; that it cannot be judged is told, and costs the others nothing."""
    if not folder.manifest.is_file():
        return Seen(problem="it left no run")
    try:
        if stored and (told := _stored(folder, control)) is not None:
            return told
        run = load_run(folder)
        judgement = judge_folder(folder, run, own_control(series, control.name))
        return _told(folder, control, judgement.to_json())
    except Exception as error:  # noqa: BLE001 -- one broken run must not hide what the others show
        raise_in_debug(error)
        return Seen(problem=sentence(control.name, error))


def _stored(folder: RunFolder, control: Control) -> Seen | None:
    """Read a verdict that there is; None where there is none that can be read."""
    try:
        verdict = json.loads(folder.verdict.read_text(encoding="utf-8"))
        if verdict["schema_version"] != SCHEMA_VERSION:
            return None
        return _told(folder, control, verdict)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None


def _told(folder: RunFolder, control: Control, verdict: dict[str, Any]) -> Seen:
    manifest = read_manifest(folder.manifest)
    injected = manifest.fault_counts.get("injected")
    return seen_of(control, verdict, fault=manifest.fault, injected=injected)
