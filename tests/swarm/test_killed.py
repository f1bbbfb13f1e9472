"""`kill -9` at every step of sending a request: none is on the wire that is not in the journal."""

import itertools
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from history.sealing import read_journal
from tests import servers
from tests.patience import PATIENCE_S
from tests.runs import REPOSITORY
from tests.servers import CounterServer
from tests.swarm import killed


@pytest.mark.parametrize("transport", ["aiohttp", "wire"])
def test_sending_killed_at_every_step(transport: str, tmp_path: Path) -> None:
    counts: set[tuple[int, int]] = set()
    with CounterServer(servers.correct) as server, sender(transport, server, tmp_path) as program:
        for last in itertools.count():
            before = server.received
            was_killed = program(last)
            # Answered after all that the dead had sent, which the system had taken by then.
            urllib.request.urlopen(server.url, timeout=PATIENCE_S).read()
            sent = server.received - before - 1
            slots = read_journal(tmp_path / f"{last:04}.journal").slots
            answered = int((slots["answered"] == 1).sum())
            assert answered <= sent <= len(slots) <= sent + 1
            counts.add((sent, len(slots)))
            if not was_killed:
                break
    assert sent == len(slots) == killed.REQUESTS
    # Some died with the second request in the journal and not on the wire yet.
    assert counts == {(1, 1), (1, 2), (2, 2)}


@contextmanager
def sender(transport: str, server: CounterServer, folder: Path) -> Iterator[Callable[[int], bool]]:
    """Start the program that forks one sender after the other."""
    command = [sys.executable, "-m", "tests.swarm.killed", transport, server.url, str(folder)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, told = process.stdin, process.stdout

        def killed_at(last: int) -> bool:
            print(last, file=asked, flush=True)
            return bool(int(told.readline()))

        yield killed_at
        asked.close()
    assert process.returncode == 0
