"""The processes of a run that is under way, and what each has recorded so far."""

import contextlib
import itertools
import select
import signal
import threading
from collections.abc import Iterable, Sequence
from os import close, pidfd_open
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import psutil

from history.errors import UserError
from history.journal import HEADER_BYTES, SLOT_BYTES, SUFFIX, read_header
from history.sealing import SLOT_DTYPE
from tests.crash.plan import MASTER, RUNNER

Slots = npt.NDArray[np.void]
_STAND_STILL_S = 0.005
_RECORDS_AS = {RUNNER: "runner-0"}

LEAVING_S = 20.0
"""Longer than anything of ours takes to end once it is told to, on a slow machine too."""


class Victims:
    """Finds and kills processes of the runner whose process id is given."""

    def __init__(self, runner_pid: int, reports: Path) -> None:
        self._runner = psutil.Process(runner_pid)
        self._reports = reports
        self._seen: set[psutil.Process] = set()
        self._pidfds: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pidfd in self._pidfds.values():
            close(pidfd)

    def look(self) -> None:
        """Note which processes there are by now."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._seen.update(self._runner.children(recursive=True))

    def prepare(self, victims: Iterable[str], *, starting: bool = False) -> None:
        """Find these processes, as far as they are there, so that killing them takes no time.

        One that is still `starting` has no journal to tell its process id.
        """
        missing = [victim for victim in victims if victim not in self._pidfds]
        find = self._starting_pid if starting else self._pid
        found = {victim: find(victim) for victim in missing}
        if any(found.values()):
            self.look()
        for victim, pid in found.items():
            if pid is not None:
                assert pid in {process.pid for process in (self._runner, *self._seen)}
                with contextlib.suppress(ProcessLookupError):
                    self._pidfds[victim] = pidfd_open(pid)

    def await_end(self, patience_s: float) -> list[psutil.Process]:
        """Wait until all that were ever noted have ended; give those that did not."""
        alive: list[psutil.Process] = psutil.wait_procs(self._seen, timeout=patience_s)[1]
        return alive

    def started_ns(self, victim: str = "") -> int | None:
        """Give when a process began its first request, of the load's if none is named.

        None before that.
        """
        load = "[!r]*"  # not the runner's own journal
        starts = [
            int(slots[0]["start_ns"])
            for path in self._journals(victim or load)
            for slots in [_read(path, count=1)]
            if len(slots)
        ]
        return min(starts, default=None)

    def _journals(self, victim: str) -> list[Path]:
        """Give a process's journal, if there is one by now."""
        return list(self._reports.glob(f"2*/journal/{_RECORDS_AS.get(victim, victim)}{SUFFIX}"))

    def recorded(self, victim: str) -> Slots:
        """Give what a process has written down of its requests until now."""
        journals = self._journals(victim)
        return _read(journals[0]) if journals else np.empty(0, dtype=SLOT_DTYPE)

    def kill(
        self, victim: str, *, stopped: bool, starting: bool = False
    ) -> tuple[Slots, bool] | None:
        """Kill a process, once it stands still if `stopped`, or before it is ready if `starting`.

        Gives what it had recorded by then and whether it still lived; None where there is no
        such process.
        """
        if victim == RUNNER:
            self.look()  # who is then an orphan
        self.prepare([victim], starting=starting)
        if victim not in self._pidfds:
            return None
        return self._kill(victim, self._pidfds[victim], stopped=stopped)

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
        if victim in {RUNNER, MASTER}:
            return self._starting_pid(victim)
        for path in self._journals(victim):
            with contextlib.suppress(UserError):  # its header is not yet written
                return read_header(path)[0].pid
        return None

    def _starting_pid(self, victim: str) -> int | None:
        if victim == RUNNER:
            return self._runner.pid
        with contextlib.suppress(psutil.NoSuchProcess):
            source, _, number = victim.partition("-")
            numbered = [("--process", number)] if source == "swarm" else []
            return self._child([("-m", source), *numbered])
        return None

    def _child(self, pairs: Sequence[tuple[str, str]]) -> int | None:
        """Find a child of the runner that was started with these pairs of arguments."""
        for process in self._runner.children():
            words = process.cmdline()
            neighbours = list(itertools.pairwise(words))
            if all(pair in neighbours for pair in pairs):
                return int(process.pid)
        return None


def _read(path: Path, count: int = -1) -> Slots:
    """Read a journal's records so far, or as many as asked for of its first ones.

    Read twice: what the first reading finds committed, the second finds whole. One alone may
    see the first bytes of a slot before they are stored, and its last byte after.
    """
    readings = _read_once(path, count), _read_once(path, count)
    both = min(map(len, readings))  # closing a journal gives back what it reserved
    first, second = (reading[:both] for reading in readings)
    second["answered"] = first["answered"]
    return second[first["sent"] == 1]


def _read_once(path: Path, count: int) -> Slots:
    size = path.stat().st_size if path.exists() else 0
    whole = max(0, size - HEADER_BYTES) // SLOT_BYTES
    wanted = min(whole, count) if count >= 0 else whole
    if not wanted:
        return np.empty(0, dtype=SLOT_DTYPE)
    return np.fromfile(path, dtype=SLOT_DTYPE, count=wanted, offset=HEADER_BYTES)


def left_behind(folder: Path) -> list[str]:
    """Name the processes that were started with a folder among their arguments, and live on.

    One that ends because a pipe to it was closed needs a moment to do so.
    """
    found = {
        process: " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or ())
    }
    _, alive = psutil.wait_procs(list(found), timeout=LEAVING_S)
    return [found[process] for process in alive]
