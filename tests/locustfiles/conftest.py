"""Real Locust at real start gates, with the test in the runner's place."""

import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from history.gate import LoadWindow
from history.journal import HEADER_BYTES, read_header
from history.sealing import SLOT_DTYPE, JournalRecords, read_journal
from runner import locust
from runner.generators import generator_environment
from runner.options import read_options, read_page_options
from runner.processes import Generator, reap, start
from tests import servers
from tests.patience import PATIENCE_S, until
from tests.servers import CounterServer

NS_PER_S = 1_000_000_000
PAUSE_S = 0.02
MOST_RECORDS = 1 << 13
"""No test here waits for more; a journal on disk has room for many more."""


def paced() -> CounterServer:
    """A correct counter, slow enough to leave the machine to others."""
    return CounterServer(servers.correct, pause_s=PAUSE_S)


class Load:
    """Locust as the runner starts it, from its start to how its processes ended."""

    def __init__(self, folder: Path, url: str, variables: dict[str, str]) -> None:
        self.folder = folder
        self.journals = folder / "journal"
        self.report = folder / "locust.html"
        self.journals.mkdir()
        read = read_page_options if "LOCUST_UI_PORT" in variables else read_options
        self._options = read({"TIMEOUT": "5", **variables})
        self._url = url
        self.generators: list[Generator] = []
        self.left: list[psutil.Process] = []

    def start(self, program: Sequence[str] = ("-m", "locust")) -> None:
        """Start Locust, or another program in its place, and wait until it could begin."""
        planned = locust.planned(self._options, url=self._url, report=self.report)
        self.generators = start(
            {
                name: (source, [sys.executable, *program, *command[3:]])
                for name, (source, command) in planned.items()
            },
            environment=generator_environment(
                self._options, journals=self.journals, allowed_hosts=()
            ),
            logs=self.folder,
            workers=locust.workers(self._options.load),
        )
        top = psutil.Process(self.generators[0].process.pid)
        self.left = [top, *top.children(recursive=True)]

    def open(self, *, length_s: int = 3600, share: float = 0) -> LoadWindow:
        """Open the gates on a window of which a share is over in a moment."""
        start_ns = time.monotonic_ns() + int((0.1 - share * length_s) * NS_PER_S)
        window = LoadWindow(start_ns=start_ns, end_ns=start_ns + length_s * NS_PER_S)
        for generator in self.generators:
            generator.gate.open(window)
        return window

    def close(self) -> None:
        """Close the gates: the load is over."""
        for generator in self.generators:
            generator.gate.close()

    def ended(self) -> dict[str, str]:
        """Wait for the end of it all; give how each process ended. Nothing may be left."""
        states = reap(self.generators, PATIENCE_S)
        self.generators = []
        _, alive = psutil.wait_procs(self.left, timeout=PATIENCE_S)
        assert alive == []
        return states

    def process(self, name: str) -> psutil.Process:
        """Give the process that writes a journal."""
        header, _ = read_header(self.journals / f"{name}.journal")
        return psutil.Process(header.pid)

    def records(self, name: str) -> JournalRecords:
        """Read what an ended process recorded."""
        return read_journal(self.journals / f"{name}.journal")

    def answered(self, name: str) -> npt.NDArray[np.void]:
        """Give what an ended process recorded and all of which was answered."""
        slots = self.records(name).slots
        assert (slots["outcome"] == 1).all()
        return slots

    def slots(self, name: str) -> npt.NDArray[np.void]:
        """Give what a process has recorded until now, at most MOST_RECORDS of it."""
        path = self.journals / f"{name}.journal"
        if not path.exists() or path.stat().st_size <= HEADER_BYTES:
            return np.empty(0, dtype=SLOT_DTYPE)
        slots = np.fromfile(path, dtype=SLOT_DTYPE, offset=HEADER_BYTES, count=MOST_RECORDS)
        return slots[slots["start_ns"] > 0]

    def until_sent(self, name: str, count: int) -> None:
        """Wait until a process has begun so many requests more than now."""
        before = self.sent(name)
        until(lambda: self.sent(name) >= before + count, f"{name} sent {count} requests")

    def sent(self, name: str) -> int:
        """Count the requests that a process has begun."""
        return len(self.slots(name))


@contextmanager
def free_port() -> Iterator[int]:
    """A port that is nobody else's until Locust's page listens there."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


@pytest.fixture
def load_of(tmp_path: Path) -> Iterator[type[Load]]:
    """Makes loads, of which nothing is left afterwards."""
    made: list[Load] = []

    class Made(Load):
        def __init__(self, url: str, **variables: str) -> None:
            super().__init__(tmp_path, url, variables)
            made.append(self)

    yield Made
    for load in made:
        for process in load.left:
            if process.is_running():
                process.kill()
        for generator in load.generators:
            generator.process.wait()
            generator.gate.dispose()
