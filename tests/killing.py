"""Processes that are killed at a step of what they do: by themselves, so that no step is missed."""

import os
import signal
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

Tell = Callable[[bytes], object]
_CHANGES = frozenset({"os.rename", "os.remove", "os.rmdir", "os.truncate"})


class Steps:
    """Counts the steps of this process from `begin` on, and kills it at the last of them.

    A step is a line of the code that is `watched`, or a file that is opened for writing,
    renamed or removed.
    """

    def __init__(self, last: int, *, watched: Callable[[CodeType], bool]) -> None:
        self._left = last
        self._watched = watched
        self._counting = False
        sys.addaudithook(self._audit)

    def begin(self) -> None:
        """Count from here on, in functions that are called from here on."""
        self._counting = True
        sys.settrace(self._trace)

    def pause(self) -> None:
        """Do not count what follows."""
        sys.settrace(None)
        self._counting = False

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line" and self._counting:
            self._step()
        return self._trace if self._watched(frame.f_code) else None

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and int(arguments[2]) & (os.O_WRONLY | os.O_RDWR)
        if self._counting and (writes or event in _CHANGES):
            self._step()

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def killed_at(last: int, work: Callable[[int, Tell], None]) -> tuple[bytes, bool]:
    """Fork a process that kills itself at a step; give what it told, and whether it did."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        work(last, lambda said: os.write(writing, said))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, -signal.SIGKILL}, f"step {last}: exit code {code}"
    return told, code != 0
