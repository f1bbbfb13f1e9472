"""The folder of a run while it is being recorded."""

import threading
from pathlib import Path

from history.journal import Journal
from history.run import RunFolder, seal
from runner.record import await_writers
from tests.patience import PATIENCE_S
from tests.runs import new_manifest


def test_a_process_that_is_just_ending_is_waited_for(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.journals.mkdir()
    new_manifest(processes=("swarm-0",)).write(run.manifest)
    journal = Journal(run.journals / "swarm-0.journal", process="swarm-0", source="swarm")
    ending = threading.Timer(0.05, journal.close)
    ending.start()
    await_writers(run, patience_s=PATIENCE_S)
    assert seal(run).processes[0].closed_records == 0
    ending.join()


def test_one_that_does_not_end_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.journals.mkdir()
    with Journal(run.journals / "swarm-0.journal", process="swarm-0", source="swarm"):
        await_writers(run, patience_s=0.05)
