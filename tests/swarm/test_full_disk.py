"""A swarm process that cannot record stops at once, says so in a sentence, and keeps the rest."""

from functools import partial
from pathlib import Path

import pytest

from history.sealing import read_journal
from swarm.__main__ import main
from tests import servers
from tests.full_disk import fill_disk
from tests.inline import called
from tests.servers import CounterServer

ENDLESS_S = "86400"


@pytest.mark.parametrize(
    "manner",
    [("--transport", "aiohttp"), ("--transport", "wire"), ("--rate", "2000")],
    ids=" ".join,
)
@pytest.mark.parametrize("full", ["swarm-0.journal", "swarm-0.health"])
def test_it_stops_with_one_sentence(
    manner: tuple[str, ...], full: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk("ENOSPC", full, monkeypatch.setattr)
    with CounterServer(servers.correct) as server:
        arguments = ["--url", server.url, "--journals", str(tmp_path), "--connections", "4"]
        arguments += ["--duration", ENDLESS_S, *manner]
        ended = called(partial(main, arguments))
        received = server.received
    assert ended.returncode == 2
    assert ended.stderr.startswith("gapless: the ")
    assert f"{tmp_path}/{full} cannot be written (No space left on device)" in ended.stderr
    assert ended.stderr.count("\n") == 1
    records = read_journal(tmp_path / "swarm-0.journal")
    assert records.problem == ""
    # Its requests in flight were still answered, and it ended in good order.
    assert len(records.slots) == records.closed_records == received > 0
    assert (records.slots["answered"] == 1).all()
