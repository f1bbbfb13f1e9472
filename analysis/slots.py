"""What the answers say, value by value: when it was last sent for, when it was first known. Pure.

The checks need of all operations that returned one value only three things: how many there
were, the latest start among them and the earliest end. A counter hands out consecutive values,
so that these stand in arrays indexed by value, 20 bytes a value, filled in any order: nothing
is sorted. Values far outside, which no correct counter returns, are kept aside and sorted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.stretch import NEVER_NS, Bools, Int64s

CHUNK = 1 << 20
"""Slots that are worked on at once: what a pass needs beside the slots themselves."""

_INT64 = np.iinfo(np.int64)


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots of ascending distinct values; arrays of equal length.

    `latest_start` is -NEVER_NS and `earliest_end` NEVER_NS where no increment returned the
    value (`returned` is 0); they are int64 nanoseconds.
    """

    value: Int64s
    latest_start: Int64s
    earliest_end: Int64s
    returned: npt.NDArray[np.integer]

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True)
class Reads:
    """Completed reads sorted by value; arrays of equal length, `row` the position."""

    value: Int64s
    start: Int64s
    end: Int64s
    row: Int64s

    def __len__(self) -> int:
        return len(self.value)

    def between(self, first: int, last: int) -> "Reads":
        """Give those of values from `first` to `last`."""
        part = slice(
            int(np.searchsorted(self.value, first, side="left")),
            int(np.searchsorted(self.value, last, side="right")),
        )
        return Reads(self.value[part], self.start[part], self.end[part], self.row[part])


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of slots: consecutive values from `first` on, or those listed in `values`."""

    first: int
    values: Int64s | None
    latest_start: Int64s
    earliest_end: Int64s
    returned: npt.NDArray[np.integer]

    def chunk(self, begin: int, end: int) -> Slots:
        """Give some of its slots; the arrays are views."""
        part = slice(begin, end)
        value = (
            self.first + np.arange(begin, end, dtype=np.int64)
            if self.values is None
            else self.values[part]
        )
        return Slots(value, self.latest_start[part], self.earliest_end[part], self.returned[part])


@dataclass(frozen=True, slots=True)
class Answers:
    """All that was answered: the increments by value, and the reads.

    Every value that a read returned has a slot too. `count` is how many increments returned.
    """

    segments: Sequence[Segment]
    reads: Reads
    count: int

    @property
    def distinct(self) -> int:
        """How many different values increments returned."""
        return sum(int(np.count_nonzero(segment.returned)) for segment in self.segments)

    def chunks(self, *, downwards: bool = False, at_most: int | None = None) -> Iterator[Slots]:
        """Go through the slots in order of value, a chunk at a time, or `at_most` so many."""
        size = min(CHUNK, at_most or CHUNK)
        segments = reversed(self.segments) if downwards else iter(self.segments)
        for segment in segments:
            begins = range(0, len(segment.returned), size)
            for begin in reversed(begins) if downwards else begins:
                yield segment.chunk(begin, min(begin + size, len(segment.returned)))


@dataclass(slots=True)
class _Aside:
    """Operations kept as they came, to be sorted at the end."""

    parts: list[tuple[Int64s, ...]] = field(default_factory=list)

    def add(self, *columns: Int64s) -> None:
        if len(columns[0]):
            self.parts.append(columns)

    def joined(self, columns: int) -> tuple[Int64s, ...]:
        if not self.parts:
            return tuple(np.zeros(0, dtype=np.int64) for _ in range(columns))
        return tuple(np.concatenate(column) for column in zip(*self.parts, strict=True))


class Filling:
    """Collects answers; `close` gives them.

    `expected` is a bound of how many increments returned, from which follows how large a
    correct counter's values are; zero keeps everything aside.
    """

    def __init__(self, *, initial: int, expected: int) -> None:
        """Begin with nothing; memory is only taken for the values that come."""
        size = max(0, min(expected + 1, _INT64.max - initial + 1)) if expected else 0
        self._first = initial
        # Zeros cost nothing until they are touched: blanks are written as far as values come.
        self._start = np.zeros(size, dtype=np.int64)
        self._end = np.zeros(size, dtype=np.int64)
        few = expected < np.iinfo(np.uint32).max
        self._returned: npt.NDArray[np.integer] = np.zeros(size, np.uint32 if few else np.uint64)
        self._filled = 0
        self._outside = _Aside()
        self._reads = _Aside()
        self._count = 0

    def add_increments(self, value: Int64s, start: Int64s, end: Int64s) -> None:
        """Add completed increments; `value` is the one after each."""
        if not len(value):
            return
        low, high = int(value.min()), int(value.max())
        self._count += len(value)
        if low < self._first or high - self._first >= len(self._returned):
            inside = self._reach(value)
            self._outside.add(value[~inside], start[~inside], end[~inside])
            value, start, end = value[inside], start[inside], end[inside]
            if not len(value):
                return
        slot = value - self._first
        self._blank_up_to(int(slot.max()) + 1)
        np.maximum.at(self._start, slot, start)
        np.minimum.at(self._end, slot, end)
        np.add.at(self._returned, slot, self._returned.dtype.type(1))

    def _blank_up_to(self, filled: int) -> None:
        if filled > self._filled:
            self._start[self._filled : filled] = -NEVER_NS
            self._end[self._filled : filled] = NEVER_NS
            self._filled = filled

    def add_reads(self, value: Int64s, start: Int64s, end: Int64s, row: Int64s) -> None:
        """Add completed reads."""
        self._reads.add(value, start, end, row)

    def close(self) -> Answers:
        """Give what was collected."""
        columns = self._reads.joined(4)
        order = np.argsort(columns[0], kind="stable")
        reads = Reads(*(column[order] for column in columns))
        return Answers(segments=self._segments(reads.value), reads=reads, count=self._count)

    def _segments(self, read_values: Int64s) -> list[Segment]:
        value, start, end = self._outside.joined(3)
        inside = self._reach(read_values)
        if inside.any():
            self._blank_up_to(int(read_values[inside].max()) - self._first + 1)
        dense = Segment(
            self._first,
            None,
            self._start[: self._filled],
            self._end[: self._filled],
            self._returned[: self._filled],
        )
        aside = _sorted(value, start, end, read_values[~inside])
        below = int(np.searchsorted(aside.value, self._first))
        listed = [_listed(aside, 0, below), dense, _listed(aside, below, len(aside))]
        return [segment for segment in listed if len(segment.returned)]

    def _reach(self, value: Int64s) -> Bools:
        """Say which values have a slot in the arrays."""
        if not len(self._returned):
            return np.zeros(len(value), dtype=bool)
        return (value >= self._first) & (value <= self._first + (len(self._returned) - 1))


def _sorted(value: Int64s, start: Int64s, end: Int64s, read_values: Int64s) -> Slots:
    """Give slots of values however far apart, of increments and of reads."""
    distinct = np.unique(np.concatenate([value, read_values]))
    slot = np.searchsorted(distinct, value)
    latest_start = np.full(len(distinct), -NEVER_NS)
    earliest_end = np.full(len(distinct), NEVER_NS)
    np.maximum.at(latest_start, slot, start)
    np.minimum.at(earliest_end, slot, end)
    return Slots(distinct, latest_start, earliest_end, np.bincount(slot, minlength=len(distinct)))


def _listed(slots: Slots, begin: int, end: int) -> Segment:
    part = slice(begin, end)
    return Segment(
        0,
        slots.value[part],
        slots.latest_start[part],
        slots.earliest_end[part],
        slots.returned[part],
    )
