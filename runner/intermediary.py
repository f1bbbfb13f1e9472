"""What stands between the load and the counter when FAULT asks for it: a process of its own."""

import contextlib
import http.client
import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from history.destination import Destination, parse_destination
from history.errors import UserError
from history.fault import COUNTS_PATH, FaultSpec
from history.operation import Returns
from runner.provenance import REPOSITORY

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 5.0
_COUNTS_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Intermediary:
    """A running intermediary: its URL stands for the counter's."""

    url: str
    process: subprocess.Popen[bytes]

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def counts(self) -> dict[str, int]:
        """Ask it what happened so far; nothing when it does not answer."""
        own = parse_destination(self.url)
        connection = http.client.HTTPConnection(own.host, own.port, timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request("GET", COUNTS_PATH)
            found = json.loads(connection.getresponse().read(_COUNTS_BYTES))
            return {str(name): int(count) for name, count in found.items()}
        except (OSError, ValueError, AttributeError, TypeError, http.client.HTTPException):
            return {}
        finally:
            connection.close()


@contextmanager
def standing_before(
    counter: Destination,
    spec: FaultSpec,
    *,
    returns: Returns,
    seed: int,
    allowed_hosts: tuple[str, ...],
) -> Iterator[Intermediary]:
    """Run an intermediary before a counter for the length of the block.

    It holds a pipe of ours, so that it ends even if we are killed. Raises UserError when it does
    not start.
    """
    command = [sys.executable, "-m", "faults", "--upstream", counter.url, "--fault", spec.text]
    command += ["--returns", str(returns), "--seed", str(seed)]
    for host in allowed_hosts:
        command += ["--allow-host", host]
    with running(command, f"the intermediary of FAULT={spec.text}") as (process, url):
        yield Intermediary(url=url, process=process)


@contextmanager
def running(command: list[str], what: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a server of ours that prints its URL, as JSON, once it serves; end it after the block.

    Raises UserError, with the end of what it said, when it does not get there.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we stop it in order
        )
        try:
            yield process, _url(process, log, what)
        finally:
            _end(process)


def _url(process: subprocess.Popen[bytes], log: IO[bytes], what: str) -> str:
    assert process.stdout is not None  # noqa: S101 -- we asked for it
    readable, _, _ = select.select([process.stdout], [], [], START_TIMEOUT_S)
    line = process.stdout.readline() if readable else b""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.loads(line)["url"])
    log.seek(0)
    said = log.read().decode(errors="replace").strip().splitlines()[-3:]
    raise UserError(f"{what} did not start: {' | '.join(said) or 'it said nothing'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
