"""Starting, finding and stopping local clouds.

Two ways: a temporary cloud, which cannot outlive the process that started it, and the background
cloud of `make deploy`, which stays until `make destroy` and is found again through a state folder:

    cloud.json   where it serves and what it was started as, written by itself once it serves
    cloud.log    everything it and its engine had to say, over all its starts
    state/       what emulated services and engines keep; locked by the cloud as long as it lives
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from deploy.local.holding import held, hold, holder_of, is_held, unusable
from deploy.local.options import CloudOptions, require_same
from deploy.local.process import ROOT, LocalCloud, end, end_by_id, launch
from history.errors import UserError

STATE_DIR = ROOT / ".local"
LEFTOVERS = ("cloud.json", "cloud.log", "state")
DEFAULT_OPTIONS = CloudOptions()
TEMPORARY = "temporary-"


class Condition(Enum):
    """What is the matter with the background cloud."""

    ABSENT = auto()
    """None was started, or it was stopped in order."""
    SERVING = auto()
    SILENT = auto()
    """Its process lives and does not answer: stopped by a signal, starting, or stuck."""
    LOST = auto()
    """It was there and is gone without having been stopped: killed, crashed, or a reboot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """The background cloud as it was found."""

    condition: Condition
    cloud: LocalCloud | None = None
    """As its file describes it; None if there is no such file, or it describes another process."""
    holder: int | None = None
    """The process that holds the state folder, where that is not the one of `cloud`."""

    def sentence(self) -> str:
        """Say what is the matter, for a person; empty if nothing is."""
        where = f"at {self.cloud.endpoint_url}" if self.cloud else "of `make deploy`"
        if self.holder is not None:
            return (
                f"process {self.holder} runs a local cloud in the same folder that `make deploy` "
                f"knows nothing of: stop it where it was started, or with `kill {self.holder}`"
            )
        if self.condition is Condition.LOST:
            log = f" (its log: {self.cloud.log_path})" if self.cloud else ""
            return (
                f"the local cloud {where} has ended without `make destroy`{log}; "
                "its stack and counter are gone with it"
            )
        if self.condition is Condition.SILENT:
            pid = f" (process {self.cloud.pid})" if self.cloud else ""
            return f"the local cloud {where}{pid} is there but does not answer"
        return ""


def background(state_dir: Path = STATE_DIR) -> Background:
    """Look for the background cloud."""
    described = read_state(state_dir)
    if is_held(state_dir / "state"):
        holder = holder_of(state_dir / "state")
        if holder is not None and (described is None or described.pid != holder):
            return Background(condition=Condition.SILENT, holder=holder)
        if described is not None and described.alive():
            return Background(condition=Condition.SERVING, cloud=described)
        return Background(condition=Condition.SILENT, cloud=described)
    lost = (state_dir / "cloud.json").exists()
    return Background(condition=Condition.LOST if lost else Condition.ABSENT, cloud=described)


def running_cloud(state_dir: Path = STATE_DIR) -> LocalCloud | None:
    """Return the background cloud if it runs and answers with its own id; None otherwise."""
    found = background(state_dir)
    return found.cloud if found.condition is Condition.SERVING else None


def read_state(state_dir: Path) -> LocalCloud | None:
    """Read what the background cloud wrote about itself; None if there is nothing readable."""
    try:
        state = json.loads((state_dir / "cloud.json").read_text())
        return LocalCloud(
            endpoint_url=str(state["endpoint_url"]),
            pid=int(state["pid"]),
            instance=str(state["instance"]),
            log_path=state_dir / "cloud.log",
            variables=dict(state.get("variables") or {}),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def start_background(
    state_dir: Path = STATE_DIR, *, port: int, options: CloudOptions = DEFAULT_OPTIONS
) -> LocalCloud:
    """Return the background cloud, started if it does not run yet.

    Raises UserError if its port is taken, it cannot start, does not answer, or runs with other
    options. Two callers at once get the same cloud.
    """
    with held(state_dir):
        found = background(state_dir)
        if found.condition is Condition.SERVING and found.cloud is not None:
            require_same(found.cloud.variables, options)
            return found.cloud
        if found.condition is Condition.SILENT:
            remedy = ": `make destroy` ends it" if found.cloud is not None else ""
            raise UserError(found.sentence() + remedy)
        sweep(state_dir, keep_log=True)
        plumbing = ["--state-file", str((state_dir / "cloud.json").resolve())]
        return launch(state_dir / "cloud.log", port, options, ready=os.pipe(), plumbing=plumbing)


def stop_background(state_dir: Path = STATE_DIR) -> bool:
    """Stop the background cloud, wait until it is gone, and remove what is left of it.

    False if none was running. Raises UserError if one runs that cannot be told.
    """
    with held(state_dir):
        found = background(state_dir)
        living = found.condition in (Condition.SERVING, Condition.SILENT)
        if living and found.cloud is None:
            raise UserError(f"{found.sentence()}; nothing was removed")
        if living and found.cloud is not None:
            end_by_id(found.cloud.pid)
            if is_held(state_dir / "state"):
                raise UserError(f"{found.sentence()} and cannot be ended; nothing was removed")
        sweep(state_dir, keep_log=False)
        return living


def sweep(state_dir: Path, *, keep_log: bool) -> None:
    """Remove what a background cloud that is gone left behind, and dead temporary clouds' folders.

    To be called with the lock of `state_dir`.
    """
    for name in LEFTOVERS:
        if not (keep_log and name == "cloud.log"):
            remove(state_dir / name)
    sweep_temporary(state_dir)


def sweep_temporary(state_dir: Path) -> None:
    """Remove the folders of temporary clouds whose processes were killed."""
    for folder in state_dir.glob(TEMPORARY + "*"):
        if not is_held(folder):
            remove(folder)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there. Raises UserError if it cannot be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise unusable(path.parent, error) from error


@contextmanager
def private_cloud(
    state_dir: Path = STATE_DIR, *, options: CloudOptions = DEFAULT_OPTIONS
) -> Iterator[LocalCloud]:
    """Run a temporary cloud in a folder of its own, which is removed with it.

    Folders that killed processes could not remove are removed first. Raises UserError if the cloud
    cannot start.
    """
    with held(state_dir):  # so that nobody takes our new folder for a dead one's
        sweep_temporary(state_dir)
        try:
            folder = Path(tempfile.mkdtemp(dir=state_dir, prefix=TEMPORARY))
        except OSError as error:
            raise unusable(state_dir, error) from error
        lock = hold(folder)
    try:
        with temporary_cloud(folder / "cloud.log", options=options) as cloud:
            yield cloud
    finally:
        remove(folder)
        if lock is not None:
            os.close(lock)


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
            if cloud.process is not None:
                end(cloud.process)
    finally:
        for descriptor in theirs:
            os.close(descriptor)
