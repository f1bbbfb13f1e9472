"""Processes that are killed at each step of what they do in turn.

    python -m tests.history.killed record FOLDER    writes FOLDER/<n>.journal
    python -m tests.history.killed seal FOLDER      seals FOLDER/<n>, copies of FOLDER/run

Each is a fork of this one, which is killed at its n-th step: a line of a function that writes,
or a file that is opened for writing, renamed or removed. Prints a line of JSON for each, and
ends with the first that was not killed any more.
"""

import importlib
import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from history import journal
from history.classify import Classified
from history.health import SUFFIX, HealthLog, HealthSample
from history.journal import Journal
from history.operation import Outcome, Reason
from history.run import RunFolder, seal
from tests.short_chunks import SLOTS, shorten_chunks

_CHANGES = frozenset({"os.rename", "os.remove", "os.rmdir", "os.truncate"})
_SENT, _DONE = b"s", b"d"
_HISTORY = str(Path(journal.__file__).parent)
_RECORDING = {"__init__", "begin", "complete", "_answered", "_grow", "close", "append"}
_SEALING = {"seal_locked", "write_text_whole"}
_WRITES = frozenset(_RECORDING | _SEALING)


class Steps:
    """Counts the steps of this process from `begin` on, and kills it at the last of them."""

    def __init__(self, last: int) -> None:
        self._left = last
        self._counting = False
        sys.addaudithook(self._audit)

    def begin(self) -> None:
        """Count from here on."""
        self._counting = True
        sys.settrace(self._trace)

    def pause(self) -> None:
        """Do not count what follows."""
        sys.settrace(None)
        self._counting = False

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self._step()
        code = frame.f_code
        writes = code.co_name in _WRITES and code.co_filename.startswith(_HISTORY)
        return self._trace if writes else None

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and int(arguments[2]) & (os.O_WRONLY | os.O_RDWR)
        if self._counting and (writes or event in _CHANGES):
            self._step()

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def record(path: Path, steps: Steps, tell: Callable[[bytes], object]) -> None:
    """Record requests that are told to the outside when they are sent and when they are done."""

    def operation(value: int, tell: Callable[[bytes], object] = tell) -> None:
        slot = written.begin(value)
        tell(_SENT)
        written.complete(slot, Classified(Outcome.OK, value, Reason.INTEGER), 200)
        tell(_DONE)

    steps.begin()
    written = Journal(path, process=path.stem, source="test")
    log = HealthLog(path.with_suffix(SUFFIX))
    operation(0)
    steps.pause()
    untold: list[bytes] = []
    for value in range(1, SLOTS - 1):
        operation(value, untold.append)
    tell(b"".join(untold))
    steps.begin()
    operation(SLOTS - 1)
    operation(SLOTS)
    log.append(SAMPLE)
    written.begin(SLOTS + 1)
    tell(_SENT)
    written.close()
    log.close()
    steps.pause()


SAMPLE = HealthSample(
    process="p",
    at_ns=1,
    interval_ns=1,
    cpu_ns=1,
    loop_lag_ns_p50=1,
    loop_lag_ns_max=1,
    in_flight=1,
    queued=0,
    connections=1,
)


def record_in(folder: Path, last: int, tell: Callable[[bytes], object]) -> None:
    """Write a journal until the last step."""
    record(folder / f"{last:04}.journal", Steps(last), tell)


def seal_in(folder: Path, last: int, _: Callable[[bytes], object]) -> None:
    """Seal a copy of a run until the last step."""
    steps = Steps(last)
    copy = folder / f"{last:04}"
    shutil.copytree(folder / "run", copy)
    steps.begin()
    seal(RunFolder(copy))
    steps.pause()


def killed_at(last: int, work: Callable[[Callable[[bytes], object]], None]) -> tuple[bytes, bool]:
    """Fork a process that is killed at a step; give what it told, and whether it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        work(lambda said: os.write(writing, said))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, -signal.SIGKILL}, f"step {last}: exit code {code}"
    return told, code != 0


def main() -> None:
    """Kill at one step after the other."""
    shorten_chunks()
    work = {"record": record_in, "seal": seal_in}[sys.argv[1]]
    if work is seal_in:
        importlib.import_module("pandas")  # pyarrow imports it when it first sees an array
    folder = Path(sys.argv[2])
    for last in itertools.count():
        told, killed = killed_at(last, lambda tell: work(folder, last, tell))  # noqa: B023
        print(
            json.dumps(
                {
                    "name": f"{last:04}",
                    "sent": told.count(_SENT),
                    "done": told.count(_DONE),
                    "killed": killed,
                }
            ),
            flush=True,
        )
        if not killed:
            return


if __name__ == "__main__":
    main()
