"""Series of controls on disk, built from literal runs: what make controls leaves behind."""

import dataclasses
from pathlib import Path
from typing import Any

from analysis.convert import write_history
from analysis.run import Run
from history.manifest import Manifest
from history.run import RunFolder
from history.series import Control, Series, SeriesFolder, write_series
from tests.runs import busy, lost, new_manifest, recorded

COUNT = 1_500
CORRECT = Control(name="correct", meaning="the counter as it is", fault="", expected="PASS")
CACHE = Control(
    name="cache", meaning="answers twice", fault="cache", expected="FAIL", check="unique"
)
DROP = Control(
    name="drop", meaning="hangs up", fault="drop:0.1", expected="INCONCLUSIVE", check="gap-free"
)
THROTTLE = Control(name="throttle", meaning="says 429", fault="throttle", expected="PASS")
SKIPPED = dataclasses.replace(CACHE, name="other", fault="", skipped="there is no other engine")
ALL = (CORRECT, CACHE, DROP, THROTTLE, SKIPPED)


def rows_of(control: Control) -> list[dict[str, Any]]:
    """What a control's run records, if it does what it should."""
    rows = busy(COUNT)
    if control.name == CACHE.name:
        rows[700]["value"] = rows[699]["value"]
    if control.name == DROP.name:
        kept = {name: rows[700][name] for name in ("source", "process", "worker")}
        rows[700] = lost(rows[700]["start_ns"], **kept)
    return rows


def run_of_control(control: Control, **changes: Any) -> Run:
    """A control's run; its manifest but for the changes."""
    injected = {"injected": 3} if control.fault else {}
    told = {"run_id": control.name, "fault": control.fault, "fault_counts": injected}
    return recorded(rows_of(control), **(told | changes))


def store(folder: Path, run: Run) -> RunFolder:
    """Put a run's folder on disk, sealed and not judged."""
    folder.mkdir(parents=True)
    stored = RunFolder(folder)
    assert run.manifest is not None
    run.manifest.write(stored.manifest)
    write_history(run.record, stored.operations)
    return stored


def series_of(*controls: Control, manifest: Manifest | None = None, **changes: Any) -> Series:
    """A finished series on the stack of a manifest, with its load."""
    told = manifest or new_manifest()
    same = ("target", "url", "endpoint_url", "engine", "limits", "region", "stack", "seed", "load")
    same += ("template_sha256", "host", "cpu_count", "commit", "dirty")
    settings = {name: getattr(told, name) for name in same} | {
        "series_id": "controls-20260102T030000Z-abc1234",
        "started_utc": "2026-01-02T03:00:00Z",
        "ended_utc": "2026-01-02T03:02:00Z",
        "controls": controls,
    }
    return Series(**(settings | changes))


def store_series(reports: Path, series: Series) -> SeriesFolder:
    """Put a series' folder on disk, without runs."""
    folder = SeriesFolder(reports / series.series_id)
    folder.path.mkdir(parents=True, exist_ok=True)
    write_series(folder.series, series)
    return folder


def run_series(reports: Path, *controls: Control, **changes: Any) -> SeriesFolder:
    """Put a series on disk with a run for each control that was not skipped."""
    folder = store_series(reports, series_of(*controls, **changes))
    for control in controls:
        if not control.skipped:
            store(folder.run(control), run_of_control(control))
    return folder
