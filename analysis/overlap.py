"""How many operations were in flight at once: closed intervals, nanoseconds. Pure."""

import numpy as np
import numpy.typing as npt

from analysis.run import Int64s

Float64s = npt.NDArray[np.float64]
Times = Int64s | Float64s

_LATEST_NS = 2.0**62
"""As floats, later times need not fit into 64 bits."""


def overlapping_share(start: Int64s, end: Int64s) -> float:
    """Give the share of operations that overlap at least one other; sorted by start."""
    if len(start) < 2:  # noqa: PLR2004
        return 0.0
    overlaps_next = start[1:] <= end[:-1]
    overlaps_earlier = start[1:] <= np.maximum.accumulate(end)[:-1]
    touched = np.zeros(len(start), dtype=bool)
    touched[1:] |= overlaps_earlier
    touched[:-1] |= overlaps_next
    return float(touched.mean())


def peak_in_flight(start: Int64s, end: Int64s) -> int:
    """Give the largest number of operations in flight at one instant; sorted by start."""
    if not len(start):
        return 0
    ended_before = np.searchsorted(np.sort(end), start, side="left")
    return int((np.arange(1, len(start) + 1) - ended_before).max())


def mean_in_flight(start: Int64s, end: Int64s) -> float:
    """Give the mean number of operations in flight, from the first start to the last end."""
    if not len(start):
        return 0.0
    span = float(end.max()) - float(start.min())
    return float((end.astype(float) - start.astype(float)).sum() / span) if span > 0 else 0.0


def open_time(start: Times, end: Times, at: Times) -> Int64s:
    """Give for how long intervals have been open by each time, all together.

    The integral of "how many are open" up to t: the sum of (t - s)+ less that of (t - e)+.
    Times are whole nanoseconds. The two sums may leave 64 bits behind; they wrap around, and
    their difference is exact all the same, where floats would lose what is small beside them.
    """
    return _time_since(start, at) - _time_since(end, at)


def _time_since(times: Times, at: Times) -> Int64s:
    """Give sum((t - time)+) over times, for every t, modulo 2**64."""
    ordered = np.sort(_whole(times))
    moments = _whole(at)
    totals = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(ordered, dtype=np.int64)))
    before = np.searchsorted(ordered, moments, side="right")
    since: Int64s = before * moments - totals[before]
    return since


def _whole(times: Times) -> Int64s:
    if times.dtype.kind == "f":
        times = np.rint(np.clip(times, -_LATEST_NS, _LATEST_NS))
    return times.astype(np.int64)
