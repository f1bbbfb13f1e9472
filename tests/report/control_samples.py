"""A realistic series of controls to look at: python -m tests.report.control_samples FOLDER."""

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

from analysis.alarms import Heard
from analysis.checks import OF_INCREMENTS
from analysis.controls import Seen, SeriesResult, compare_series
from analysis.report import grid, write_report
from history.fault import FAULTS
from history.series import Control, Series
from tests.control_series import series_of
from tests.report import samples
from tests.report.builders import manifest_of

SERIES_ID = "controls-20261122T090000Z-abc1234"
PASS, FAIL, OPEN = "PASS", "FAIL", "INCONCLUSIVE"


def control(name: str, expected: str = PASS, check: str = "", **more: str) -> Control:
    """A control named as the fault that it has."""
    fault = FAULTS.get(name)
    told = {"meaning": fault.meaning if fault else "the counter as it is", "fault": name} | more
    return Control(name=name, expected=expected, check=check, **told)


def seen(verdict: str, operations: int = 11_842, lost: int = 0, **more: object) -> Seen:
    """What came of a run whose checks all pass, but for those named."""
    checks = dict.fromkeys(OF_INCREMENTS, PASS)
    told = {name: more.pop(name) for name in list(more) if name not in Seen.__dataclass_fields__}
    checks |= {name.replace("_", "-"): str(found) for name, found in told.items()}
    counts = {"total": operations, "ok": operations - lost, "rejected": 0, "indeterminate": lost}
    return Seen(**{"verdict": verdict, "checks": checks, "operations": counts, **more})  # type: ignore[arg-type]


CONTROLS = (
    control("correct", fault=""),
    control("none"),
    control("lost-update", FAIL, "unique"),
    control("cache", FAIL, "unique"),
    control("repeat", FAIL, "unique"),
    control("resend", FAIL, "gap-free"),
    control("swap", FAIL, "ordered"),
    control("blocks", FAIL, "ordered"),
    control("drop", OPEN, "gap-free"),
    control("unavailable", OPEN, "gap-free"),
    control("throttle"),
    control("dynalite", fault="", engine="dynalite", meaning="the same stack on a second engine"),
    control("replica", FAIL, "unique", skipped="needs PUT, which the server at URL has not"),
)
GOOD: Mapping[str, Seen] = {
    "correct": seen(PASS, 12_003),
    "none": seen(PASS, 9_310, fault="none", injected=0),
    "lost-update": seen(
        FAIL,
        6_120,
        unique=FAIL,
        conserved=FAIL,
        ordered=FAIL,
        fault="lost-update:1",
        injected=6_118,
        evidence="4,711 was returned 7 times: by swarm-0/3, swarm-0/17 and 5 others, all within "
        "12.4 ms.",
        evidence_total=1_733,
    ),
    "cache": seen(
        FAIL,
        unique=FAIL,
        ordered=FAIL,
        conserved=FAIL,
        fault="cache:5",
        injected=2_915,
        evidence="12 was returned 3 times: by locust-0/4, swarm-0/9 and swarm-0/31.",
        evidence_total=1_204,
    ),
    "repeat": seen(
        FAIL,
        unique=FAIL,
        ordered=FAIL,
        gap_free=FAIL,
        fault="repeat:0.01",
        injected=121,
        evidence="204 was returned twice: by swarm-0/40, and by swarm-0/2 sent 1.204 ms later.",
        evidence_total=121,
    ),
    "resend": seen(
        FAIL,
        gap_free=FAIL,
        conserved=FAIL,
        fault="resend",
        injected=118,
        evidence="128 is missing, and no request without an answer can have taken it.",
        evidence_total=118,
    ),
    "swap": seen(
        FAIL,
        ordered=FAIL,
        fault="swap:0.01",
        injected=57,
        evidence="3,410 was answered before the request that got 3,388 was sent, 0.412 ms later.",
        evidence_total=49,
    ),
    "blocks": seen(
        FAIL,
        ordered=FAIL,
        gap_free=OPEN,
        fault="blocks:50",
        injected=241,
        evidence="151 was answered before the request that got 102 was sent.",
        evidence_total=5_011,
    ),
    "drop": seen(
        OPEN,
        lost=117,
        gap_free=OPEN,
        fault="drop:0.01",
        injected=117,
        evidence="88 is missing; the request of swarm-0/12 without an answer can have taken it.",
        evidence_total=117,
    ),
    "unavailable": seen(
        OPEN,
        lost=588,
        gap_free=OPEN,
        fault="unavailable:0.05",
        injected=588,
        evidence="19 is missing; the request of locust-0/3 answered 503 can have taken it.",
        evidence_total=294,
    ),
    "throttle": seen(PASS, fault="throttle:0.1", injected=1_190),
    "dynalite": seen(PASS, 4_420),
}
BAD: Mapping[str, Seen] = {
    **GOOD,
    "none": seen(FAIL, 9_310, gap_free=FAIL, fault="none", injected=0),
    "cache": seen(PASS, fault="cache:5", injected=2_915),
    "drop": seen(OPEN, 40, exercised=OPEN, gap_free=OPEN, fault="drop:0.01", injected=0),
    "throttle": Seen(problem="it left no run"),
}


def judged(found: Mapping[str, Seen], **more: object) -> tuple[Series, SeriesResult]:
    """A series and its result."""
    manifest = manifest_of()
    settings = {
        "series_id": SERIES_ID,
        "started_utc": "2026-11-22T09:00:00Z",
        "ended_utc": "2026-11-22T09:04:10Z",
        "load": dataclasses.replace(manifest.load, duration_s=10),
    }
    series = series_of(*CONTROLS, manifest=manifest, **(settings | more))
    return series, compare_series(series, found)


def main() -> None:
    """Write two grids, and a report that tells of the first, into a folder."""
    folder = Path(sys.argv[1])
    for name, found in (("good", GOOD), ("bad", BAD)):
        series, result = judged(found)
        below = folder / name
        (below / "cache").mkdir(parents=True, exist_ok=True)
        (below / "cache" / "report.html").touch()
        page = grid.render(series, result, below, tuple(OF_INCREMENTS))
        (below / "controls.html").write_text(page, encoding="utf-8")
        (folder / f"run-{name}").mkdir(exist_ok=True)
        run, judgement = samples.failing()
        assert run.manifest
        faulty = run.manifest.replace(
            fault="lost-update:1", fault_counts={"received": 60_000, "sent": 120_000, "injected": 9}
        )
        write_report(
            folder / f"run-{name}" / "report.html",
            run=dataclasses.replace(run, manifest=faulty),
            judgement=judgement,
            controls=Heard(series=series, result=result, link=f"../{name}/controls.html"),
        )


if __name__ == "__main__":
    main()
