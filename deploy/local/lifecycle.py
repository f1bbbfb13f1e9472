"""Starting, finding and stopping the local cloud's process.

Two ways: `temporary_cloud`, which cannot outlive the process that started it, and the background
cloud of `make deploy`, which stays until `make destroy` and is found again through a state folder.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from deploy.local.options import CloudOptions, require_same
from history.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
STATE_DIR = ROOT / ".local"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
HEALTH_TIMEOUT_S = 2.0
HEALTH_LIMIT_BYTES = 10_000
LOG_LINES = 15
DEFAULT_OPTIONS = CloudOptions()

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


@contextmanager
def temporary_cloud(
    log_path: Path, port: int = 0, *, options: CloudOptions = DEFAULT_OPTIONS
) -> Iterator[LocalCloud]:
    """Run a local cloud for the length of a `with` block; port 0 takes any free one.

    It holds a pipe of ours and stops when that closes, so it ends even if we are killed.
    Raises UserError if it cannot start.
    """
    ours, theirs = os.pipe(), os.pipe()
    try:
        plumbing = ["--parent-fd", str(theirs[0])]
        cloud = launch(
            log_path, port, options, plumbing=plumbing, ready=ours, inherited=(theirs[0],)
        )
        try:
            yield cloud
        finally:
            stop_process(cloud)
    finally:
        for descriptor in theirs:
            os.close(descriptor)


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
    process = spawn(log_path, port, arguments, ready_fd=ready[1], inherited=inherited)
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
    tail = " | ".join(log_path.read_text(errors="replace").splitlines()[-LOG_LINES:])
    raise UserError(f"the local cloud did not start; the end of {log_path}: {tail or '(empty)'}")


def spawn(
    log_path: Path, port: int, arguments: list[str], *, ready_fd: int, inherited: tuple[int, ...]
) -> Process:
    """Start the process with a log of its own; our end of `ready_fd` is closed."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "deploy.local", "--port", str(port)]
    command += ["--state-dir", str(log_path.parent.resolve() / "state")]
    command += ["--ready-fd", str(ready_fd), *arguments]
    try:
        with log_path.open("wb") as log:
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


def stop_process(cloud: LocalCloud) -> None:
    """Stop a cloud that this process started."""
    if cloud.process is not None:
        end(cloud.process)


def start_background(
    state_dir: Path = STATE_DIR, *, port: int, options: CloudOptions = DEFAULT_OPTIONS
) -> LocalCloud:
    """Return the background cloud, started if it does not run yet.

    Raises UserError if its port is taken, it cannot start, or runs with other options.
    """
    found = running_cloud(state_dir)
    if found is not None:
        require_same(found.variables, options)
        return found
    cloud = launch(state_dir / "cloud.log", port, options, ready=os.pipe())
    state = {
        "pid": cloud.pid,
        "endpoint_url": cloud.endpoint_url,
        "instance": cloud.instance,
        "variables": cloud.variables,
    }
    (state_dir / "cloud.json").write_text(json.dumps(state) + "\n")
    return cloud


def running_cloud(state_dir: Path = STATE_DIR) -> LocalCloud | None:
    """Return the background cloud if it runs and answers with its own id; None otherwise."""
    try:
        state = json.loads((state_dir / "cloud.json").read_text())
        cloud = LocalCloud(
            endpoint_url=str(state["endpoint_url"]),
            pid=int(state["pid"]),
            instance=str(state["instance"]),
            log_path=state_dir / "cloud.log",
            variables=dict(state.get("variables") or {}),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return cloud if cloud.alive() else None


def stop_background(state_dir: Path = STATE_DIR) -> bool:
    """Stop the background cloud and wait until it is gone; False if none was running."""
    cloud = running_cloud(state_dir)
    (state_dir / "cloud.json").unlink(missing_ok=True)
    if cloud is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(cloud.pid, signal.SIGTERM)
        if not gone(cloud.pid):
            os.kill(cloud.pid, signal.SIGKILL)
            gone(cloud.pid)
    return True


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
