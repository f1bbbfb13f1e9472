"""dynalite, the engine of ENGINE=dynalite: where it is installed, and how it is started."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.child import Program
from deploy.local.ownership import runs
from history.errors import UserError

HOME = Path(__file__).with_name("dynalite")
"""package.json and package-lock.json with the exact pins, and where `make dynalite` puts them."""
PREFIX = "dynalite-"


def require_installed() -> None:
    """Raise UserError unless Node and dynalite are there."""
    if shutil.which("node") is None:
        raise UserError(
            "ENGINE=dynalite needs Node.js, which is not there: apt-get install nodejs npm, then "
            "make dynalite"
        )
    if not (HOME / "node_modules" / "dynalite" / "package.json").exists():
        raise UserError("ENGINE=dynalite needs dynalite, which is not installed: make dynalite")


@contextmanager
def program(state_dir: Path) -> Iterator[Program]:
    """Say how to start it on an empty database, which is gone after the block."""
    state_dir.mkdir(parents=True, exist_ok=True)
    sweep(state_dir)
    folder = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=state_dir)
    try:
        yield Program(
            name="dynalite",
            command=("node", str(HOME / "serve.js"), folder),
            environment={"PATH": os.environ.get("PATH", os.defpath)},
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(state_dir: Path) -> None:
    """Remove what clouds that were killed, together with their database, left behind."""
    for folder in state_dir.glob(f"{PREFIX}*-*"):
        with suppress(IndexError, ValueError):
            if not runs(int(folder.name.split("-")[1])):
                shutil.rmtree(folder, ignore_errors=True)
