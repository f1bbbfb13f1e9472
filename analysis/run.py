"""What is judged: a history, what is known of the counter, and how it was recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from history.health import HealthSample
from history.manifest import Manifest
from history.operation import INT64_MAX, INT64_MIN, Kind, Outcome, Reason, Returns

Int64s = npt.NDArray[np.int64]
NEVER_NS = np.int64(2**63 - 1)
"""End of an interval that never ended: later than every time; its negative is before all."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Completed operations as arrays of equal length, sorted by value, then by start.

    `value` is normalised to the value *after* the increment; `row` is the position in the
    frame. int64 all of them, nanoseconds for `start` and `end`.
    """

    start: Int64s
    end: Int64s
    value: Int64s
    row: Int64s

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A history ready to be judged.

    `frame` has one row an operation and every column of schema.COLUMNS: int64 for start_ns,
    Int64 (nullable) for the other numbers, category for text. `initial` and `final` are as
    the counter holds them, before the first increment and after the last; `final` is None
    when unknown. `manifest` is None for a plain history file; `health` is how the generators
    fared, empty there and for runs of before it was recorded.
    """

    run_id: str
    frame: pd.DataFrame
    initial: int
    final: int | None
    returns: Returns = Returns.NEW
    allow_unanswered: int = 0
    manifest: Manifest | None = None
    health: Sequence[HealthSample] = ()

    @property
    def shift(self) -> int:
        """What to add to an answered value to get the value after the increment."""
        return 1 if self.returns is Returns.OLD else 0

    @cached_property
    def inconsistent(self) -> npt.NDArray[np.bool_]:
        """Rows that contradict themselves (`well-formed` names them); boolean, one a row."""
        ok = self.mask(outcome=Outcome.OK)
        has_value = self.frame["value"].notna().to_numpy()
        end = self._column("end_ns", fill=NEVER_NS)
        backwards = end < self.frame["start_ns"].to_numpy(dtype=np.int64)
        unended = ok & self.frame["end_ns"].isna().to_numpy()
        inconsistent: npt.NDArray[np.bool_] = backwards | unended | (ok != has_value)
        return inconsistent

    @cached_property
    def beyond_64_bits(self) -> npt.NDArray[np.bool_]:
        """Rows whose answer, or the value it stands for, 64 bits cannot hold; one a row."""
        value = self._column("value", fill=np.int64(0))
        ups = self.mask(kind=Kind.INCREMENT, outcome=Outcome.OK)
        downs = self.mask(kind=Kind.DECREMENT, outcome=Outcome.OK)
        beyond: npt.NDArray[np.bool_] = (
            self.mask(outcome=Outcome.INDETERMINATE, reason=Reason.VALUE_EXCEEDS_64_BITS)
            | (ups & (value > INT64_MAX - self.shift))
            | (downs & (value < INT64_MIN + self.shift))
        )
        return beyond

    @cached_property
    def sent(self) -> npt.NDArray[np.bool_]:
        """Rows of requests that went onto the wire; one that found no connection did not."""
        attempts = self._column("attempts", fill=np.int64(1))
        sent: npt.NDArray[np.bool_] = attempts > 0
        return sent

    @cached_property
    def increments(self) -> Intervals:
        """Every ok increment."""
        return self._intervals(Kind.INCREMENT, shift=self.shift)

    @cached_property
    def decrements(self) -> Intervals:
        """Every ok decrement; `value` is the value after it."""
        return self._intervals(Kind.DECREMENT, shift=-self.shift)

    @cached_property
    def reads(self) -> Intervals:
        """Every ok read."""
        return self._intervals(Kind.READ, shift=0)

    @cached_property
    def uncertain_starts(self) -> Int64s:
        """Sorted starts of the effects that perhaps happened; int64 nanoseconds.

        They are unanswered increments, and extra sends of increments that a client re-sent.
        Those of a row that contradicts itself may have happened at any time: -NEVER_NS.
        """
        return self._start[self.uncertain_rows]

    @cached_property
    def uncertain_rows(self) -> Int64s:
        """The rows behind `uncertain_starts`, in that order; a row stands once an effect."""
        rows = self._uncertain(Kind.INCREMENT)
        order = np.argsort(self._start[rows], kind="stable")
        return rows[order]

    @cached_property
    def uncertain_decrements(self) -> int:
        """How many decrements perhaps happened."""
        return len(self._uncertain(Kind.DECREMENT))

    @cached_property
    def hosts(self) -> list[str]:
        """The distinct hosts whose clocks stamped this history; all blanks are one more."""
        found = self.frame["host"].unique()
        return sorted({"" if pd.isna(host) else str(host) for host in found})

    @cached_property
    def host_of_row(self) -> npt.NDArray[np.object_]:
        """The host of each row, as in `hosts`."""
        return self.frame["host"].astype(object).fillna("").to_numpy(dtype=object)

    @property
    def has_decrements(self) -> bool:
        """Whether numbers may legally come back: a rejected decrement cannot have done that."""
        return len(self.decrements) + self.uncertain_decrements > 0

    def mask(
        self,
        *,
        kind: Kind | None = None,
        outcome: Outcome | None = None,
        reason: Reason | None = None,
    ) -> npt.NDArray[np.bool_]:
        """Select rows by kind, outcome and reason; boolean, one a row."""
        selected = np.ones(len(self.frame), dtype=bool)
        if kind is not None:
            selected &= (self.frame["kind"] == str(kind)).to_numpy()
        if outcome is not None:
            selected &= (self.frame["outcome"] == str(outcome)).to_numpy()
        if reason is not None:
            selected &= (self.frame["reason"] == reason.label).to_numpy()
        return selected

    def _intervals(self, kind: Kind, *, shift: int) -> Intervals:
        usable = self.mask(kind=kind, outcome=Outcome.OK) & self.frame["value"].notna().to_numpy()
        rows = np.flatnonzero(usable & ~self.beyond_64_bits)
        # A row whose times contradict each other says nothing of order: it is treated as
        # concurrent with everything, so that it can raise no false alarm.
        start = self._start[rows]
        end = np.where(self.inconsistent, NEVER_NS, self._column("end_ns", fill=NEVER_NS))[rows]
        value = self._column("value", fill=np.int64(0))[rows] + shift
        order = np.lexsort((start, value))
        return Intervals(start[order], end[order], value[order], rows[order])

    def _uncertain(self, kind: Kind) -> Int64s:
        of_kind = self.mask(kind=kind)
        attempts = self._column("attempts", fill=np.int64(1))
        valued = self.mask(outcome=Outcome.OK) & self.frame["value"].notna().to_numpy()
        unsure = self.mask(outcome=Outcome.INDETERMINATE) | (self.inconsistent & ~valued)
        # Of a request sent r times, one send is the operation itself; the others are effects
        # that perhaps happened. So is that one where the value it took is not known.
        effects = np.maximum(attempts - 1, 0) + (unsure | self.beyond_64_bits)
        return np.repeat(np.arange(len(self.frame)), np.where(of_kind, effects, 0))

    @cached_property
    def _start(self) -> Int64s:
        start = self.frame["start_ns"].to_numpy(dtype=np.int64)
        return np.where(self.inconsistent, -NEVER_NS, start)

    def _column(self, name: str, *, fill: np.int64) -> Int64s:
        return self.frame[name].to_numpy(dtype=np.int64, na_value=fill)
