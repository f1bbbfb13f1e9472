"""The first thing that runs on a new machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import REPOSITORY


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with nothing in it but the bootstrap and its pins."""
    (tmp_path / "runner").mkdir()
    shutil.copy(REPOSITORY / "runner" / "bootstrap.py", tmp_path / "runner")
    (tmp_path / "requirements.txt").write_text("")
    return tmp_path


def bootstrap(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(clone / "runner" / "bootstrap.py"), "requirements.txt"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_venv_module(clone: Path) -> None:
    # Debian's python3 without python3-venv: importing ensurepip fails.
    (clone / "without").mkdir()
    (clone / "without" / "ensurepip.py").write_text("raise ImportError")
    done = bootstrap(clone, PYTHONPATH=str(clone / "without"))
    assert done.returncode == 2
    assert done.stderr.startswith("gapless: this Python (")
    assert "has no venv module: install it" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (clone / ".venv").exists()


def test_installs_once_and_again_when_the_pins_change(clone: Path) -> None:
    first, second = bootstrap(clone), bootstrap(clone)
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.startswith("install: .venv from requirements.txt")
    assert second.stdout == ""

    (clone / "requirements.txt").write_text("=broken\n")
    third = bootstrap(clone)
    assert third.returncode == 2
    assert third.stderr.startswith("gapless: pip install failed: ")
    assert third.stderr.count("\n") == 1
    # A failed install is not taken for a finished one.
    assert bootstrap(clone).returncode == 2
