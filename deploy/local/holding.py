"""Who holds a folder: a lock that the operating system takes back when its holder dies, however.

A process id in a file proves nothing: it may be stale, or another program's by now.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def hold(folder: Path, *, wait: bool = False) -> int | None:
    """Take the lock of a folder, made if missing; None if somebody else has it and we do not wait.

    The lock goes with the descriptor that is returned: closing it, or the process's end by any
    means, gives it back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Have a folder's lock for the length of the block, waiting for it."""
    descriptor = hold(folder, wait=True)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_held(folder: Path) -> bool:
    """Whether some process has the lock of a folder now."""
    if not folder.is_dir():
        return False
    descriptor = hold(folder)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
