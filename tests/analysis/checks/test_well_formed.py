"""Findings of `well-formed` on literal rows, and records that are missing."""

import dataclasses
from typing import Any

import pytest

from analysis.checks import well_formed
from analysis.verdict import Verdict
from tests.analysis.checks.finding import assert_finding
from tests.runs import busy, ok, recorded, run_of

PASS, INCONCLUSIVE = Verdict.PASS, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("rows", "fields", "verdict", "summary"),
    [
        pytest.param(
            [ok(5, 1, 1)],
            {},
            INCONCLUSIVE,
            "Of 1 record: 1 record contradicts itself (row 1: it ends (1) before it starts (5)).",
            id="end before start",
        ),
        pytest.param(
            [{"start_ns": 0, "outcome": "ok", "end_ns": 1}],
            {},
            INCONCLUSIVE,
            "Of 1 record: 1 record contradicts itself (row 1: ok without a value).",
            id="ok without value",
        ),
        pytest.param(
            [ok(0, 1, 1) | {"outcome": "rejected"}],
            {},
            INCONCLUSIVE,
            "Of 1 record: 1 record contradicts itself (row 1: rejected with a value).",
            id="rejected with value",
        ),
        pytest.param(
            [ok(5, 1, 1), ok(5, 2, 2)],
            {},
            INCONCLUSIVE,
            "Of 2 records: 2 records contradict themselves (row 1: it ends (1) before it "
            "starts (5)).",
            id="two that do",
        ),
    ],
)
def test_findings(
    rows: list[dict[str, Any]], fields: dict[str, Any], verdict: Verdict, summary: str
) -> None:
    assert_finding(well_formed.check(run_of(rows, **fields)), verdict, summary)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sealed": False}, "the run was never sealed"),
        ({"processes": ()}, "the manifest names no recording process"),
        (
            {"journal_records": 1_001, "closed_records": 1_001},
            "swarm-0 recorded 1,001 operations but the history holds 1,000",
        ),
        ({"journal_records": 5}, "swarm-0 recorded 5 operations but the history holds 1,000"),
        ({"closed_records": 1_001}, "swarm-0 counted 1,001 operations but its journal held 1,000"),
        ({"closed_records": None}, "swarm-0 left no count"),
        ({"closed_records": None, "journal_records": 0}, "swarm-0 left no journal"),
        ({"closed_records": None, "exit_state": "left no journal"}, "swarm-0 left no journal"),
        ({"problem": "its journal was cut short"}, "swarm-0: its journal was cut short"),
    ],
)
def test_missing_records(changes: dict[str, Any], sentence: str) -> None:
    run = recorded(busy())
    assert run.manifest is not None
    if not changes.keys() & {"sealed", "processes"}:
        first, second = run.manifest.processes
        changes = {"processes": (dataclasses.replace(first, **changes), second)}
    run = dataclasses.replace(run, manifest=run.manifest.replace(**changes))
    finding = well_formed.check(run)
    assert finding.verdict is INCONCLUSIVE
    assert sentence in finding.summary


def test_a_killed_process_misses_no_records() -> None:
    run = recorded(busy())
    assert run.manifest is not None
    killed = tuple(
        dataclasses.replace(process, exit_state="was killed by SIGKILL", closed_records=None)
        for process in run.manifest.processes
    )
    run = dataclasses.replace(run, manifest=run.manifest.replace(processes=killed))
    assert well_formed.check(run).verdict is PASS
