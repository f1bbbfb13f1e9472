"""Operation to journal to Parquet to frame, and back: nothing is lost on the way."""

import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.frame import load_history
from history.classify import Classified
from history.errors import UserError
from history.journal import CHUNK_SLOTS, NO_TIME, Journal, is_being_written, read_header
from history.operation import Kind, Operation, Outcome, Reason
from history.sealing import operations_table, read_journal, read_journals, write_operations
from tests.strategies import operations


def write(path: Path, recorded: list[Operation]) -> None:
    """Write operations through the journal, its clock giving each its own stamps."""
    stamps: list[int] = []
    with Journal(path, process="p-0", source="test", clock=lambda: stamps.pop(0)) as journal:
        for worker, operation in enumerate(recorded):
            stamps.append(operation.start_ns)
            intended = NO_TIME if operation.intended_ns is None else operation.intended_ns
            slot = journal.begin(worker, intended, operation.kind)
            if operation.end_ns is None:
                continue
            stamps.append(operation.end_ns)
            seen = Classified(operation.outcome, operation.value, Reason.NONE)
            journal.complete(slot, seen, operation.status or 0, operation.attempts)


@given(recorded=st.lists(operations(), max_size=40))
@settings(max_examples=80)
def test_round_trip_keeps_every_field(
    tmp_path_factory: pytest.TempPathFactory, recorded: list[Operation]
) -> None:
    folder = tmp_path_factory.mktemp("record")
    write(folder / "p-0.journal", recorded)
    write_operations(operations_table(read_journals(folder)), folder / "operations.parquet")
    frame = load_history(folder / "operations.parquet").astype(object)

    expected = sorted(enumerate(recorded), key=lambda pair: pair[1].start_ns)
    found = frame.where(frame.notna(), None).to_dict("records")
    assert [row["worker"] for row in found] == [f"p-0/{worker}" for worker, _ in expected]
    for row, (_, operation) in zip(found, expected, strict=True):
        assert row["kind"] == operation.kind
        assert row["start_ns"] == operation.start_ns
        assert row["end_ns"] == operation.end_ns
        assert row["outcome"] == operation.outcome
        assert row["value"] == operation.value
        assert row["intended_ns"] == operation.intended_ns
        assert row["attempts"] == operation.attempts
        assert row["status"] == operation.status


def test_a_request_is_visible_to_others_before_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "p.journal"
    journal = Journal(path, process="p", source="test")
    journal.begin(7)
    copy = tmp_path / "copy.journal"
    copy.write_bytes(path.read_bytes())  # what another process, or a crash, would leave
    (slot,) = read_journal(copy).slots
    assert (slot["worker"], slot["sent"], slot["answered"]) == (7, 1, 0)
    assert read_journal(copy).closed_records is None
    journal.close()


def test_journals_longer_than_a_chunk(tmp_path: Path) -> None:
    ticks = count()
    total = 2 * CHUNK_SLOTS + 3
    with Journal(
        tmp_path / "p.journal", process="p", source="test", clock=lambda: next(ticks)
    ) as journal:
        slots = [journal.begin(0) for _ in range(total)]
        for slot in slots:
            journal.complete(slot, Classified(Outcome.OK, slot, Reason.INTEGER), 200)
    records = read_journal(tmp_path / "p.journal")
    assert records.closed_records == total
    assert records.slots["value"].tolist() == list(range(total))


def test_nobody_seals_under_a_live_writer(tmp_path: Path) -> None:
    path = tmp_path / "p.journal"
    journal = Journal(path, process="p", source="test")
    assert is_being_written(path)
    with pytest.raises(UserError, match="still being written by a running process"):
        read_journal(path)
    journal.close()
    assert not is_being_written(path)


WRITER = """
import sys
from pathlib import Path
from history.classify import Classified
from history.journal import Journal
from history.operation import Outcome, Reason
journal = Journal(Path(sys.argv[1]), process="p", source="test")
n = 0
while True:
    slot = journal.begin(0)
    # The pipe stands for the wire: what the reader has seen, had been journalled before.
    sys.stdout.buffer.write(b"%d\\n" % n)
    sys.stdout.buffer.flush()
    journal.complete(slot, Classified(Outcome.OK, n, Reason.INTEGER), 200)
    n += 1
"""


@pytest.mark.parametrize("lines", [1, 2, 17, 400, 1_003])
def test_kill_9_loses_no_request(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "p.journal"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        sent = lines + len(writer.stdout.readlines())
    slots = read_journal(path).slots
    answered = slots[slots["answered"] == 1]
    assert answered["value"].tolist() == list(range(len(answered)))
    assert sent <= len(slots) <= sent + 1
    assert len(slots) - len(answered) <= 1


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "p.journal", process="p", source="test")
    for _ in range(CHUNK_SLOTS):
        journal.begin(0)

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    # The call is the system's; a test cannot fill the disk it runs on.
    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(UserError, match=r"cannot be written \(No space left on device\)"):
        journal.begin(0)
    assert len(journal) == CHUNK_SLOTS
    journal.close()
    assert len(read_journal(tmp_path / "p.journal").slots) == CHUNK_SLOTS


def test_not_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "p.journal"
    path.write_bytes(b"something else" * 1_000)
    with pytest.raises(UserError, match="is not a journal"):
        read_header(path)


@pytest.mark.parametrize("kind", list(Kind))
def test_kinds_survive(tmp_path: Path, kind: Kind) -> None:
    write(
        tmp_path / "p.journal",
        [Operation(kind=kind, start_ns=1, end_ns=2, outcome=Outcome.OK, value=3)],
    )
    table = operations_table(read_journals(tmp_path))
    assert table.column("kind").to_pylist() == [str(kind)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"outcome": Outcome.OK, "end_ns": 2}, "value must be present exactly when ok"),
        ({"outcome": Outcome.REJECTED, "value": 1}, "value must be present exactly when ok"),
        ({"outcome": Outcome.OK, "value": 1}, "needs end_ns"),
        ({"outcome": Outcome.OK, "value": 2**63, "end_ns": 2}, "does not fit 64 bits"),
    ],
)
def test_an_operation_cannot_contradict_itself(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Operation(start_ns=1, **fields)  # type: ignore[arg-type]
