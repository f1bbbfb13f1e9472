"""The first thing that runs on a new machine."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.runs import REPOSITORY


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with nothing in it but the bootstrap and its pins."""
    (tmp_path / "runner").mkdir()
    shutil.copy(REPOSITORY / "runner" / "bootstrap.py", tmp_path / "runner")
    (tmp_path / "requirements.txt").write_text("")
    return tmp_path


def bootstrap(clone: Path, *what: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(clone / "runner" / "bootstrap.py"), *(what or ["requirements.txt"])],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=clone,
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


PIP = """
import pathlib, sys
with pathlib.Path("pip.log").open("a") as log:
    print(*sys.argv[1:], file=log)
print("what pip said")
sys.exit(int(pathlib.Path("pip.exit").read_text()))
"""


@pytest.fixture
def pip(clone: Path) -> Path:
    """An environment whose pip writes down how it was called; gives what decides how it ends.

    A real one takes ten seconds to make. `make check` and `make test` make it on a new machine.
    """
    venv.create(clone / ".venv", symlinks=True)
    (packages,) = (clone / ".venv").glob("lib/python*/site-packages")
    (packages / "pip").mkdir()
    (packages / "pip" / "__main__.py").write_text(PIP)
    (clone / "pip.exit").write_text("0")
    return clone / "pip.exit"


def test_installs_once_and_again_when_the_pins_change(clone: Path, pip: Path) -> None:
    first, second = bootstrap(clone), bootstrap(clone)
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.startswith("install: .venv from requirements.txt")
    assert second.stdout == ""
    (called,) = (clone / "pip.log").read_text().splitlines()
    assert called.startswith("install --quiet ")
    assert called.endswith(f" -r {clone / 'requirements.txt'}")

    (clone / "requirements.txt").write_text("other==1\n")
    pip.write_text("1")
    third = bootstrap(clone)
    assert third.returncode == 2
    assert third.stderr == "gapless: pip install failed: what pip said\n"
    # A failed install is not taken for a finished one.
    assert bootstrap(clone).returncode == 2
    pip.write_text("0")
    assert [bootstrap(clone).returncode for _ in range(2)] == [0, 0]
    assert len((clone / "pip.log").read_text().splitlines()) == 4


NPM = """#!/bin/sh
echo "$@" >> npm.log
mkdir -p "$3/node_modules"
exit $(cat npm.exit)
"""


@pytest.fixture
def node(clone: Path) -> Path:
    """A folder of programs: a Node, and an npm that writes down how it was called."""
    programs = clone / "programs"
    programs.mkdir()
    for name, text in (("node", "#!/bin/sh\necho v20.1.0\n"), ("npm", NPM)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    home = clone / "deploy" / "local" / "engines" / "dynalite"
    home.mkdir(parents=True)
    (home / "package-lock.json").write_text("{}")
    (clone / "npm.exit").write_text("0")
    return programs


def install(clone: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    return bootstrap(clone, "dynalite", PATH=f"{programs}:/usr/bin:/bin")


def test_dynalite_installs_once_and_again_when_the_pins_change(clone: Path, node: Path) -> None:
    log = clone / "npm.log"
    first = install(clone, node)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("install: dynalite from package-lock.json")
    assert log.read_text().startswith("ci --prefix ")
    assert " --ignore-scripts " in log.read_text()
    second = install(clone, node)
    assert (second.returncode, second.stdout) == (0, "")
    (clone / "deploy" / "local" / "engines" / "dynalite" / "package-lock.json").write_text("{ }")
    (clone / "npm.exit").write_text("1")
    third = install(clone, node)
    assert third.returncode == 2
    assert third.stderr == "gapless: npm ci failed: no output\n"
    assert install(clone, node).returncode == 2  # not taken for a finished one
    (clone / "npm.exit").write_text("0")
    assert install(clone, node).returncode == 0
    assert len(log.read_text().splitlines()) == 4


def test_two_installations_at_once_are_one(clone: Path, node: Path) -> None:
    command = [sys.executable, str(clone / "runner" / "bootstrap.py"), "dynalite"]
    environment = {**os.environ, "PATH": f"{node}:/usr/bin:/bin"}
    both = [subprocess.Popen(command, env=environment, cwd=clone) for _ in range(2)]
    assert [process.wait(PATIENCE_S) for process in both] == [0, 0]
    assert len((clone / "npm.log").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("program", "text", "sentence"),
    [
        pytest.param("npm", None, "needs Node.js and npm, which are not there: install", id="none"),
        pytest.param("node", "#!/bin/sh\necho v16.9.0\n", "Node.js v16.9.0 is too old", id="old"),
    ],
)
def test_no_node_for_dynalite_is_one_sentence(
    clone: Path, node: Path, program: str, text: str | None, sentence: str
) -> None:
    if text is None:
        (node / program).unlink()
    else:
        (node / program).write_text(text)
    done = bootstrap(clone, "dynalite", PATH=str(node))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
