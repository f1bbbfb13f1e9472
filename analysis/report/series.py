"""From arrays to series that can be drawn: bins, requests in flight, percentiles, samples.

Pure numpy. Times are nanoseconds after the first request, intervals are closed.
"""

import math
from dataclasses import dataclass

import numpy as np

from analysis.overlap import open_time
from analysis.report.timeline import Bools, Float64s, Int64s

MAX_BINS = 120
PERCENTILES = (50_000, 90_000, 99_000, 99_900)
"""The table's percentiles, in thousandths of a percent."""
_WHOLE = 100_000  # 100 % in thousandths of a percent
_SMALLEST_BIN_NS = 1000.0


@dataclass(frozen=True, slots=True)
class Bins:
    """Consecutive intervals of time, all `width_ns` wide but the last.

    The last one ends with the last event and is between a half and one and a half as wide.
    """

    edges: Float64s
    width_ns: float

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def widths(self) -> Float64s:
        """How long each bin really is."""
        return np.diff(self.edges)


def bins(last_ns: float, max_bins: int = MAX_BINS) -> Bins:
    """Cut [0, last_ns] into at most `max_bins` bins of 1, 2 or 5 times a power of ten."""
    if last_ns < _SMALLEST_BIN_NS:
        return Bins(np.array([0.0, _SMALLEST_BIN_NS]), _SMALLEST_BIN_NS)
    width = _round_up(last_ns / max_bins)
    whole = int(last_ns / width)
    if last_ns - whole * width >= width / 2 or whole == 0:
        whole += 1
    edges: Float64s = np.arange(whole + 1, dtype=np.float64) * width
    edges[-1] = last_ns
    return Bins(edges, width)


def _round_up(width: float) -> float:
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-9))


def per_second(times: Float64s, cut: Bins) -> Float64s:
    """Count events in every bin, as a rate per second."""
    counts, _ = np.histogram(times, cut.edges)
    return counts / (cut.widths / 1e9)


@dataclass(frozen=True, slots=True)
class InFlight:
    """Requests in flight: the time-weighted mean and the highest number in every bin."""

    mean: Float64s
    peak: Int64s


def in_flight(start: Float64s, end: Float64s, cut: Bins) -> InFlight:
    """Sweep over closed intervals [start, end]: those that only touch overlap."""
    starts, ends = np.sort(start), np.sort(end)
    mean = np.diff(open_time(starts, ends, cut.edges)) / cut.widths
    # A maximum is reached where an interval starts, or was open before the bin began.
    peak = open_at(starts, ends, cut.edges[:-1])
    at_starts = open_at(starts, ends, starts)
    inside = np.searchsorted(cut.edges, starts, side="right") - 1
    np.maximum.at(peak, np.clip(inside, 0, len(cut) - 1), at_starts)
    return InFlight(np.maximum(mean, 0.0), peak)


def mean_in_flight(start: Float64s, end: Float64s, first_ns: float, last_ns: float) -> float:
    """Give the time-weighted mean number of open intervals between two times."""
    if last_ns <= first_ns or not len(start):
        return 0.0
    open_ns = np.clip(end, first_ns, last_ns) - np.clip(start, first_ns, last_ns)
    return float(open_ns.sum() / (last_ns - first_ns))


def peak_in_flight(start: Float64s, end: Float64s) -> int:
    """Give the highest number of intervals open at one time."""
    starts = np.sort(start)
    return int(open_at(starts, np.sort(end), starts).max(initial=0))


def open_at(starts: Float64s, ends: Float64s, at: Float64s) -> Int64s:
    """Count the closed intervals that hold each time, given their sorted starts and ends."""
    begun = np.searchsorted(starts, at, side="right")
    over = np.searchsorted(ends, at, side="left")
    return (begun - over).astype(np.int64)


