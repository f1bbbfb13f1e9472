"""How many operations were in flight at once: closed intervals, nanoseconds. Pure."""

import numpy as np
import numpy.typing as npt

from analysis.run import Int64s

Float64s = npt.NDArray[np.float64]


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


def open_time(start: Float64s, end: Float64s, at: Float64s) -> Float64s:
    """Give for how long intervals have been open by each time, all together.

    The integral of "how many are open" up to t: the sum of (t - s)+ less that of (t - e)+.
    """
    return _time_since(start, at) - _time_since(end, at)


def _time_since(times: Float64s, at: Float64s) -> Float64s:
    """Give sum((t - time)+) over times, for every t."""
    ordered = np.sort(times)
    totals = np.concatenate(([0.0], np.cumsum(ordered)))
    before = np.searchsorted(ordered, at, side="right")
    since: Float64s = before * at - totals[before]
    return since
