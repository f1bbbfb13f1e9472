"""Who holds a folder: a lock that the operating system takes back when its holder dies, however.

A process id in a file proves nothing by itself: it may be stale, or another program's by now. In a
folder whose lock is held, the id that its holder wrote there is the holder's.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from history.errors import UserError

PATIENCE_S = 1.0
"""Whoever looks at a lock has a share in it for a moment; a holder for good outlasts this."""
WAIT_S = 60.0
"""Twice what starting a cloud may take, the longest that a command keeps others waiting."""
PAUSE_S = 0.01
HOLDER = "holder"


def hold(folder: Path, *, wait_s: float = PATIENCE_S) -> int | None:
    """Take the lock of a folder, made if missing; None if somebody else keeps it for `wait_s`.

    The lock goes with the descriptor that is returned: closing it, or the process's end by any
    means, gives it back. Raises UserError if that is no folder, or none we may use.
    """
    descriptor = opened(folder)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(PAUSE_S)
        else:
            return descriptor


def opened(folder: Path) -> int:
    """Open a folder, made if missing. Raises UserError if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise unusable(folder, error) from error


def unusable(folder: Path, error: OSError) -> UserError:
    """Say that a folder cannot be used, and what would help."""
    why = error.strerror or str(error)
    return UserError(
        f"the local cloud keeps its state in {folder}, which cannot be used ({why}): make it a "
        "folder that can be written, with room on its disk, and try again"
    )


@contextmanager
def held(folder: Path, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Have a folder's lock for the length of the block, waiting for it.

    Raises UserError if somebody else keeps it for `wait_s`.
    """
    descriptor = hold(folder, wait_s=wait_s)
    if descriptor is None:
        raise UserError(
            f"another command has been busy with {folder} for {wait_s:g} s: let it end, or end it "
            "if it was stopped (Ctrl-Z), and try again"
        )
    try:
        yield
    finally:
        os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Whether some process has the lock of a folder now; two that look do not see one another."""
    if not folder.is_dir():
        return False
    descriptor = opened(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sign(folder: Path) -> None:
    """Write our process id into a folder that we hold. Raises UserError if it cannot be written."""
    try:
        (folder / HOLDER).write_text(str(os.getpid()))
    except OSError as error:
        raise unusable(folder, error) from error


def holder_of(folder: Path) -> int | None:
    """Read who holds a folder that is held; None if it did not sign yet."""
    with suppress(OSError, ValueError):
        return int((folder / HOLDER).read_text())
    return None
