"""Findings of `balanced` on literal rows."""

from typing import Any

import pytest

from analysis.checks import balanced
from analysis.verdict import Verdict
from tests.analysis.checks.finding import assert_finding
from tests.runs import lost, ok, run_of

FAIL, INCONCLUSIVE = Verdict.FAIL, Verdict.INCONCLUSIVE


def decrement(start: int, end: int, value: int) -> dict[str, Any]:
    return ok(start, end, value, kind="decrement")


@pytest.mark.parametrize(
    ("rows", "fields", "verdict", "summary"),
    [
        pytest.param(
            [ok(0, 1, 1), decrement(2, 3, 0)],
            {"final": 0},
            INCONCLUSIVE,
            "1 boundary balance, which a correct counter must satisfy; whether some order of the "
            "mixed operations agrees with real time is not decided.",
            id="balanced",
        ),
        pytest.param(
            [ok(0, 1, 1), ok(2, 3, 1), decrement(4, 5, 0)],
            {"final": 0},
            FAIL,
            "1 boundary crossed too often in one direction: 0 increments and 1 decrements "
            "would have to have happened unseen, but only 0 and 0 went unanswered.",
            id="a lost update in a mix",
        ),
    ],
)
def test_findings(
    rows: list[dict[str, Any]], fields: dict[str, Any], verdict: Verdict, summary: str
) -> None:
    assert_finding(balanced.check(run_of(rows, **fields)), verdict, summary)


@pytest.mark.parametrize(
    ("rows", "has_decrements"),
    [
        ([{"kind": "decrement", "start_ns": 0, "outcome": "rejected"}], False),
        ([{"kind": "decrement", "start_ns": 0, "outcome": "rejected", "value": 1}], True),
        ([{"kind": "decrement", "start_ns": 0, "outcome": "rejected", "attempts": 2}], True),
        ([lost(0, kind="decrement")], True),
        ([decrement(0, 1, 0)], True),
    ],
)
def test_only_decrements_that_can_have_happened_count(
    rows: list[dict[str, Any]], *, has_decrements: bool
) -> None:
    assert run_of([ok(0, 1, 1), *rows]).has_decrements is has_decrements
