"""What the rows of a stretch did to the counter: certainly, or perhaps. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from analysis.stretch import NEVER_NS, Bools, Int64s, Stretch
from history.operation import Kind, Outcome, Reason

COLUMNS = ("kind", "start_ns", "end_ns", "outcome", "value", "attempts", "reason", "delta")
"""What has to be read for this."""


@dataclass(frozen=True, slots=True)
class Completed:
    """Operations that returned a value; int64 arrays of equal length.

    `value` is the counter after the operation, `row` the position in the history; times are
    nanoseconds.
    """

    value: Int64s
    start: Int64s
    end: Int64s
    row: Int64s

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True)
class Effects:
    """What perhaps happened, once or never, between `start` and `until`; int64, nanoseconds.

    `row` is the position of the operation behind it: a row stands once an effect. `delta` is what
    it adds where the history says so, else 0: one step in the direction of its kind.
    """

    start: Int64s
    until: Int64s
    row: Int64s
    delta: Int64s

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True, slots=True)
class Moved:
    """Operations and what they add; int64 arrays of equal length, nanoseconds, `row` as above."""

    start: Int64s
    end: Int64s
    delta: Int64s
    row: Int64s

    def __len__(self) -> int:
        return len(self.row)


Columns = TypeVar("Columns", Completed, Effects, Moved)


def joined(kind: type[Columns], parts: Sequence[Columns]) -> Columns:
    """Join what the stretches gave."""
    names = kind.__dataclass_fields__
    if not parts:
        return kind(*(np.zeros(0, dtype=np.int64) for _ in names))
    return kind(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def completed(stretch: Stretch, kind: Kind, *, shift: int) -> Completed:
    """Give the operations of a kind that returned a value that 64 bits can hold.

    `shift` is what to add to an increment's answer to get the value after it (a decrement's: to
    subtract). A row whose times contradict each other says nothing of order: it is treated as
    concurrent with everything, so that it can raise no false alarm.
    """
    usable = stretch.ok & stretch.is_kind(kind) & stretch.present("value")
    usable &= ~stretch.beyond_64_bits(shift)
    step = {Kind.INCREMENT: shift, Kind.DECREMENT: -shift, Kind.READ: 0}[kind]
    value, start, end = stretch.value, stretch.start, stretch.end
    unreliable = stretch.inconsistent & usable
    if unreliable.any():
        start, end = np.where(unreliable, -NEVER_NS, start), np.where(unreliable, NEVER_NS, end)
    if usable.all():
        row = stretch.first_row + np.arange(len(stretch))
        return Completed(value + step if step else value, start, end, row)
    at = np.flatnonzero(usable)
    return Completed(value[at] + step, start[at], end[at], stretch.first_row + at)


def uncertain(stretch: Stretch, kind: Kind, *, shift: int, window_ns: int | None) -> Effects:
    """Give the effects of operations of a kind that perhaps happened.

    They are unanswered requests, answers whose value is not known, and, of a request that was
    sent r times, the r - 1 sends that are not the operation itself. `window_ns` bounds how long
    after it was sent a request can still take effect; None if nothing does. A request was first
    sent at its start; of further sends only the end says when the last one was. Those of a row
    that contradicts itself may have happened at any time.
    """
    valued = stretch.ok & stretch.present("value")
    unsure: Bools = stretch.is_outcome(Outcome.INDETERMINATE) | (stretch.inconsistent & ~valued)
    unsure |= stretch.beyond_64_bits(shift)
    effects = unsure.astype(np.int64)
    if stretch.has("attempts"):
        effects += np.maximum(stretch.attempts - 1, 0)
    at = np.flatnonzero((effects > 0) & stretch.is_kind(kind))
    behind = np.repeat(at, effects[at])
    first_of_row = np.concatenate(([True], behind[1:] != behind[:-1]))[: len(behind)]
    start = stretch.start[behind]
    sent_last = np.where(first_of_row & unsure[behind], start, stretch.end[behind])
    until = np.full(len(behind), NEVER_NS)
    if window_ns is not None and window_ns < NEVER_NS:
        in_time = sent_last < NEVER_NS - window_ns
        until[in_time] = sent_last[in_time] + window_ns
    unreliable = (stretch.inconsistent | stretch.is_reason(Reason.DAMAGED_RECORD))[behind]
    return Effects(
        np.where(unreliable, -NEVER_NS, start),
        np.where(unreliable, NEVER_NS, until),
        stretch.first_row + behind,
        stretch.numbers("delta", blank=0)[behind],
    )


def untold(stretch: Stretch) -> Moved:
    """Give the operations that happened and told what they added, but not the counter's value."""
    at = np.flatnonzero(stretch.ok & stretch.present("delta") & ~stretch.present("value"))
    unreliable = stretch.inconsistent[at]
    return Moved(
        np.where(unreliable, -NEVER_NS, stretch.start[at]),
        np.where(unreliable, NEVER_NS, stretch.end[at]),
        stretch.numbers("delta", blank=0)[at],
        stretch.first_row + at,
    )
