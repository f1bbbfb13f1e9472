"""A record that cannot be written any more ends the load for all, with what there is judged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from history.errors import UserError
from history.run import RunFolder
from runner import generators, loadtest
from runner.loadtest import record_end
from tests import servers
from tests.runner.conftest import Runner, verdicts
from tests.runner.test_loadtest import PASSES
from tests.runs import new_manifest
from tests.servers import CounterServer

Planned = dict[str, tuple[str, list[str]]]
ENDLESS = "1h"
NOBODYS = Path("/sys/kernel")
"""A folder in which not even root can make one."""


def on_a_full_disk(answer: str, full: str) -> Callable[..., Planned]:
    """Plan the generators as the runner does, each run by tests/full_disk.py."""

    def commands(*arguments: object, **options: object) -> Planned:
        planned = generators.commands(*arguments, **options)  # type: ignore[arg-type]
        return {
            name: (source, [python, m, "tests.full_disk", answer, full, *command])
            for name, (source, [python, m, *command]) in planned.items()
        }

    return commands


def test_the_load_stops_with_one_sentence(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loadtest, "commands", on_a_full_disk("EROFS", "swarm-1.journal"))
    with CounterServer(servers.correct, pause_s=0.002) as server:
        recorded, code, out, err = runner.run_here(
            URL=server.url, DURATION=ENDLESS, TRANSPORT="wire", PROCESSES="2"
        )
        received = server.received
    assert (code, err) == (3, "")
    journal = recorded.folder() / "journal" / "swarm-1.journal"
    said = f"the journal {journal} cannot be written (Read-only file system)"
    (line,) = (line for line in out.splitlines() if said in line and line.startswith("load: "))
    assert line.startswith("load: stopped after ")
    assert f"because swarm-1 died with exit code 2 (gapless: {said}" in line
    # What was recorded before is kept, all of it, and was no PASS of a load that was asked for.
    verdict = recorded.verdict()
    assert verdicts(verdict) == {**PASSES, "exercised": "INCONCLUSIVE"}
    assert verdict["operations"]["ok"] == verdict["operations"]["total"] == received
    assert said in recorded.manifest()["interrupted"]


def test_the_end_of_a_load_that_cannot_be_written_down(tmp_path: Path) -> None:
    gone = RunFolder(tmp_path / "gone")
    with pytest.raises(
        UserError, match=r"manifest.json cannot be written \(.*; the load itself is"
    ):
        record_end(new_manifest(), gone)


def test_folders_where_nothing_can_be_made() -> None:
    with CounterServer(servers.correct) as server:
        for reports, sentence in (
            (NOBODYS / "reports", f"--reports {NOBODYS}/reports: cannot be made ("),
            (NOBODYS, f"{NOBODYS}/mine cannot be made ("),
        ):
            _, code, _, err = Runner(reports, []).run_here(URL=server.url, RUN="mine")
            assert code == 2
            assert err.startswith(f"gapless: {sentence}")
            assert err.count("\n") == 1
        assert server.received == 0
