"""dynalite, the engine of ENGINE=dynalite: where it is installed, and how it is started."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.child import Program
from deploy.local.scratch import scratch_folder
from history.errors import UserError

HOME = Path(__file__).with_name("dynalite")
"""package.json and package-lock.json with the exact pins, and where `make dynalite` puts them."""


def require_installed(home: Path = HOME) -> None:
    """Raise UserError unless Node and dynalite are there."""
    if shutil.which("node") is None:
        raise UserError(
            "ENGINE=dynalite needs Node.js, which is not there: apt-get install nodejs npm, then "
            "make dynalite"
        )
    if not (home / "node_modules" / "dynalite" / "package.json").exists():
        raise UserError("ENGINE=dynalite needs dynalite, which is not installed: make dynalite")


@contextmanager
def program(state_dir: Path) -> Iterator[Program]:
    """Say how to start it on an empty database, which is gone after the block."""
    require_installed()
    with scratch_folder(state_dir, "dynalite") as folder:
        yield Program(
            name="dynalite",
            command=("node", str(HOME / "serve.js"), str(folder)),
            environment={"PATH": os.environ.get("PATH", os.defpath)},
        )
