"""The start gate: generators start together, and learn when the runner has gone.

Each generator process inherits two pipe ends, named by the environment variable GATE_VARIABLE
as "ready,go". It writes one byte to `ready` when it could begin at once, then waits on `go`
for one line, "start_ns end_ns" on this host's monotonic clock. After that line `go` stays
silent; when it closes, the load is over: the runner asked for it, or was killed.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

GATE_VARIABLE = "GAPLESS_GATE"
_READY = b"R"
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

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Give the gate that the runner left in the environment, or None without a runner."""
        text = environment.get(GATE_VARIABLE)
        if not text:
            return None
        ready, go = text.split(",")
        return cls(int(ready), int(go))

    def wait(self) -> LoadWindow | None:
        """Say that this process is ready, and block until the load starts.

        Gives None when the runner has gone or given up: then there is nothing to do.
        """
        try:
            os.write(self._ready_fd, _READY)
        except BrokenPipeError:
            return None
        finally:
            os.close(self._ready_fd)
        line = b""
        while not line.endswith(b"\n"):
            piece = os.read(self.go_fd, _LINE_BYTES)
            if not piece:
                return None
            line += piece
        start_ns, end_ns = line.split()
        return LoadWindow(start_ns=int(start_ns), end_ns=int(end_ns))


class RunnerGate:
    """The runner's side of one generator's gate."""

    def __init__(self) -> None:
        self.ready_fd, self._child_ready_fd = os.pipe()
        self._child_go_fd, self._go_fd = os.pipe()
        self._open = True

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
            os.close(self.ready_fd)
