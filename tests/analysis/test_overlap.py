"""Requests in flight, counted to the nanosecond."""

import numpy as np
import pytest

from analysis.overlap import open_time


@pytest.mark.parametrize(
    "hours", [pytest.param(3, id="sums within 64 bits"), pytest.param(300, id="sums beyond them")]
)
def test_open_time_is_exact_late_in_a_long_load(hours: int) -> None:
    start = hours * 3_600 * 10**9 + 1_000 * np.arange(100_000)
    at = np.array([0, start[500], start[-1] + 7, start[-1] + 1_000])
    found = open_time(start, start + 333, at)
    assert found.tolist() == [0, 500 * 333, 99_999 * 333 + 7, 100_000 * 333]
