"""The judge as a library: what it is told, and what it refuses to be told."""

import math
from typing import Any

import pandas as pd
import pytest

from analysis import judge
from analysis.verdict import Verdict
from history.errors import UserError

ANSWERED = {"start_ns": 0, "end_ns": 10**6, "outcome": "ok"}


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    numbers = {"start_ns": "int64", "end_ns": "Int64", "value": "Int64"}
    return pd.DataFrame.from_records(rows).astype(numbers)


LATE = frame(
    ANSWERED | {"value": 1},
    {"start_ns": 0, "outcome": "indeterminate"},
    ANSWERED | {"start_ns": 5 * 10**6, "end_ns": 6 * 10**6, "value": 2},
    ANSWERED | {"start_ns": 5 * 10**6, "end_ns": 6 * 10**6, "value": 4},
)
"""Three was returned to nobody; a request can have taken it that was sent 5 ms before others."""

APART = frame(
    ANSWERED | {"value": 2, "host": "a"},
    ANSWERED | {"start_ns": 5 * 10**6, "end_ns": 6 * 10**6, "value": 1, "host": "b"},
)
"""Out of order by 4 ms, by the clocks of two hosts."""


@pytest.mark.parametrize(
    ("window_ms", "verdict"),
    [
        (None, Verdict.INCONCLUSIVE),
        (math.inf, Verdict.INCONCLUSIVE),
        (1e30, Verdict.INCONCLUSIVE),
        (5, Verdict.INCONCLUSIVE),
        (4.999999, Verdict.FAIL),
        (0, Verdict.FAIL),
    ],
)
def test_how_late_a_request_can_act(window_ms: float | None, verdict: Verdict) -> None:
    assert judge(LATE, effect_window_ms=window_ms).finding("gap-free").verdict is verdict


@pytest.mark.parametrize(
    ("error_ms", "verdict"),
    [
        (None, Verdict.INCONCLUSIVE),
        (math.inf, Verdict.INCONCLUSIVE),
        (1e30, Verdict.INCONCLUSIVE),
        (2, Verdict.INCONCLUSIVE),
        (1.999999, Verdict.FAIL),
        (0, Verdict.FAIL),
    ],
)
def test_how_far_clocks_can_be_off(error_ms: float | None, verdict: Verdict) -> None:
    finding = judge(APART, clock_error_ms=error_ms).finding("ordered")
    assert finding.verdict is verdict
    assert finding.counts["clock_error_hiding_ns"] == 2 * 10**6


@pytest.mark.parametrize("option", ["effect_window_ms", "clock_error_ms"])
@pytest.mark.parametrize("length_ms", [-1, math.nan, -math.inf])
def test_no_length_is_less_than_nothing(option: str, length_ms: float) -> None:
    with pytest.raises(UserError, match="milliseconds, expected a number of at least 0"):
        judge(APART, **{option: length_ms})  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["initial", "final"])
def test_no_value_is_beyond_64_bits(option: str) -> None:
    with pytest.raises(UserError, match=f"{option}=9223372036854775808: expected an integer"):
        judge(APART, **{option: 2**63})  # type: ignore[arg-type]


def test_old_answers_are_one_less() -> None:
    rows = frame(ANSWERED | {"value": 0}, ANSWERED | {"value": 1})
    assert judge(rows, returns="old", final=2).verdict is Verdict.PASS
    assert judge(rows, final=2).verdict is Verdict.FAIL
