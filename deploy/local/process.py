"""The local cloud's process seen from outside: starting it, hearing that it serves, ending it."""

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from deploy.local.holding import unusable
from deploy.local.options import CloudOptions
from history.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
HEALTH_TIMEOUT_S = 2.0
HEALTH_LIMIT_BYTES = 10_000
LOG_LINES = 15

Process: TypeAlias = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCloud:
    """A running local cloud."""

    endpoint_url: str
    pid: int
    instance: str
    """The id it was started with: proves that who answers on the port is this cloud."""
    log_path: Path
    process: Process | None = None
    """Set when this process started it."""
    variables: dict[str, str] = field(default_factory=dict)
    """The make variables that ask for a cloud like it, where known."""

    def alive(self) -> bool:
        """Whether it still runs; one that we did not start must also answer with its own id."""
        if self.process is not None:
            return self.process.poll() is None
        return identity_at(self.endpoint_url) == (self.instance, self.pid)


def launch(
    log_path: Path,
    port: int,
    options: CloudOptions,
    *,
    ready: tuple[int, int],
    plumbing: list[str] | None = None,
    inherited: tuple[int, ...] = (),
) -> LocalCloud:
    """Start the process and wait until it serves; raises UserError with the reason if not."""
    arguments = [*options.to_arguments(), *(plumbing or ())]
    try:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        logged_before = log_path.stat().st_size if log_path.exists() else 0
        process = spawn(log_path, port, arguments, ready_fd=ready[1], inherited=inherited)
    except OSError as error:
        raise unusable(log_path.parent, error) from error
    try:
        state = first_line(ready[0])
        if "port" in state:
            return LocalCloud(
                endpoint_url=f"http://127.0.0.1:{state['port']}",
                pid=process.pid,
                instance=str(state["instance"]),
                log_path=log_path,
                process=process,
                variables=options.variables(),
            )
    except BaseException:
        end(process)
        raise
    end(process)
    if "error" in state:
        raise UserError(str(state["error"]))
    with log_path.open("rb") as log:
        log.seek(logged_before)
        lines = log.read().decode(errors="replace").splitlines()[-LOG_LINES:]
    raise UserError(
        f"the local cloud did not start; the end of {log_path}: {' | '.join(lines) or '(empty)'}"
    )


def spawn(
    log_path: Path, port: int, arguments: list[str], *, ready_fd: int, inherited: tuple[int, ...]
) -> Process:
    """Start the process, its output at the end of the log; our end of `ready_fd` is closed."""
    command = [sys.executable, "-m", "deploy.local", "--port", str(port)]
    command += ["--state-dir", str(log_path.parent.resolve() / "state")]
    command += ["--ready-fd", str(ready_fd), *arguments]
    try:
        with log_path.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(ready_fd, *inherited),
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
            )
    finally:
        os.close(ready_fd)


def first_line(descriptor: int) -> dict[str, str | int]:
    """Read the one line of JSON the cloud reports; empty if it ended or took too long."""
    received = b""
    deadline = time.monotonic() + START_TIMEOUT_S
    with os.fdopen(descriptor, "rb", buffering=0) as ready:
        while not received.endswith(b"\n"):
            readable, _, _ = select.select([ready], [], [], max(0.0, deadline - time.monotonic()))
            chunk = ready.read(4096) if readable else b""
            if not chunk:
                return {}
            received += chunk
    state: dict[str, str | int] = json.loads(received)
    return state


def end(process: Process) -> None:
    """Stop a process we started: SIGTERM, and SIGKILL if that is not enough; always reaped."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_by_id(pid: int) -> None:
    """Stop a process that need not be our child, in the same way, and wait until it is gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)
            gone(pid)


def gone(pid: int) -> bool:
    """Wait, at most STOP_TIMEOUT_S, until a process is gone; it need not be our child."""
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # if it is our child, else it stays as a zombie
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def identity_at(endpoint_url: str) -> tuple[str, int] | None:
    """Ask who serves an endpoint: instance and process id; None if it is no local cloud."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(endpoint_url + "/_gapless/health", timeout=HEALTH_TIMEOUT_S) as answer:
            found = json.loads(answer.read(HEALTH_LIMIT_BYTES))
            return str(found["instance"]), int(found["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
