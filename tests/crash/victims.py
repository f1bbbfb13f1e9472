"""The processes of a run that is under way, and what each has recorded so far."""

import contextlib
import select
import signal
import threading
from os import close, pidfd_open
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from history.errors import UserError
from history.journal import HEADER_BYTES, SLOT_BYTES, SUFFIX, read_header
from history.sealing import SLOT_DTYPE
from tests.crash.plan import MASTER, RUNNER

Slots = npt.NDArray[np.void]
_STAND_STILL_S = 0.02
_RECORDS_AS = {RUNNER: "runner-0"}


class Victims:
    """Finds and kills processes of the runner whose process id is given."""

    def __init__(self, runner_pid: int, reports: Path) -> None:
        self._runner = psutil.Process(runner_pid)
        self._reports = reports
        self._seen: set[psutil.Process] = set()

    def look(self) -> None:
        """Note which processes there are by now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._seen.update(self._runner.children(recursive=True))

    def await_end(self, patience_s: float) -> list[psutil.Process]:
        """Wait until all that were ever noted have ended; give those that did not."""
        alive: list[psutil.Process] = psutil.wait_procs(self._seen, timeout=patience_s)[1]
        return alive

    def started_ns(self) -> int | None:
        """Give when the first request of the load was begun, None before."""
        starts = [
            int(slots[0]["start_ns"])
            for path in self._reports.glob(f"2*/journal/*{SUFFIX}")
            if not path.name.startswith(_RECORDS_AS[RUNNER])
            for slots in [_read(path, count=1)]
            if len(slots)
        ]
        return min(starts, default=None)

    def recorded(self, victim: str) -> Slots:
        """Give what a process has written down of its requests until now."""
        for path in self._reports.glob(f"2*/journal/{_RECORDS_AS.get(victim, victim)}{SUFFIX}"):
            return _read(path)
        return np.empty(0, dtype=SLOT_DTYPE)

    def kill(self, victim: str, *, stopped: bool) -> tuple[Slots, bool] | None:
        """Kill a process, once it stands still if that is asked for.

        Gives what it had recorded by then and whether it still lived; None where there is no
        such process.
        """
        self.look()
        pid = self._pid(victim)
        if pid is None:
            return None
        try:
            pidfd = pidfd_open(pid)
        except ProcessLookupError:
            return self.recorded(victim), False
        try:
            return self._kill(victim, pidfd, stopped=stopped)
        finally:
            close(pidfd)

    def _kill(self, victim: str, pidfd: int, *, stopped: bool) -> tuple[Slots, bool]:
        alive = False
        recorded = self.recorded(victim)
        with contextlib.suppress(ProcessLookupError):
            if stopped:
                signal.pidfd_send_signal(pidfd, signal.SIGSTOP)
                threading.Event().wait(_STAND_STILL_S)
                recorded = self.recorded(victim)
            alive = not select.select([pidfd], [], [], 0)[0]
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        return recorded, alive

    def _pid(self, victim: str) -> int | None:
        if victim == RUNNER:
            return self._runner.pid
        with contextlib.suppress(psutil.NoSuchProcess):
            if victim == MASTER:
                return self._top_locust()
            for path in self._reports.glob(f"2*/journal/{victim}{SUFFIX}"):
                with contextlib.suppress(UserError):
                    return read_header(path)[0].pid
            if victim.startswith("locust"):
                return self._top_locust()
            number = victim.rpartition("-")[2]
            return self._child(["-m", "swarm"], ["--process", number])
        return None

    def _top_locust(self) -> int | None:
        return self._child(["-m", "locust"])

    def _child(self, *pairs: list[str]) -> int | None:
        """Find a child of the runner that was started with these pairs of arguments."""
        for process in self._runner.children():
            words = process.cmdline()
            neighbours = [list(pair) for pair in zip(words, words[1:], strict=False)]
            if all(pair in neighbours for pair in pairs):
                return int(process.pid)
        return None


def _read(path: Path, count: int = -1) -> Slots:
    """Read a journal's records so far, or as many as asked for of its first ones."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return np.empty(0, dtype=SLOT_DTYPE)
    whole = max(0, size - HEADER_BYTES) // SLOT_BYTES
    whole = min(whole, count) if count >= 0 else whole
    if not whole:
        return np.empty(0, dtype=SLOT_DTYPE)
    slots = np.fromfile(path, dtype=SLOT_DTYPE, count=whole, offset=HEADER_BYTES)
    return slots[slots["sent"] == 1]


def left_behind(folder: Path) -> list[str]:
    """Name the processes that were started with a folder among their arguments."""
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or ())
    ]
