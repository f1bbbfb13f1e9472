"""dynalite, the engine of ENGINE=dynalite: where it is installed, and how it is started."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.engines.child import Program
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
    state_dir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(
        prefix="dynalite-", dir=state_dir, ignore_cleanup_errors=True
    ) as folder:
        yield Program(
            name="dynalite",
            command=("node", str(HOME / "serve.js"), folder),
            environment={"PATH": os.environ.get("PATH", os.defpath)},
        )
