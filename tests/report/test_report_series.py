"""The series against brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report import series
from history.operation import INT64_MAX, INT64_MIN

MICROSECOND = 1_000.0
small_times = st.integers(0, 60).map(lambda tick: tick * MICROSECOND)
intervals = st.lists(st.tuples(small_times, small_times).map(sorted), min_size=1, max_size=25)
int64s = st.one_of(st.integers(INT64_MIN, INT64_MAX), st.integers(0, 50))


def split(pairs: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    array = np.array(pairs, dtype=np.float64)
    return array[:, 0], array[:, 1]


def open_at(pairs: list[list[float]], time: float) -> int:
    return sum(start <= time <= end for start, end in pairs)


@given(st.floats(0, 1e18), st.integers(1, 300))
def test_bins_cover_the_time_and_are_nearly_equal(last_ns: float, max_bins: int) -> None:
    cut = series.bins(last_ns, max_bins)
    assert cut.edges[0] == 0
    assert cut.edges[-1] == max(last_ns, MICROSECOND)
    assert 1 <= len(cut) <= max_bins
    assert np.allclose(cut.widths[:-1], cut.width_ns)
    assert len(cut) == 1 or 0.499 <= cut.widths[-1] / cut.width_ns <= 1.501
    assert f"{cut.width_ns:e}"[0] in "125"


@given(st.lists(small_times, min_size=1))
def test_rates_add_up_to_the_events(times: list[float]) -> None:
    array = np.array(times)
    cut = series.bins(float(array.max()), 7)
    counts = series.per_second(array, cut) * cut.widths / 1e9
    expected = [
        sum(low <= t < high or (t == high and at == len(cut) - 1) for t in times)
        for at, (low, high) in enumerate(zip(cut.edges, cut.edges[1:], strict=False))
    ]
    assert np.allclose(counts, expected)


@given(intervals, st.integers(1, 9))
def test_requests_in_flight_are_those_that_hold_the_time(
    pairs: list[list[float]], max_bins: int
) -> None:
    start, end = split(pairs)
    cut = series.bins(float(end.max()), max_bins)
    found = series.in_flight(start, end, cut)
    for at, (low, high) in enumerate(zip(cut.edges, cut.edges[1:], strict=False)):
        last = at == len(cut) - 1
        moments = [low, *(t for t in start if low <= t < high or (last and t == high))]
        assert found.peak[at] == max(open_at(pairs, t) for t in moments)
        overlap = sum(max(min(e, high) - max(s, low), 0) for s, e in pairs)
        assert found.mean[at] == pytest.approx(overlap / (high - low), abs=1e-9)
    assert series.peak_in_flight(start, end) == max(open_at(pairs, t) for t in start)


@given(intervals, small_times, small_times)
def test_mean_in_flight_is_open_time_over_time(
    pairs: list[list[float]], first: float, last: float
) -> None:
    start, end = split(pairs)
    overlap = sum(max(min(e, last) - max(s, first), 0) for s, e in pairs)
    expected = overlap / (last - first) if last > first else 0
    assert series.mean_in_flight(start, end, first, last) == pytest.approx(expected)


@given(st.lists(small_times, min_size=1), st.integers(1, 100_000))
def test_nearest_rank_is_the_smallest_value_that_covers_its_share(
    values: list[float], thousandths: int
) -> None:
    found = series.nearest_rank(np.sort(values), thousandths)
    covering = [
        v for v in values if sum(w <= v for w in values) * 100_000 >= len(values) * thousandths
    ]
    assert found == min(covering)


@given(st.lists(small_times, min_size=1, max_size=400))
def test_a_percentile_curve_climbs_from_the_smallest_to_the_largest(values: list[float]) -> None:
    curve = series.percentile_curve(np.sort(values))
    assert curve.value[0] == min(values)
    assert curve.value[-1] == max(values)
    assert (np.diff(curve.value) >= 0).all()
    assert set(curve.value.tolist()) <= set(values)


@given(st.lists(st.tuples(small_times, int64s), min_size=1, max_size=120), st.integers(1, 10))
def test_thinning_keeps_the_outline(points: list[tuple[float, int]], slices: int) -> None:
    points.sort(key=lambda point: point[0])
    x = np.array([point[0] for point in points])
    y = np.array([point[1] for point in points], dtype=np.int64)
    kept = series.extremes(x, y, slices)
    assert (np.diff(kept) > 0).all()
    if len(points) <= 2 * slices:
        assert len(kept) == len(points)
        return
    assert len(kept) <= 2 * slices
    reach = (x[-1] - x[0]) or 1.0
    slot = np.minimum(((x - x[0]) / reach * slices).astype(int), slices - 1)
    for number in set(slot.tolist()):
        mine = y[slot == number]
        drawn = y[kept][slot[kept] == number]
        assert (mine.min(), mine.max()) == (drawn.min(), drawn.max())


@given(st.integers(0, 500), st.integers(2, 40))
def test_spreading_keeps_first_and_last(count: int, limit: int) -> None:
    chosen = series.spread(count, limit)
    assert len(chosen) == min(count, limit)
    assert len(set(chosen.tolist())) == len(chosen)
    if count:
        assert (chosen[0], chosen[-1]) == (0, count - 1)


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 20), st.integers(0, 20)), max_size=15))
def test_late_operations_ended_before_a_smaller_one_was_sent(
    rows: list[tuple[int, int, int]],
) -> None:
    rows = sorted((v, min(s, e), max(s, e)) for v, s, e in rows)
    value, start, end = (np.array([row[at] for row in rows], dtype=np.int64) for at in range(3))
    expected = [any(a < v and e < s for a, s, _ in rows) for v, _, e in rows]
    assert series.late(value, start, end).tolist() == expected


@given(st.lists(int64s, min_size=1, max_size=20))
def test_axis_values_tell_neighbours_apart(values: list[int]) -> None:
    offset, heights = series.axis_values(np.array(values, dtype=np.int64))
    assert np.isfinite(heights).all()
    assert (np.argsort(values, kind="stable") == np.argsort(heights, kind="stable")).all() or (
        max(values) - min(values) >= 2**53
    )
    if max(values) - min(values) < 2**53:
        assert [offset + int(height) for height in heights] == values


@given(st.lists(st.integers(0, 10**6).map(float), min_size=1, max_size=80))
def test_the_drawn_range_holds_the_bulk_of_the_values(values: list[float]) -> None:
    array = np.array(values)
    low, high = series.bulk(array)
    assert array.min() <= low <= high <= array.max()
    assert ((array >= low) & (array <= high)).mean() >= 0.9


def test_one_absurd_value_does_not_flatten_the_others() -> None:
    low, high = series.bulk(np.array([*range(1, 101), 9.2e18]))
    assert (low, high) == (1.0, 276.0)
