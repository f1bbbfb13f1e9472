"""Requests in flight: compared with every pair of them, and counted to the nanosecond."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.overlap import Meter, UnsortedError, concurrency, open_time

INTERVALS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=12)


@given(intervals=INTERVALS, cuts=st.lists(st.integers(0, 12), max_size=4))
def test_overlap_and_peak_against_pairs(intervals: list[tuple[int, int]], cuts: list[int]) -> None:
    pairs = sorted((start, start + length) for start, length in intervals)
    start = np.array([s for s, _ in pairs], dtype=np.int64)
    end = np.array([e for _, e in pairs], dtype=np.int64)
    meter = Meter()
    for first, until in itertools.pairwise([0, *sorted(cuts), len(pairs)]):
        meter.add(start[first:until], end[first:until])
    found = meter.close()
    touching = [
        any(i != j and a[0] <= b[1] and b[0] <= a[1] for j, b in enumerate(pairs))
        for i, a in enumerate(pairs)
    ]
    assert (found.operations, found.overlapping) == (len(pairs), sum(touching))
    together = sum(a[0] <= b[1] and b[0] <= a[1] for a, b in itertools.combinations(pairs, 2))
    assert found.pairs == together
    assert found.overlapping_share == (sum(touching) / len(pairs) if pairs else 0)
    peak = max((sum(s <= at <= e for s, e in pairs) for at, _ in pairs), default=0)
    assert found.in_flight_peak == peak
    span = max((e for _, e in pairs), default=0) - min((s for s, _ in pairs), default=0)
    mean = sum(e - s for s, e in pairs) / span if span else 0
    assert found.in_flight_mean == pytest.approx(mean)
    assert concurrency(start[::-1], end[::-1]) == found


@pytest.mark.parametrize("batches", [[[], [3, 2]], [[2, 3], [2]]])
def test_what_is_not_sorted_is_refused(batches: list[list[int]]) -> None:
    meter = Meter()
    before, start = (np.array(starts, dtype=np.int64) for starts in batches)
    meter.add(before, before + 1)
    with pytest.raises(UnsortedError):
        meter.add(start, start + 1)


@pytest.mark.parametrize(
    "hours", [pytest.param(3, id="sums within 64 bits"), pytest.param(300, id="sums beyond them")]
)
def test_open_time_is_exact_late_in_a_long_load(hours: int) -> None:
    start = hours * 3_600 * 10**9 + 1_000 * np.arange(100_000)
    at = np.array([0, start[500], start[-1] + 7, start[-1] + 1_000])
    found = open_time(start, start + 333, at)
    assert found.tolist() == [0, 500 * 333, 99_999 * 333 + 7, 100_000 * 333]
