"""Findings of `bounded` on literal rows."""

from typing import Any

import pytest

from analysis.checks import bounded
from analysis.verdict import Verdict
from history.operation import Returns
from tests.analysis.checks.finding import assert_finding
from tests.runs import lost, ok, read, run_of

PASS, FAIL = Verdict.PASS, Verdict.FAIL


def decrement(start: int, end: int, value: int) -> dict[str, Any]:
    return ok(start, end, value, kind="decrement")


@pytest.mark.parametrize(
    ("rows", "fields", "verdict", "summary"),
    [
        pytest.param(
            [ok(0, 1, 1), ok(0, 1, 9)],
            {"final": 8},
            FAIL,
            "1 value outside (0, 8].",
            id="beyond the final value",
        ),
        pytest.param(
            [read(0, 1, 0), ok(2, 3, 1)],
            {"final": 1},
            PASS,
            "2 values, all within (0, 1].",
            id="a read may return the initial value",
        ),
        pytest.param(
            [ok(0, 1, 0)],
            {"final": 1},
            FAIL,
            "1 value outside (0, 1].",
            id="an increment may not",
        ),
        pytest.param(
            [ok(0, 1, 1, reason="value-exceeds-64-bits")],
            {"final": 1},
            PASS,
            "1 value, all within (0, 1].",
            id="the reason of an answered row says nothing",
        ),
        pytest.param(
            [ok(0, 1, 0), ok(2, 3, 2**63 - 1)],
            {"returns": Returns.OLD},
            FAIL,
            "1 value outside (0, unknown].",
            id="old: the value after the largest one is beyond 64 bits",
        ),
        pytest.param(
            [ok(0, 1, 2**63 - 2)],
            {"returns": Returns.OLD, "initial": 2**63 - 2, "final": 2**63 - 1},
            PASS,
            "1 value, all within (9,223,372,036,854,775,806, 9,223,372,036,854,775,807].",
            id="old: but not that after the last but one",
        ),
        pytest.param(
            [lost(0)],
            {"final": -1},
            FAIL,
            "The counter fell from 0 to -1, and nothing decremented it.",
            id="the counter fell",
        ),
        pytest.param(
            [decrement(0, 1, -(2**63)), ok(0, 1, -1)],
            {"returns": Returns.OLD},
            FAIL,
            "1 value outside [-1, 1].",
            id="old: so is the value after decrementing the smallest",
        ),
    ],
)
def test_findings(
    rows: list[dict[str, Any]], fields: dict[str, Any], verdict: Verdict, summary: str
) -> None:
    assert_finding(bounded.check(run_of(rows, **fields)), verdict, summary)
