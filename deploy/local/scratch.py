"""A folder for a database that lives and dies with this process."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.ownership import runs


@contextmanager
def scratch_folder(parent: Path, name: str) -> Iterator[Path]:
    """Give an empty folder that is gone after the block.

    Removes as well what processes that were killed, together with their database, left behind.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{name}.*.*"):
        with suppress(IndexError, ValueError):
            if not runs(int(left.name.split(".")[1])):
                shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}.{os.getpid()}.", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
