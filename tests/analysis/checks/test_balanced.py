"""Findings of `balanced` on literal rows."""

from typing import Any

import pytest

from analysis.checks import balanced
from analysis.verdict import Verdict
from tests.analysis.checks.finding import assert_finding
from tests.runs import lost, ok, run_of

FAIL, PASS = Verdict.FAIL, Verdict.PASS


def decrement(start: int, end: int, value: int) -> dict[str, Any]:
    return ok(start, end, value, kind="decrement")


@pytest.mark.parametrize(
    ("rows", "fields", "verdict", "summary"),
    [
        pytest.param(
            [ok(0, 1, 1), decrement(2, 3, 0)],
            {"final": 0},
            PASS,
            "1 boundary between two numbers, each crossed as often as it must be.",
            id="balanced",
        ),
        pytest.param(
            [ok(0, 1, 1), ok(2, 3, 1), decrement(4, 5, 0)],
            {"final": 0},
            FAIL,
            "1 boundary crossed too often in one direction: 0 increments and 1 decrement "
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
    ("rows", "is_mixed"),
    [
        ([{"kind": "decrement", "start_ns": 0, "outcome": "rejected"}], False),
        ([{"kind": "decrement", "start_ns": 0, "outcome": "rejected", "value": 1}], True),
        ([{"kind": "decrement", "start_ns": 0, "outcome": "rejected", "attempts": 2}], True),
        ([lost(0, kind="decrement")], True),
        ([decrement(0, 1, 0)], True),
        ([{"start_ns": 0, "end_ns": 1, "outcome": "ok", "delta": 5}], True),
    ],
)
def test_only_decrements_that_can_have_happened_count(
    rows: list[dict[str, Any]], *, is_mixed: bool
) -> None:
    assert run_of([ok(0, 1, 1), *rows]).is_mixed is is_mixed
