"""The counter that clients are measured against: epoll_counter.c, compiled, on its own core."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from history.errors import UserError

SOURCE = Path(__file__).with_name("epoll_counter.c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a counter has done so far: GETs answered and CPU seconds, `at_s` on its clock."""

    requests: int
    cpu_s: float
    at_s: float


class CounterProcess:
    """One counter from 1 on, serving `url` until it is stopped."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{int(self._line())}/"

    def look(self) -> Tally:
        """Ask what it has done so far. Raises UserError when it has died."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # then it has nothing to say, either
            os.write(self._process.stdin.fileno(), b"\n")
        did = json.loads(self._line())
        return Tally(requests=did["requests"], cpu_s=did["cpu_ns"] / 1e9, at_s=did["at_ns"] / 1e9)

    def stop(self) -> Tally:
        """Ask what it has done, and stop it."""
        did = self.look()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        return did

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise UserError(
                f"the bench's counter ({SOURCE.name}) ended by itself with exit code "
                f"{self._process.wait()}: its message is above, run it again"
            )
        return line


@contextmanager
def compiled() -> Iterator[Path]:
    """Compile the counter into a folder of its own, removed afterwards; give the program.

    Raises UserError without a C compiler.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / SOURCE.stem
        require_compiler()
        command = ["cc", "-O2", "-o", str(program), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise UserError(
                f"{SOURCE.name} could not be compiled, is libc6-dev there (apt-get install gcc "
                f"libc6-dev)? cc said: {' '.join(done.stderr.split())[:300]}"
            )
        yield program


def require_compiler() -> None:
    """Raise UserError unless a C compiler is there."""
    if shutil.which("cc") is None:
        raise UserError(
            "clients are measured against a counter that is compiled with cc, which is not there: "
            "apt-get install gcc libc6-dev, or measure the rest with python -m bench judge "
            "recording burst target"
        )


@contextmanager
def running(program: Path, *, core: int) -> Iterator[CounterProcess]:
    """Run a counter on one core; it is killed if it has not been stopped."""
    with pinned(core):
        process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    with process:
        try:
            yield CounterProcess(process)
        finally:
            process.kill()


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Let everything that is started in here run on one core only, with all its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def client_core() -> int:
    """Give the core that clients run on."""
    return min(os.sched_getaffinity(0))


def server_core() -> int:
    """Give the core that the counter runs on: another one than the clients', if there are two."""
    return max(os.sched_getaffinity(0))
