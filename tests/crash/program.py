"""A command that runs while we look at it line by line."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests.inline import Ended
from tests.patience import PATIENCE_S
from tests.runs import REPOSITORY


class Lines:
    """The lines of a stream, read in a thread so that whoever writes them never waits."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._over = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    def await_line(self, start: str) -> bool:
        """Wait for a line that begins so; False when the stream ends without one."""
        with self._news:
            assert self._news.wait_for(lambda: self._over or self._has(start), PATIENCE_S)
            return self._has(start)

    def _has(self, start: str) -> bool:
        return any(line.startswith(start) for line in self._lines)

    def text(self) -> str:
        """Wait for the stream's end; give all of it."""
        self._thread.join(PATIENCE_S)
        assert self._over
        return "".join(self._lines)


class Program:
    """`python -m runner` under way, with a reports folder of its own.

    `before` stands before its command line: what it is to run inside of.
    """

    def __init__(
        self, command: str, reports: Path, *, before: Sequence[str] = (), **variables: str
    ) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "runner", "--reports", str(reports), command],
            cwd=REPOSITORY,
            env=ours | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.out = Lines(self.process.stdout)
        self.err = Lines(self.process.stderr)

    def ended(self) -> Ended:
        """Wait for its end, and that of all that shares its output."""
        code = self.process.wait(PATIENCE_S)
        return Ended(returncode=code, stdout=self.out.text(), stderr=self.err.text())

    def kill(self) -> None:
        """Make sure that it is gone."""
        self.process.kill()
        self.ended()
