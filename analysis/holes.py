"""Missing values, and when each of them can have been taken. Pure.

CHECKERS A.3. Holes are the values in (initial, last] that nobody received. An effect that
nobody saw can have filled hole h only if it may have come

- after every operation that saw less than h was sent: its window ends at or after
  A(h) = max{start of c : value(c) < h}, and
- before every operation that saw more than h had completed: it was sent at or before
  D(h) = min{end of c : value(c) > h}.

A read of v saw the increments up to v, an increment that returned v those below it. Neither
A nor D ever decreases with h.
"""

from dataclasses import dataclass

import numpy as np

from analysis.order import ascend
from analysis.slots import Answers, Slots
from analysis.stretch import NEVER_NS, Int64s


@dataclass(frozen=True, slots=True, kw_only=True)
class Holes:
    """The values nobody received.

    `count` is exact, and so is `runs`, the number of runs of consecutive missing values.
    `run_first` and `run_length` (int64, sorted) describe the lowest of those, `lowest` lists
    the lowest single values, as many as were asked for.
    """

    count: int
    runs: int
    lowest: Int64s
    run_first: Int64s
    run_length: Int64s


def find_holes(answers: Answers, initial: int, last: int, *, limit: int, runs: int) -> Holes:
    """Find what is missing from (initial, last].

    `limit` bounds how many single values are listed and `runs` how many runs: one absurd value
    must not fill memory.
    """
    below = initial
    distinct, found = 0, 0
    lowest = [np.zeros(0, dtype=np.int64)]
    described: list[tuple[int, int]] = []
    listed = 0
    for slots in answers.chunks():
        present = _inside(slots, initial, last)
        if not len(present):
            continue
        distinct += len(present)
        first, length = _between(below, present)
        below = int(present[-1])
        found += len(first)
        described += zip(first[:runs].tolist(), length[:runs].tolist(), strict=True)
        if listed < limit and len(first):
            singles = _single(first, length, limit - listed)
            lowest.append(singles)
            listed += len(singles)
    if last > below:
        found += 1
        described.append((below + 1, min(last - below, int(NEVER_NS))))
        lowest.append(below + 1 + np.arange(min(last - below, limit - listed), dtype=np.int64))
    kept = np.array(described[:runs], dtype=np.int64).reshape(-1, 2)
    return Holes(
        count=max(0, last - initial) - distinct,
        runs=found,
        lowest=np.concatenate(lowest),
        run_first=kept[:, 0],
        run_length=kept[:, 1],
    )


def _inside(slots: Slots, initial: int, last: int) -> Int64s:
    returned = slots.returned > 0
    if slots.value[0] <= initial or slots.value[-1] > last:
        returned &= (slots.value > initial) & (slots.value <= last)
    return slots.value if returned.all() else slots.value[returned]


def _between(below: int, present: Int64s) -> tuple[Int64s, Int64s]:
    """Give the first value and the length of each run missing under ascending values."""
    under = np.concatenate((np.array([below], dtype=np.int64), present[:-1]))
    # Differences fit 64 unsigned bits even where they do not fit 63.
    room = (present - under).view(np.uint64) - np.uint64(1)
    at = np.flatnonzero(room)
    length = np.minimum(room[at], np.uint64(NEVER_NS)).astype(np.int64)
    return under[at] + 1, length


def _single(first: Int64s, length: Int64s, limit: int) -> Int64s:
    """List the lowest single values of runs."""
    listed = np.minimum(length[:limit], limit)
    preceding = np.cumsum(listed) - listed
    values = np.repeat(first[:limit] - preceding, listed) + np.arange(int(listed.sum()))
    return values[:limit]


def latest_fill(answers: Answers, holes: Int64s) -> Int64s:
    """Give D(hole), the earliest end of an operation that saw more; NEVER_NS where none did.

    `holes` are sorted values that nobody received.
    """
    latest = np.full(len(holes), NEVER_NS)
    carried = NEVER_NS
    open_holes = len(holes)
    for slots in answers.chunks(downwards=True):
        reads = answers.reads.between(int(slots.value[0]), int(slots.value[-1]))
        ends = np.append(slots.earliest_end, carried)
        np.minimum.at(ends, np.searchsorted(slots.value, reads.value), reads.end)
        earliest = np.minimum.accumulate(ends[::-1])[::-1]
        # Holes above this chunk have it from the one before; those under its first slot see
        # this chunk's least, unless a lower chunk has a slot nearer to them.
        here = int(np.searchsorted(holes[:open_holes], slots.value[0], side="left"))
        inside = slice(here, open_holes)
        latest[inside] = earliest[np.searchsorted(slots.value, holes[inside], side="left")]
        latest[:here] = earliest[0]
        open_holes = here
        carried = earliest[0]
    return latest


def earliest_fill(answers: Answers, holes: Int64s) -> Int64s:
    """Give A(hole), the latest start of an operation that saw less; -NEVER_NS where none did."""
    latest = np.full(len(holes), -NEVER_NS)
    done = 0
    for passed in ascend(answers):
        value = passed.slots.value
        here = done + int(np.searchsorted(holes[done:], value[-1], side="right"))
        latest[done:here] = passed.before[np.searchsorted(value, holes[done:here], side="left")]
        done = here
        if done < len(holes):
            reached = max(
                passed.before[-1],
                passed.slots.latest_start[-1],
                passed.reads.between(int(value[-1]), int(value[-1])).start.max(initial=-NEVER_NS),
            )
            latest[done:] = reached
    return latest
