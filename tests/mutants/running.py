"""Running tests against a program that is wrong on purpose, in a copy of the repository."""

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from history.errors import UserError
from tests.mutants.mutant import Mutant
from tests.runs import REPOSITORY

FOLDERS = ("analysis", "bench", "history", "tests")
PROFILE = "mutants"
"""Hypothesis's, see tests/conftest.py: the same examples every time, and none is made smaller."""

EXAMPLES = "100"
PATIENCE_S = 600
"""Wrong programs may also never end."""

_PASSED, _FAILED = 0, 1
_FIRST_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
NEVER_ENDED = "a test that never ended"


@contextmanager
def copied_repository() -> Iterator[Path]:
    """Give a copy of what is tested and of the tests."""
    with TemporaryDirectory(prefix="gapless-mutants-") as folder:
        copy = Path(folder)
        for name in FOLDERS:
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(REPOSITORY / name, copy / name, ignore=ignored)
        shutil.copy(REPOSITORY / "pyproject.toml", copy)
        # By its hash: a mutant may be as long as the original, and written in the same instant.
        by_hash = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(folder, quiet=2, invalidation_mode=by_hash)
        yield copy


def require_all_pass(copy: Path, tests: Sequence[str]) -> None:
    """Make sure that tests pass on the right program, or their failing would say nothing.

    Raises UserError when one does not.
    """
    failed = first_failure(copy, tests)
    if failed:
        raise UserError(f"{failed} fails without any mutant: run make test, then this again")


def caught_by(copy: Path, mutant: Mutant) -> str | None:
    """Give the first test that fails on a mutant, None if none does."""
    path = copy / mutant.file
    original = path.read_text(encoding="utf-8")
    path.write_text(mutant.mutated(original), encoding="utf-8")
    try:
        return first_failure(copy, mutant.tests)
    finally:
        path.write_text(original, encoding="utf-8")


def first_failure(copy: Path, tests: Sequence[str]) -> str | None:
    """Run test files, one after the other; give the first test that fails.

    Raises UserError when they cannot be run at all.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
    command += ["-p", "no:xdist", f"--hypothesis-profile={PROFILE}", *tests]
    try:
        ended = subprocess.run(
            command,
            cwd=copy,
            env=os.environ | {"GAPLESS_ORACLE_EXAMPLES": EXAMPLES},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return NEVER_ENDED
    if ended.returncode == _PASSED:
        return None
    failure = _FIRST_FAILURE.search(ended.stdout)
    if ended.returncode != _FAILED or failure is None:
        raise UserError(f"the tests {' '.join(tests)} could not be run: {ended.stdout[-2000:]}")
    return failure[1]
