"""`kill -9` at every step of recording and of sealing, one after the other: nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from history.health import read_health
from history.journal import SUFFIX
from history.manifest import read_manifest
from history.run import RunFolder, seal
from history.sealing import read_journal
from tests.patience import PATIENCE_S
from tests.runs import REPOSITORY, new_manifest
from tests.short_chunks import SLOTS, shorten_chunks

SENT = SLOTS + 2


def run_killed(work: str, folder: Path) -> list[dict[str, Any]]:
    """Do a piece of work again and again, each time killed one step later; one dict a time."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.history.killed", work, str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read journals as the killed processes wrote them."""
    shorten_chunks(monkeypatch.setattr)


@pytest.mark.usefixtures("short_chunks")
def test_recording_killed_at_every_step(tmp_path: Path) -> None:
    deaths = run_killed("record", tmp_path)
    assert len(deaths) > 100
    for death in deaths:
        path = tmp_path / f"{death['name']}{SUFFIX}"
        if not path.exists():
            assert death["sent"] == 0
            continue
        records = read_journal(path)
        assert records.problem == ""
        assert records.header.process == death["name"]
        # What was sent is there, and no more than the one that was about to be.
        assert death["sent"] <= len(records.slots) <= death["sent"] + 1
        answered = records.slots[records.slots["answered"] == 1]
        assert death["done"] <= len(answered) <= death["done"] + 1
        assert answered["value"].tolist() == list(range(len(answered)))
        assert records.closed_records in {None, SENT}
    assert [death["killed"] for death in deaths] == [True] * (len(deaths) - 1) + [False]
    assert (deaths[-1]["sent"], records.closed_records) == (SENT, SENT)


@pytest.mark.usefixtures("short_chunks")
def test_sealing_killed_at_every_step(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    (run.journals).mkdir(parents=True)
    last = run_killed("record", run.journals)[-1]["name"]
    ended, cut_off = f"{last}", f"{int(last) // 2:04}"
    for path in run.journals.iterdir():
        if path.stem not in {ended, cut_off}:
            path.unlink()
    new_manifest(run_id="run", processes=(ended, cut_off)).write(run.manifest)

    deaths = run_killed("seal", tmp_path)
    assert len(deaths) > 30
    seal(run)
    for death in deaths:
        copy = RunFolder(tmp_path / death["name"])
        manifest = seal(copy)
        assert manifest == read_manifest(copy.manifest) == read_manifest(run.manifest)
        assert pq.read_table(copy.operations).equals(pq.read_table(run.operations))
        assert read_health(copy.health) == read_health(run.health) != ()
        assert {path.name for path in copy.path.iterdir()} == {
            path.name for path in run.path.iterdir()
        }
    assert not deaths[-1]["killed"]