def nearest_rank(ordered: Float64s, thousandths: int) -> float:
    """Give a percentile of sorted, non-empty values by nearest rank.

    It is the smallest value that at least that share of all values do not exceed, so it is
    always a value that was measured. `thousandths` counts thousandths of a percent, > 0.
    """
    rank = -(-len(ordered) * thousandths // _WHOLE)
    return float(ordered[max(rank, 1) - 1])


@dataclass(frozen=True, slots=True)
class PercentileCurve:
    """Latency against rarity: "one in `one_in` operations took longer than `value`"."""

    one_in: Float64s
    value: Float64s


def percentile_curve(ordered: Float64s, points: int = 160) -> PercentileCurve:
    """Sample the distribution of sorted, non-empty values evenly in the log of rarity.

    From the smallest value (one in one) to the largest (rarer than one in all).
    """
    count = len(ordered)
    one_in = np.geomspace(1.0, 2.0 * count, points)
    rank = np.ceil(count * (1 - 1 / one_in) - 1e-9).astype(np.int64)
    return PercentileCurve(one_in, ordered[np.clip(rank, 1, count) - 1])


def extremes(x: Float64s, y: Int64s, slices: int) -> Int64s:
    """Choose rows that keep the outline of a scatter: x sorted, rows ascending.

    The x range is cut into equal slices; of each the rows with the smallest and with the
    largest y stay. With no more than two rows a slice on average, all stay.
    """
    if len(x) <= 2 * slices:
        return np.arange(len(x), dtype=np.int64)
    reach = float(x[-1] - x[0]) or 1.0
    slot = np.minimum(((x - x[0]) / reach * slices).astype(np.int64), slices - 1)
    order = np.lexsort((y, slot))
    first = np.flatnonzero(np.diff(slot[order], prepend=-1))
    last = np.append(first[1:], len(x)) - 1
    return np.unique(np.concatenate((order[first], order[last])))


def spread(count: int, limit: int) -> Int64s:
    """Choose at most `limit` (≥ 2) positions out of `count`, evenly, with first and last."""
    if count <= limit:
        return np.arange(count, dtype=np.int64)
    return np.linspace(0, count - 1, limit).round().astype(np.int64)


def late(value: Int64s, start: Int64s, end: Int64s) -> Bools:
    """Mark inversions among operations sorted by value.

    An operation is late when it ended before one with a smaller value was even sent.
    """
    if not len(start):
        return np.zeros(0, dtype=bool)
    latest_start = np.maximum.accumulate(start)
    smaller = np.searchsorted(value, value, side="left")  # how many have a smaller value
    marked: Bools = (smaller > 0) & (end < latest_start[np.maximum(smaller, 1) - 1])
    return marked


def axis_values(values: Int64s) -> tuple[int, Float64s]:
    """Give an offset and the values less that offset, as floats that tell neighbours apart.

    The offset is 0 unless the values are so large, or so close together for their size, that
    an axis could not show their differences.
    """
    if not len(values):
        return 0, np.zeros(0)
    low, high = int(values.min()), int(values.max())
    biggest = max(abs(low), abs(high))
    offset = low if biggest >= 2**53 or (biggest >= 10**7 and high - low < biggest // 100) else 0
    if offset == 0:
        return 0, values.astype(np.float64)
    wrapped = values.view(np.uint64) - np.array(low, dtype=np.int64).view(np.uint64)
    return offset, wrapped.astype(np.float64)


def bulk(y: Float64s) -> tuple[float, float]:
    """Give the range a figure should show so that a few absurd values do not flatten it.

    It reaches twice the 5-95 % range beyond it; whatever lies outside is drawn on the edge.
    """
    low, high = float(y.min()), float(y.max())
    ordered = np.sort(y)
    q05, q95 = nearest_rank(ordered, 5_000), nearest_rank(ordered, 95_000)
    reach = 2 * (q95 - q05)
    if reach == 0:
        return low, high
    return max(low, q05 - reach), min(high, q95 + reach)
