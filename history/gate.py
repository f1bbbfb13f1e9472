"""The start gate: generators start together, and learn when the runner has gone.

Each generator process inherits two pipe ends, named by the environment variable GATE_VARIABLE
as "ready,go". It writes one byte to `ready` when it could begin at once, then waits on `go`
for one line, "start_ns end_ns" on this host's monotonic clock. After that line `go` stays
silent; when it closes, the load is over: the runner asked for it, or was killed.

A process that the generator forks has a gate of its own, in WORKER_GATES_VARIABLE. It is not
the runner's child, so it says itself that it ended in good order: a second byte on `ready`. An
end without it, which the runner sees as `ready` closing, was not one.
"""

import contextlib
import os
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

GATE_VARIABLE = "GAPLESS_GATE"
WORKER_GATES_VARIABLE = "GAPLESS_WORKER_GATES"
_READY = b"R"
_FAREWELL = b"E"
_LINE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadWindow:
    """When the load runs: monotonic nanoseconds."""

    start_ns: int
    end_ns: int


class GeneratorGate:
    """A generator's side of the gate."""

    def __init__(self, ready_fd: int, go_fd: int) -> None:
        self._ready_fd = ready_fd
        self.go_fd = go_fd
        self._is_ready = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Give the gate that the runner left in the environment, or None without a runner."""
        text = environment.get(GATE_VARIABLE)
        return cls.parse(text) if text else None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Give the gate that RunnerGate.variable names."""
        ready, go = text.split(",")
        return cls(int(ready), int(go))

    def wait(self) -> LoadWindow | None:
        """Say that this process is ready, and block until the load starts.

        Gives None when the runner has gone or given up: then there is nothing to do.
        """
        self.ready()
        return self.window()

    def ready(self) -> None:
        """Say that this process could begin at once; nobody may be listening any more."""
        if not self._is_ready:
            self._is_ready = True
            self._say(_READY)

    def window(self) -> LoadWindow | None:
        """Block until `go_fd` has its line; see `wait`."""
        line = b""
        while not line.endswith(b"\n"):
            piece = os.read(self.go_fd, _LINE_BYTES)
            if not piece:
                return None
            line += piece
        start_ns, end_ns = line.split()
        return LoadWindow(start_ns=int(start_ns), end_ns=int(end_ns))

    def farewell(self) -> None:
        """Say that this process has closed its record and ends in good order."""
        self._say(_FAREWELL)

    def close(self) -> None:
        """Let go of a gate that another process of the same generator waits at."""
        os.close(self._ready_fd)
        os.close(self.go_fd)

    def _say(self, byte: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._ready_fd, byte)


def worker_gates(environment: Mapping[str, str]) -> list[GeneratorGate]:
    """Give the gates of the processes that a generator is to fork, in their order."""
    return [
        GeneratorGate.parse(text) for text in environment.get(WORKER_GATES_VARIABLE, "").split()
    ]


class RunnerGate:
    """The runner's side of one generator's gate."""

    def __init__(self) -> None:
        self.ready_fd, self._child_ready_fd = os.pipe()
        self._child_go_fd, self._go_fd = os.pipe()
        self._open = True
        self._farewell = False

    @property
    def child_fds(self) -> tuple[int, int]:
        """The descriptors that the generator must inherit."""
        return self._child_ready_fd, self._child_go_fd

    @property
    def variable(self) -> str:
        """The value of GATE_VARIABLE for the generator."""
        return f"{self._child_ready_fd},{self._child_go_fd}"

    def started(self) -> None:
        """Drop the generator's ends once it has them, so that closing is seen on both sides."""
        os.close(self._child_ready_fd)
        os.close(self._child_go_fd)

    def is_ready(self) -> bool:
        """Read the ready byte (wait until `ready_fd` is readable first); False: it has gone."""
        return os.read(self.ready_fd, 1) == _READY

    def open(self, window: LoadWindow) -> None:
        """Let the generator go; one that has died meanwhile is found when it is waited for."""
        try:
            os.write(self._go_fd, f"{window.start_ns} {window.end_ns}\n".encode())
        except BrokenPipeError:
            self.close()

    def close(self) -> None:
        """Tell the generator to stop: no new requests, those in flight are finished."""
        if self._open:
            self._open = False
            os.close(self._go_fd)

    def said_farewell(self, *, timeout_s: float) -> bool | None:
        """Wait for the generator's end; tell whether it was in good order, None: not yet ended."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, deadline_s - time.monotonic())
            if not select.select([self.ready_fd], [], [], left_s)[0]:
                return None
            piece = os.read(self.ready_fd, _LINE_BYTES)
            if not piece:
                return self._farewell
            self._farewell = self._farewell or _FAREWELL in piece

    def dispose(self) -> None:
        """Let go of it all, once the generator's end is accounted for."""
        self.close()
        os.close(self.ready_fd)
