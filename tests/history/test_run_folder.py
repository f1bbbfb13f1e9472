import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.frame import load_history
from history.classify import Classified
from history.errors import UserError
from history.files import write_text_whole
from history.journal import HEADER_BYTES, SLOT_BYTES, Journal
from history.manifest import ClockBound, Manifest, ProcessRecord, read_manifest
from history.operation import Outcome, Reason, Returns
from history.run import RunFolder, find_run, locked, point_latest, seal
from tests.runs import new_manifest


def recorded_run(reports: Path, name: str = "a-run", operations: int = 3) -> RunFolder:
    """A run whose runner was killed before it could seal."""
    run = RunFolder(reports / name)
    run.journals.mkdir(parents=True)
    new_manifest(run_id=name, processes=("swarm-0", "locust-0")).write(run.manifest)
    with Journal(run.journals / "swarm-0.journal", process="swarm-0", source="swarm") as journal:
        for n in range(operations):
            slot = journal.begin(0)
            journal.complete(slot, Classified(Outcome.OK, n + 2, Reason.INTEGER), 200)
    return run


def test_sealing_counts_each_process_and_removes_the_journals(tmp_path: Path) -> None:
    run = recorded_run(tmp_path)
    sealed = seal(run)
    assert sealed.sealed
    assert [
        (p.process, p.journal_records, p.closed_records, p.problem) for p in sealed.processes
    ] == [("swarm-0", 3, 3, ""), ("locust-0", 0, None, "left no journal")]
    assert run.operations.is_file()
    assert not run.journals.exists()
    assert read_manifest(run.manifest) == sealed


def test_sealing_twice_changes_nothing(tmp_path: Path) -> None:
    run = recorded_run(tmp_path)
    seal(run)
    before = run.operations.read_bytes()
    seal(run)
    assert run.operations.read_bytes() == before


def test_a_seal_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    run = recorded_run(tmp_path)
    run.operations.write_bytes(b"half of a Parquet file")
    assert seal(run).processes[0].journal_records == 3


def test_a_journal_nobody_announced_is_kept(tmp_path: Path) -> None:
    run = recorded_run(tmp_path)
    Journal(run.journals / "x.journal", process="x-9", source="x").close()
    assert [p.process for p in seal(run).processes] == ["swarm-0", "locust-0", "x-9"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as a manifest"),
        ('{"schema_version": 99}', "manifest schema version 99, this program reads 1"),
        ("[]", "manifest schema version None"),
        ('{"schema_version": 1, "run_id": 5}', "is not a whole manifest"),
    ],
)
def test_manifests_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read_manifest(tmp_path / "manifest.json")


def test_manifest_round_trip(tmp_path: Path) -> None:
    manifest = new_manifest(run_id="r").replace(
        returns=Returns.OLD,
        versions={"python": "3.11"},
        load_started_ns=2**53 + 1,
        load=dataclasses.replace(new_manifest().load, decrements=0.2),
        integration_timeout_ms=29_000,
        clocks=(
            ClockBound(host="a", offset_ns=0, error_ns=0),
            ClockBound(host="b", offset_ns=-(2**53) - 1, error_ns=190_422),
        ),
        processes=(
            ProcessRecord(
                process="p", source="s", exit_state="ended", journal_records=1, closed_records=None
            ),
        ),
    )
    manifest.write(tmp_path / "manifest.json")
    assert read_manifest(tmp_path / "manifest.json") == manifest
    assert isinstance(manifest, Manifest)
    assert json.loads((tmp_path / "manifest.json").read_text())["schema_version"] == 1


def test_a_manifest_of_before_some_fields_existed(tmp_path: Path) -> None:
    fields = dataclasses.asdict(new_manifest())
    del fields["clocks"], fields["integration_timeout_ms"], fields["load"]["decrements"]
    (tmp_path / "manifest.json").write_text(json.dumps(fields))
    read = read_manifest(tmp_path / "manifest.json")
    assert (read.clocks, read.integration_timeout_ms, read.load.decrements) == ((), None, 0.0)


def test_a_clock_with_a_negative_error_is_no_manifest(tmp_path: Path) -> None:
    fields = dataclasses.asdict(new_manifest())
    fields["clocks"] = [{"host": "b", "offset_ns": 0, "error_ns": -1}]
    (tmp_path / "manifest.json").write_text(json.dumps(fields))
    with pytest.raises(UserError, match="is not a whole manifest: the clock of b has an error"):
        read_manifest(tmp_path / "manifest.json")


def test_latest_and_named_runs(tmp_path: Path) -> None:
    first, second = recorded_run(tmp_path, "a"), recorded_run(tmp_path, "b")
    point_latest(tmp_path, first)
    point_latest(tmp_path, second)
    assert find_run(tmp_path, "latest") == second
    assert find_run(tmp_path, "a") == first
    assert find_run(tmp_path, str(first.path)) == first
    with pytest.raises(UserError, match=r"RUN=c: no such run in .*; there are a, b"):
        find_run(tmp_path, "c")
    with pytest.raises(UserError, match="there is none yet: run make loadtest"):
        find_run(tmp_path / "elsewhere", "latest")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be written \(No such file or directory\)"):
        write_text_whole(tmp_path / "gone" / "file", "text")


def test_a_run_whose_journals_are_gone_keeps_what_it_has(tmp_path: Path) -> None:
    run = recorded_run(tmp_path)
    seal(run)
    whole = run.operations.read_bytes()
    manifest = read_manifest(run.manifest)
    manifest.replace(sealed=False).write(run.manifest)  # copied, or edited by hand
    with pytest.raises(UserError, match="was never sealed and its journals are gone"):
        seal(run)
    assert run.operations.read_bytes() == whole


def test_nobody_seals_a_run_that_another_holds(tmp_path: Path) -> None:
    run = recorded_run(tmp_path)
    with locked(run), pytest.raises(UserError, match="being recorded or sealed by another proc"):
        seal(run)
    assert seal(run).sealed


def damage_code(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(HEADER_BYTES + SLOT_BYTES + 40)  # the second record's outcome
        file.write(b"\x09")


def damage_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(24)
        file.write(b"\xff\xff")


def skip_a_slot(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(HEADER_BYTES + SLOT_BYTES)
        file.write(bytes(SLOT_BYTES))


def cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(HEADER_BYTES + SLOT_BYTES + 7)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "records", "problem"),
    [
        (damage_code, 3, "its journal holds 1 damaged records"),
        (skip_a_slot, 3, "its journal holds 1 damaged records"),
        (damage_header, 3, "has a damaged header"),
        (cut_short, 1, "counted 3 operations, its journal holds 1"),
        (empty, 0, ""),
    ],
)
def test_a_damaged_journal_costs_only_what_is_damaged(
    tmp_path: Path, damage: Callable[[Path], None], records: int, problem: str
) -> None:
    run = recorded_run(tmp_path)
    damage(run.journals / "swarm-0.journal")
    Journal(run.journals / "locust-0.journal", process="locust-0", source="locust").close()
    swarm, locust = seal(run).processes
    assert (swarm.process, swarm.journal_records) == ("swarm-0", records)
    assert problem in swarm.problem
    assert locust.problem == ""
    if records == 3:
        outcomes = load_history(run.operations)["outcome"].to_list()
        assert outcomes.count("ok") == (3 if damage is damage_header else 2)
        assert len(outcomes) == 3
