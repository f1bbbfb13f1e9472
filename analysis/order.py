"""Real-time order of the answers, in one pass over the slots. Pure.

CHECKERS A.2: for completed a, b with v_a < v_b, b must not have completed before a was sent.
With P(v) the running maximum of start over all smaller values there is a violation exactly
where an end is before P. A read of v stands just after the increment that returned v; two reads
of one value are not ordered among each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.slots import Answers, Reads, Slots
from analysis.stretch import NEVER_NS, Int64s

_BEFORE_ALL = int(-NEVER_NS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inversion:
    """Two operations: of `value`, and of a smaller one that was sent after that had completed.

    `end_ns` is when the one of `value` had completed, `late_start_ns` when the other was sent.
    """

    value: int
    end_ns: int
    is_read: bool
    late_start_ns: int

    @property
    def size_ns(self) -> int:
        """By how much real time is contradicted."""
        return self.late_start_ns - self.end_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Inversions:
    """How many values and reads are out of order, the lowest of them, and the widest."""

    count: int
    lowest: tuple[Inversion, ...]
    widest: Inversion | None


@dataclass(frozen=True, slots=True)
class Passed:
    """A chunk of slots, and for each the latest start among smaller values, reads included.

    `reads` are those whose values are here, `at` the slot of each.
    """

    slots: Slots
    before: Int64s
    reads: Reads
    at: Int64s


def ascend(answers: Answers) -> Iterator[Passed]:
    """Go up through the slots with the running maximum of start."""
    reached = -NEVER_NS
    for slots in answers.chunks():
        reads = answers.reads.between(int(slots.value[0]), int(slots.value[-1]))
        at = np.searchsorted(slots.value, reads.value)
        starts = np.concatenate((np.array([reached]), slots.latest_start))
        np.maximum.at(starts, at + 1, reads.start)
        running = np.maximum.accumulate(starts)
        reached = running[-1]
        yield Passed(slots, running[:-1], reads, at)


def find_inversions(answers: Answers, *, limit: int) -> Inversions:
    """Find every value that had been returned before a smaller one was sent for.

    The `limit` lowest are described.
    """
    count = 0
    lowest: list[Inversion] = []
    widest: list[Inversion] = []
    for passed in ascend(answers):
        slots, reads = passed.slots, passed.reads
        # A read must also come after the increment that returned what it read.
        before_read = np.maximum(passed.before[passed.at], slots.latest_start[passed.at])
        for value, end, before, is_read in (
            (slots.value, slots.earliest_end, passed.before, False),
            (reads.value, reads.end, before_read, True),
        ):
            late = np.flatnonzero(end < before)
            if not len(late):
                continue
            count += len(late)
            # Differences fit 64 unsigned bits even where they do not fit 63.
            most = late[np.argmax((before[late] - end[late]).view(np.uint64))]
            described = [
                Inversion(
                    value=int(value[i]),
                    end_ns=int(end[i]),
                    is_read=is_read,
                    late_start_ns=int(before[i]),
                )
                for i in (*late[:limit], most)
            ]
            lowest = sorted([*lowest, *described[:-1]], key=lambda one: (one.value, one.is_read))
            lowest = lowest[:limit]
            widest = [max([*widest, described[-1]], key=lambda one: one.size_ns)]
    return Inversions(count=count, lowest=tuple(lowest), widest=widest[0] if widest else None)
