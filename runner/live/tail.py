"""Following journals while their processes write them; nothing here ever writes or locks.

Memory: 8 bytes for each request without an answer so far, however long the run.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from history.journal import (
    HEADER_BYTES,
    MAGIC,
    SLOT_BYTES,
    SUFFIX,
)
from history.sealing import SLOT_DTYPE, damaged_slots
from runner.live.answers import ANSWER_DTYPE, Int64s, Rows, answers_of, chosen, joined, returned

BLOCK_SLOTS = 2048
READ_SLOTS = 1 << 16
"""At most so many new slots of a journal are read at once, so that no step takes long."""

STATE_EMPTY, STATE_SENT, STATE_ANSWERED = 0, 1, 2
NEAR_SLOTS = 256
"""Reading so many slots costs about as much as one more system call."""

SEARCHED_SLOTS = 1 << 20


class JournalTail:
    """Give each answered request of one journal once, in the order in which that is seen.

    A journal with a skipped slot is damaged; it is followed up to there. `sent` counts the
    requests seen, `in_flight` those of them without an answer.
    """

    def __init__(self, file: int) -> None:
        self.sent = 0
        self._file = file
        self._pending: Int64s = np.zeros(0, dtype=np.int64)

    @property
    def in_flight(self) -> int:
        """Count the requests that were sent and have no answer so far."""
        return len(self._pending)

    def read(self) -> Rows:
        """Give what was answered since the last call, of SLOT_DTYPE.

        Raises OSError when the file cannot be read; the next call then gives it all.
        """
        waiting, answered = self._revisit()
        sent = self.sent
        while sent - self.sent < READ_SLOTS:
            states, slots = self._settled(sent, BLOCK_SLOTS)
            empty = np.flatnonzero(states == STATE_EMPTY)
            begun = int(empty[0]) if len(empty) else len(states)
            answered.append(chosen(slots[:begun], states[:begun] == STATE_ANSWERED))
            waiting.append(sent + np.flatnonzero(states[:begun] == STATE_SENT))
            sent += begun
            if begun < BLOCK_SLOTS:
                break
        self.sent, self._pending = sent, np.concatenate(waiting)
        found = joined(answered, SLOT_DTYPE)
        return _whole(found)

    def _revisit(self) -> tuple[list[Int64s], list[Rows]]:
        """Look again at every request without an answer; give those still without, and answers."""
        waiting, answered = [], []
        for run in _runs(self._pending):
            first = int(run[0])
            states, slots = self._settled(first, int(run[-1]) - first + 1)
            there = run[run - first < len(states)]
            state = states[there - first]
            answered.append(slots.take(there[state == STATE_ANSWERED] - first))
            waiting += [there[state == STATE_SENT], run[len(there) :]]
        return waiting, answered

    def _settled(self, first: int, count: int) -> tuple[npt.NDArray[np.int16], Rows]:
        """Give the states of up to `count` slots, and those slots as they were after that.

        Subtleness ahead! A slot's half is committed after its other bytes were stored, but one
        read copies them in no certain order, and may pair the commit with what stood there
        before it. Read again after the commit was seen, what an answered slot holds is whole.
        """
        states = _states(self._slots(first, count))
        slots = self._slots(first, len(states))
        return states[: len(slots)], slots

    def _slots(self, first: int, count: int) -> Rows:
        # Not through a map: touching one beyond the end, when a journal has just been cut to
        # its exact size on closing, kills the process with SIGBUS. A read only comes up short.
        found = os.pread(self._file, count * SLOT_BYTES, HEADER_BYTES + first * SLOT_BYTES)
        return np.frombuffer(found, dtype=SLOT_DTYPE, count=len(found) // SLOT_BYTES)

    def backwards(self) -> Iterator[Rows]:
        """Give the answered slots in blocks, the newest first, as far as SEARCHED_SLOTS."""
        for end in range(self.sent, max(0, self.sent - SEARCHED_SLOTS), -READ_SLOTS):
            first = max(0, end - READ_SLOTS)
            states, slots = self._settled(first, end - first)
            yield _whole(chosen(slots, states == STATE_ANSWERED))

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def _states(slots: Rows) -> npt.NDArray[np.int16]:
    """Give each slot's state; a damaged one may have any, or one that is none of the three."""
    # An answered slot has both its halves committed, a request in flight its first.
    states: npt.NDArray[np.int16] = slots["sent"].astype(np.int16) + slots["answered"]
    return states


def _whole(slots: Rows) -> Rows:
    damaged = damaged_slots(slots)
    return chosen(slots, ~damaged) if damaged.any() else slots


def _runs(pending: Int64s) -> list[Int64s]:
    """Group ascending slot numbers into runs that are worth one read each."""
    if not len(pending):
        return []
    pending = np.sort(pending)
    return np.split(pending, np.flatnonzero(np.diff(pending) > NEAR_SLOTS) + 1)


class Tails:
    """Follow every journal of a folder, those that appear later too.

    One that cannot be read is left out until it can be.
    """

    def __init__(self, folder: Path) -> None:
        self.names: list[str] = []
        self._folder = folder
        self._tails: list[JournalTail] = []

    def read(self) -> Rows:
        """Give what was answered in any journal since the last call, of ANSWER_DTYPE."""
        self._find_new()
        answers = []
        for process, tail in enumerate(self._tails):
            try:
                answers.append(answers_of(tail.read(), process))
            except OSError:
                continue  # a disk in trouble: what can be read later is given later
        return joined(answers, ANSWER_DTYPE)

    def in_flight(self) -> list[int]:
        """Count the requests without an answer, by process."""
        return [tail.in_flight for tail in self._tails]

    def find(self, wanted: int, *, end_ns: int | None, but: np.void) -> np.void | None:
        """Look for the answer with this value (and end, where known), other than `but`.

        Looks back over SEARCHED_SLOTS of each journal: for a sentence, not for a verdict.
        """
        for process, tail in enumerate(self._tails):
            try:
                for slots in tail.backwards():
                    answers = answers_of(chosen(slots, slots["value"] == wanted), process)
                    is_it = answers != but
                    if end_ns is not None:
                        is_it &= answers["end_ns"] == end_ns
                    answers = chosen(answers, is_it)
                    if len(found := returned(answers)):
                        first: np.void = found[0]
                        return first
            except OSError:
                continue
        return None

    def close(self) -> None:
        """Let go of every file."""
        for tail in self._tails:
            tail.close()
        self._tails.clear()

    def _find_new(self) -> None:
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            if path.stem in self.names or not path.is_file():
                continue
            if (file := _open(path)) is not None:
                self.names.append(path.stem)
                self._tails.append(JournalTail(file))


def _open(path: Path) -> int | None:
    """Open a journal to read it, once its header is whole; None until then."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # Its process writes this last of the header, and before any request.
        if os.pread(file, len(MAGIC), 0) == MAGIC:
            return file
    except OSError:
        pass
    os.close(file)
    return None
