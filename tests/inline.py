"""A command line called inside the test's own process.

It saves an interpreter where what is said and the exit code are what is proven. That the process
really ends so is run_main's business, and proven on real processes elsewhere.
"""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest import mock

import pytest

from history.errors import run_main


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command line ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def called(main: Callable[[], int], *arguments: str, **environment: str) -> Ended:
    """Call a command line's `main` with these arguments, in this environment besides ours.

    What of ours is about AWS is not handed on.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, ours | environment, clear=True),
        mock.patch.object(sys, "argv", ["program", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
        signals_restored(),
        pytest.raises(SystemExit) as ended,
    ):
        run_main(main)
    code = ended.value.code
    assert isinstance(code, int)
    return Ended(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


@contextmanager
def signals_restored(
    numbers: Sequence[int] = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
) -> Iterator[None]:
    """Put back what was to be done about these signals: a command line changes it for good."""
    handlers = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
