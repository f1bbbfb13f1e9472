"""The exit code of a command line says what happened, also where nothing can be written."""

import subprocess
import sys

import pytest

from tests.patience import PATIENCE_S
from tests.runs import REPOSITORY

PROGRAM = """
from history.errors import UserError, run_main

def main():
    print("PASS")
    {ends}

run_main(main)
"""


@pytest.mark.parametrize(
    ("ends", "full", "unbuffered", "code"),
    [
        pytest.param("return 0", "stderr", "", 0, id="nothing to complain of"),
        pytest.param("return 0", "stdout", "", 2, id="the verdict was not told"),
        pytest.param("return 0", "stdout", "1", 2, id="the verdict could not be told"),
        pytest.param("raise UserError('no')", "stderr", "", 2, id="the sentence was not told"),
        pytest.param("raise RuntimeError('no')", "stderr", "1", 2, id="a crash is no FAIL"),
    ],
)
def test_the_exit_code_on_a_full_disk(ends: str, full: str, unbuffered: str, code: int) -> None:
    with open("/dev/full", "w", encoding="utf-8") as disk:  # noqa: PTH123 -- a device
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, full: disk}
        done = subprocess.run(
            [sys.executable, "-S", "-c", PROGRAM.format(ends=ends)],
            cwd=REPOSITORY,
            env={"PYTHONUNBUFFERED": unbuffered},
            timeout=PATIENCE_S,
            check=False,
            **streams,
        )
    assert done.returncode == code
