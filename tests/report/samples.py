"""Three realistic runs to look at: python -m tests.report.samples FOLDER."""

import sys
from pathlib import Path

import pandas as pd

from analysis.frame import record_of
from analysis.report import series, write_report
from analysis.run import Run
from analysis.verdict import Finding, Judgement, Verdict
from tests.report.builders import (
    evidence_of,
    finding,
    health_of,
    judgement_of,
    manifest_of,
    simulated,
    typed,
)

COUNT = 60_000
_ALL_GOOD = (
    finding("well-formed", summary="60,000 operations, all complete; 2 processes, none missing."),
    finding(
        "unique",
        summary="60,000 numbers, all different.",
        counts={"numbers": 60_000, "repeated": 0},
    ),
    finding(
        "bounded",
        summary="All numbers lie within 2 to 60,001.",
        counts={"below": 0, "above": 0},
    ),
    finding(
        "gap-free",
        summary="No number from 2 to 60,001 is missing.",
        counts={"missing": 0, "explained": 0, "indeterminate": 0},
    ),
    finding(
        "conserved",
        summary="The counter moved by 60,000; 60,000 increments were answered.",
        counts={"moved": 60_000, "ok": 60_000, "uncertain": 0},
    ),
    finding(
        "ordered",
        summary="No number contradicts real time: 60,000 operations compared.",
        counts={"inversions": 0, "compared": 60_000},
    ),
    finding(
        "exercised",
        summary="60,000 operations, 12.4 in flight on average, 41 at most; 99.8 % overlapped.",
        counts={"operations": 60_000, "mean_in_flight": 12.41, "peak": 41},
    ),
)


def replaced(*changed: Finding) -> tuple[Finding, ...]:
    """Give the findings of a good run with some replaced."""
    by_name = {found.check: found for found in changed}
    return tuple(by_name.get(found.check, found) for found in _ALL_GOOD)


def passing(count: int = COUNT) -> tuple[Run, Judgement]:
    """A correct counter under an open loop."""
    run = _run(simulated(count, open_loop=True), final=count + 1)
    return run, judgement_of(run, *_ALL_GOOD)


def failing() -> tuple[Run, Judgement]:
    """A racy counter: of two requests at the same time, both get the same number."""
    columns = simulated()
    for at in range(9_000, 58_000, 371):
        columns["value"][at + 1 :] -= 1
    columns["value"][30_000], columns["value"][30_900] = (
        columns["value"][30_900],
        columns["value"][30_000],
    )
    run = _run(columns, final=int(columns["value"][-1]))
    taken = run.increments
    late = int(series.late(taken.value, taken.start, taken.end).sum())
    pairs = [
        evidence_of(run, f"{run.frame['value'][at]:,d} was answered twice.", at, at + 1)
        for at in range(9_000, 58_000, 371)
    ]
    worst_pair = evidence_of(
        run, "29,944 was answered before 29,045 was asked for.", 30_000, 30_900
    )
    return run, judgement_of(
        run,
        *replaced(
            finding(
                "unique",
                Verdict.FAIL,
                summary="133 numbers were handed out more than once, to 266 operations.",
                counts={"numbers": 59_867, "repeated": 133},
                evidence=tuple(pairs[:20]),
                evidence_total=133,
            ),
            finding(
                "ordered",
                Verdict.FAIL,
                summary=f"{late:,d} operations were answered before one with a smaller number "
                "was sent.",
                counts={"inversions": late, "compared": 60_000},
                evidence=(worst_pair,),
                evidence_total=late,
            ),
            finding(
                "conserved",
                Verdict.FAIL,
                summary="The counter moved by 59,867, less than the 60,000 increments answered.",
                counts={"moved": 59_867, "ok": 60_000, "uncertain": 0},
            ),
        ),
    )


def undecided() -> tuple[Run, Judgement]:
    """A correct counter behind a gateway that drops every 600th answer, and throttles some."""
    columns = simulated()
    lost = slice(300, COUNT, 600)
    columns["value"][lost] = pd.NA
    columns["status"][lost] = pd.NA
    columns["outcome"][lost] = "indeterminate"
    columns["reason"][lost] = "connection-lost"
    run = _run(columns, final=COUNT + 1, interrupted="")
    rows = range(300, COUNT, 600)
    pieces = [
        evidence_of(run, f"{at + 2:,d} is missing; this request may have taken it.", at)
        for at in rows
    ]
    return run, judgement_of(
        run,
        *replaced(
            finding(
                "gap-free",
                Verdict.INCONCLUSIVE,
                summary="100 numbers are missing; each can be explained by one of 100 "
                "indeterminate requests, and 0 explained holes are allowed.",
                counts={"missing": 100, "explained": 100, "indeterminate": 100, "leftover": 0},
                evidence=tuple(pieces[:20]),
                evidence_total=100,
            ),
        ),
    )


def _run(columns: dict[str, object], *, final: int, **more: object) -> Run:
    return Run(
        run_id="20261122T101500Z-abc1234",
        record=record_of(typed(columns)),
        initial=1,
        final=final,
        manifest=manifest_of(**more),
        health=[
            *health_of("swarm-0", cpu_share=0.55, lag_ms=0.3),
            *health_of("locust", cpu_share=0.85, lag_ms=1.1, connections=20),
        ],
    )


def main() -> None:
    """Write the three reports into a folder."""
    folder = Path(sys.argv[1])
    for name, make in (("pass", passing), ("fail", failing), ("inconclusive", undecided)):
        run, judgement = make()
        (folder / name).mkdir(parents=True, exist_ok=True)
        write_report(folder / name / "report.html", run=run, judgement=judgement)


if __name__ == "__main__":
    main()
