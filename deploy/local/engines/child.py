"""A program that the local cloud runs beside itself, such as a database: kept alive, and ended.

Knows nothing of DynamoDB. The program prints one line of JSON with its port once it serves, and
ends when its standard input closes: it cannot outlive us.
"""

import asyncio
import json
import logging
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 3.0
RESTARTS_MAX = 5
RESTARTS_WITHIN_S = 60.0
PORT_LINE = b'{"port":'


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How to start it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path | None = None
    """Where it runs, and may leave what it likes; the command then names no relative path."""


class Child:
    """The program while it runs; started again whenever it ends by itself."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._port = 0

    def url(self) -> str:
        """Say where it serves now, or did last."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start it, and wait until it serves. Raises RuntimeError if it does not get there."""
        process = await self._launch()
        self._watcher = asyncio.create_task(self._watch(process))

    async def stop(self) -> None:
        """End it, in good order if it obeys."""
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
        if self._process is not None:
            await end(self._process)

    async def _launch(self) -> Process:
        name = self._program.name
        process = self._process = await asyncio.create_subprocess_exec(
            *self._program.command,
            stdin=PIPE,
            stdout=PIPE,
            env=dict(self._program.environment),
            cwd=self._program.directory,
            start_new_session=True,  # Ctrl-C is for us; we end it in order
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                self._port = await announced_port(process)
        except (TimeoutError, EOFError) as error:
            await end(process)
            how = ending(process.returncode)
            raise RuntimeError(f"{name} did not start: it {how} before it served") from error
        return process

    async def _watch(self, process: Process) -> None:
        """Say it when the program ends, and start it again, unless it keeps ending."""
        ends_s: deque[float] = deque(maxlen=RESTARTS_MAX)
        while True:
            await drain(process)
            how = ending(await process.wait())
            if len(ends_s) == RESTARTS_MAX and ends_s[0] > time.monotonic() - RESTARTS_WITHIN_S:
                log.error("%s %s, again: it is not started any more", self._program.name, how)
                return
            ends_s.append(time.monotonic())
            log.error("%s %s: it is started again, on its data", self._program.name, how)
            try:
                process = await self._launch()
            except (RuntimeError, OSError):
                log.exception("%s could not be started again", self._program.name)
            else:
                log.warning("%s serves again", self._program.name)


async def announced_port(process: Process) -> int:
    """Read what it prints up to its port. Raises EOFError if it ends first."""
    assert process.stdout is not None  # noqa: S101 (we asked for it)
    while line := await process.stdout.readline():
        if line.startswith(PORT_LINE):
            return int(json.loads(line)["port"])
    raise EOFError


async def drain(process: Process) -> None:
    """Read and forget what it prints, until it ends."""
    assert process.stdout is not None  # noqa: S101 (we asked for it)
    while await process.stdout.read(65_536):
        pass


async def end(process: Process) -> None:
    """Close its standard input, which tells it to end; kill it if it does not; always reap it."""
    assert process.stdin is not None  # noqa: S101 (we asked for it)
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def ending(code: int | None) -> str:
    """Say how a process ended."""
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[Child]:
    """Run a program for the length of the block."""
    child = Child(program)
    try:
        await child.start()
        yield child
    finally:
        await child.stop()
