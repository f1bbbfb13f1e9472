"""A stretch of the record as numpy arrays, and what each of its rows is. Pure."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analysis import arrow
from history.operation import INT64_MAX, INT64_MIN, Kind, Outcome, Reason

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Words = tuple[npt.NDArray[np.integer], list[str]]
"""A column of text: codes, and the words that they stand for; a blank is code -1."""
_FEW_WORDS = 32
"""So many are looked at one by one."""
NEVER_NS = np.int64(2**63 - 1)
"""End of an interval that never ended: no time is later; none is before its negative, which is
one more than the least of 64 bits."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive operations; `first_row` is the position of the first in the history.

    Arrays have one element a row: int64 for times and numbers, boolean for what is said of
    rows. A blank end is NEVER_NS, a blank value 0.
    """

    first_row: int
    batch: pa.RecordBatch

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def has(self, name: str) -> bool:
        """Say whether the history has this column."""
        return name in self.batch.schema.names

    @cached_property
    def start(self) -> Int64s:
        """When it was sent, nanoseconds; never before -NEVER_NS."""
        return np.maximum(self.numbers("start_ns", blank=0), -NEVER_NS)

    @cached_property
    def end(self) -> Int64s:
        """When its answer had been read, nanoseconds; never before -NEVER_NS."""
        return np.maximum(self.numbers("end_ns", blank=int(NEVER_NS)), -NEVER_NS)

    @cached_property
    def value(self) -> Int64s:
        """What was answered."""
        return self.numbers("value", blank=0)

    @cached_property
    def attempts(self) -> Int64s:
        """How often it was sent."""
        return self.numbers("attempts", blank=1)

    @cached_property
    def ok(self) -> Bools:
        """Rows that were answered with a number."""
        return self.is_outcome(Outcome.OK)

    @cached_property
    def ended(self) -> Bools:
        """Rows that have an end."""
        return self.present("end_ns")

    @cached_property
    def inconsistent(self) -> Bools:
        """Rows that contradict themselves (`well-formed` names them)."""
        backwards = self.end < self.start
        unended = self.ok & ~self.ended
        told = self.present("value") | (self.ok & self.present("delta"))
        contradictory: Bools = backwards | unended | (self.ok != told)
        return contradictory

    def beyond_64_bits(self, shift: int) -> Bools:
        """Rows whose answer, or the value it stands for, 64 bits cannot hold.

        `shift` is what to add to an answered value to get the value after an increment.
        """
        beyond = self.is_reason(Reason.VALUE_EXCEEDS_64_BITS) & self.is_outcome(
            Outcome.INDETERMINATE
        )
        if shift:
            ups = self.ok & self.is_kind(Kind.INCREMENT)
            downs = self.ok & self.is_kind(Kind.DECREMENT)
            beyond |= (ups & (self.value > INT64_MAX - shift)) | (
                downs & (self.value < INT64_MIN + shift)
            )
        return beyond

    def is_kind(self, kind: Kind) -> Bools:
        """Rows of a kind."""
        if not self.has("kind"):
            return np.full(len(self), kind is Kind.INCREMENT)
        return self.says("kind", str(kind))

    def is_outcome(self, outcome: Outcome) -> Bools:
        """Rows of an outcome."""
        return self.says("outcome", str(outcome))

    def is_reason(self, reason: Reason) -> Bools:
        """Rows of a reason."""
        if not self.has("reason"):
            return np.zeros(len(self), dtype=bool)
        return self.says("reason", reason.label)

    def words(self, name: str) -> Words:
        """Give a column of text as codes and the words they stand for; a blank is code -1."""
        if not self.has(name):
            return np.full(len(self), -1, dtype=np.int32), []
        column = self.batch.column(name)
        codes = arrow.numbers(column.indices, blank=-1)
        return codes, [word or "" for word in arrow.texts(column.dictionary)]

    def present(self, name: str) -> Bools:
        """Rows in which a column is not blank."""
        if not self.has(name):
            return np.zeros(len(self), dtype=bool)
        return arrow.present(self.batch.column(name))

    def numbers(self, name: str, *, blank: int) -> Int64s:
        """Give a column of integers, and this number where it is blank."""
        if not self.has(name):
            return np.full(len(self), blank, dtype=np.int64)
        return arrow.numbers(self.batch.column(name), blank=blank).astype(np.int64, copy=False)

    def says(self, name: str, word: str) -> Bools:
        """Rows in which a column of text says this word."""
        if self.has(name) and len(self.batch.column(name).dictionary) > _FEW_WORDS:
            column = self.batch.column(name)
            # A blank, code -1, is the last: no word.
            known = np.append(arrow.equal(column.dictionary, word), [False])
            of_word: Bools = known[arrow.numbers(column.indices, blank=-1)]
            return of_word
        codes, words = self.words(name)
        said = np.zeros(len(self), dtype=bool)
        for code in (code for code, known in enumerate(words) if known == word):
            said |= codes == code
        return said
