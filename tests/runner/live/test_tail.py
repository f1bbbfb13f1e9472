"""Journals read while they are written: each answer once and whole, whatever state they are in."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from history.classify import classify_answer
from history.journal import HEADER_BYTES, SLOT_BYTES, Journal
from history.sealing import SLOT_DTYPE
from runner.live import tail as tail_module
from runner.live.answers import Rows
from runner.live.tail import JournalTail, Tails
from tests.runs import REPOSITORY

COUNT = 60_000
WRITER = f"""
import sys
from pathlib import Path
from history.classify import classify_answer
from history.journal import Journal
folder, flying = Path(sys.argv[1]), []
for name in ("swarm-0", "swarm-1"):
    with Journal(folder / (name + ".journal"), process=name, source="swarm") as journal:
        for n in range({COUNT}):
            flying.append(journal.begin(n % 97, intended_ns=n))
            if len(flying) > 30:
                slot = flying.pop(n * 7919 % 30)
                journal.complete(slot, classify_answer(200, b"%d" % (slot * 3 + 1)), 200)
        while flying:
            slot = flying.pop()
            journal.complete(slot, classify_answer(200, b"%d" % (slot * 3 + 1)), 200)
"""


class Scripted(JournalTail):
    """A tail whose file is read as the test says, one slot or none at a time."""

    def __init__(self, reads: list[Rows]) -> None:
        super().__init__(-1)
        self._reads = iter(reads)

    def _slots(self, first: int, count: int) -> Rows:  # noqa: ARG002
        return next(self._reads)


def write(journal: Journal, value: int) -> None:
    journal.complete(journal.begin(value), classify_answer(200, b"%d" % value), 200)


def open_journal(folder: Path, name: str) -> Journal:
    return Journal(folder / f"{name}.journal", process=name, source=name.rpartition("-")[0])


def test_beside_a_process_that_writes_as_fast_as_it_can(tmp_path: Path) -> None:
    tails = Tails(tmp_path)
    read = []
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=REPOSITORY) as writer:
        while writer.poll() is None:
            read.append(tails.read())
    while len(rest := tails.read()):
        read.append(rest)
    assert writer.returncode == 0
    assert tails.names == ["swarm-0", "swarm-1"]
    assert tails.in_flight() == [0, 0]
    answers = np.concatenate(read)
    assert len(answers) == 2 * COUNT
    # What belongs together came together: the slot's number is in three of its fields.
    slot = answers["intended_ns"]
    assert (answers["value"] == slot * 3 + 1).all()
    assert (answers["worker"] == slot % 97).all()
    assert (answers["end_ns"] >= answers["start_ns"]).all()
    assert (answers["start_ns"] > 0).all()
    for process in (0, 1):
        assert sorted(slot[answers["process"] == process].tolist()) == list(range(COUNT))
    tails.close()


def test_an_answer_half_read_is_read_again(tmp_path: Path) -> None:
    whole = np.zeros(1, dtype=SLOT_DTYPE)
    whole["sent"] = whole["answered"] = whole["outcome"] = 1
    whole["value"], whole["end_ns"] = 7, 9
    torn = whole.copy()  # the commit as stored last, the value and end as they stood before
    torn["value"], torn["end_ns"] = 0, 0
    sent = torn.copy()
    sent["answered"] = sent["outcome"] = 0
    empty: Rows = np.zeros(0, dtype=SLOT_DTYPE)

    tail = Scripted([torn, whole, empty, empty])
    assert tail.read()["value"].tolist() == [7]

    # The second look reads the waiting slot twice, and then what is new: nothing.
    tail = Scripted([sent, whole, torn, whole, empty, empty])
    assert not len(tail.read())
    assert tail.in_flight == 1
    assert tail.read()["value"].tolist() == [7]
    assert tail.in_flight == 0


def test_unanswered_requests_are_kept_in_mind_and_answered_out_of_order(tmp_path: Path) -> None:
    tails = Tails(tmp_path)
    with open_journal(tmp_path, "swarm-0") as journal:
        slots = [journal.begin(worker) for worker in range(5_000)]
        assert not len(tails.read())
        assert tails.in_flight() == [5_000]
        for slot in (4_999, 0, 2_500):
            journal.complete(slots[slot], classify_answer(200, b"%d" % slot), 200)
        assert sorted(tails.read()["value"].tolist()) == [0, 2_500, 4_999]
        assert tails.in_flight() == [4_997]
        assert not len(tails.read())
        journal.complete(slots[1], classify_answer(429, b"slow down"), 429)
        assert tails.read()["worker"].tolist() == [1]
    # Closed: cut to its exact size, and still read on.
    assert not len(tails.read())
    assert tails.in_flight() == [4_996]
    tails.close()


def test_journals_that_come_late_or_are_none(tmp_path: Path) -> None:
    tails = Tails(tmp_path / "journal")
    assert not len(tails.read())  # there is no folder yet
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "noise-0.journal").write_bytes(os.urandom(HEADER_BYTES + 100 * SLOT_BYTES))
    (folder / "short-0.journal").write_bytes(b"GAP")
    (folder / "folder-0.journal").mkdir()
    (folder / "gone-0.journal").symlink_to("nowhere")
    os.mkfifo(folder / "pipe-0.journal")
    (folder / "swarm-0.csv").write_text("health\n")
    assert not len(tails.read())
    with open_journal(folder, "locust-0") as journal:
        write(journal, 3)
        assert tails.read()["value"].tolist() == [3]
        assert tails.names == ["locust-0"]
    tails.close()


def test_damage_is_passed_over(tmp_path: Path) -> None:
    tails = Tails(tmp_path)
    with open_journal(tmp_path, "swarm-0") as journal:
        for value in range(1, 11):
            write(journal, value)
        waiting = journal.begin(0)
        with journal.path.open("r+b") as file:
            file.seek(HEADER_BYTES + 3 * SLOT_BYTES)
            file.write(b"\xff" * SLOT_BYTES)  # commits that there are not
            offset = SLOT_DTYPE.fields["outcome"][1]
            file.seek(HEADER_BYTES + 4 * SLOT_BYTES + offset)
            file.write(b"\xff")  # an outcome that there is not
        assert tails.read()["value"].tolist() == [1, 2, 3, 6, 7, 8, 9, 10]
        os.truncate(journal.path, HEADER_BYTES + 5 * SLOT_BYTES + 7)
        assert not len(tails.read())
        assert tails.in_flight() == [1], waiting
    tails.close()


def test_it_catches_up_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "READ_SLOTS", 4_096)
    tails = Tails(tmp_path)
    with open_journal(tmp_path, "swarm-0") as journal:
        for value in range(1, 10_001):
            write(journal, value)
        assert [len(tails.read()) for _ in range(4)] == [4_096, 4_096, 1_808, 0]
    tails.close()


def test_reading_changes_nothing_and_takes_no_lock(tmp_path: Path) -> None:
    tails = Tails(tmp_path)
    with open_journal(tmp_path, "swarm-0") as journal:
        write(journal, 1)
        before = journal.path.read_bytes()
        tails.read()
        tails.read()
        assert journal.path.read_bytes() == before
        with journal.path.open("rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    # The writer is gone and the reader is not: whoever seals may have the lock at once.
    with journal.path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    tails.close()


def test_the_other_of_two_is_found(tmp_path: Path) -> None:
    tails = Tails(tmp_path)
    with open_journal(tmp_path, "locust-0") as one, open_journal(tmp_path, "swarm-0") as other:
        for value in range(1, 101):
            write(one, value)
        write(other, 40)
        answers = tails.read()
        again = answers[answers["process"] == 1][0]
        found = tails.find(40, end_ns=None, but=again)
        assert found is not None
        assert (found["process"], found["worker"]) == (0, 40)
        assert tails.find(40, end_ns=int(again["end_ns"]) + 1, but=again) is None
        assert tails.find(41, end_ns=None, but=again) is not None
        assert tails.find(101, end_ns=None, but=again) is None
    tails.close()
