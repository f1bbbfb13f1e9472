"""Missing values, and whether unanswered requests can have taken them.

CHECKERS A.3. Holes are the values in (initial, last] that nobody received. An unanswered
request can have taken hole h only if it was sent before every operation that saw more than h
had completed: at or before D(h) = min{end of c : value(c) > h}. D never decreases with h, so
the sets of requests that qualify are nested, and Hall's condition is: the j-th earliest
unanswered request was sent at or before D(j-th hole), for every j.
"""

from dataclasses import dataclass

import numpy as np

from analysis.run import NEVER_NS, Int64s, Intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class Holes:
    """The values nobody received.

    `count` is exact. `run_first` and `run_length` (int64, sorted) describe every run of
    consecutive missing values; `lowest` lists the lowest single ones, as many as asked for.
    """

    count: int
    lowest: Int64s
    run_first: Int64s
    run_length: Int64s


def find_holes(values: Int64s, initial: int, last: int, *, limit: int) -> Holes:
    """Find what is missing from (initial, last] among sorted int64 values.

    `limit` bounds how many single holes are listed: one absurd value must not fill memory.
    """
    inside = np.unique(values[(values > initial) & (values <= last)])
    below = np.r_[np.int64(initial), inside]
    # In uint64, where differences are exact even if int64 would overflow. The last run ends
    # at `last` itself, the others just under the next value that was returned.
    room = np.diff(np.r_[below, np.int64(last)].view(np.uint64))
    room[:-1] -= np.uint64(1)
    if last <= initial:
        room[:] = 0
    at = np.flatnonzero(room)
    run_first = below[at] + 1
    run_length = np.minimum(room[at], np.uint64(NEVER_NS)).astype(np.int64)
    listed = np.minimum(run_length[:limit], limit)
    preceding = np.cumsum(listed) - listed
    lowest = np.repeat(run_first[:limit] - preceding, listed) + np.arange(int(listed.sum()))
    return Holes(
        count=max(0, last - initial) - len(inside),
        lowest=lowest[:limit],
        run_first=run_first,
        run_length=run_length,
    )


def deadlines(holes: Int64s, increments: Intervals, reads: Intervals) -> Int64s:
    """Give D(hole), the earliest end of an operation that saw more; NEVER_NS where none did.

    A read of v saw every increment up to v, an increment that returned v all those below v.
    """
    above = np.searchsorted(increments.value, holes, side="right")
    at_least = np.searchsorted(reads.value, holes, side="left")
    return np.minimum(_end_from_here(increments)[above], _end_from_here(reads)[at_least])


def _end_from_here(seen: Intervals) -> Int64s:
    earliest: Int64s = np.r_[np.minimum.accumulate(seen.end[::-1])[::-1], NEVER_NS]
    return earliest


def first_unexplained(starts: Int64s, deadlines: Int64s) -> int | None:
    """Give the position of the first hole at which Hall's condition breaks, or None.

    Both arrays are sorted: starts of the unanswered requests, deadlines of the lowest holes.
    """
    paired = min(len(starts), len(deadlines))
    late = np.flatnonzero(starts[:paired] > deadlines[:paired])
    if len(late):
        return int(late[0])
    return paired if len(deadlines) > paired else None
