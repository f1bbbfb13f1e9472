"""The one error a person can fix, and how the command lines report it."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import TextIO

EXIT_USAGE = 2
"""Exit code for bad usage or unreadable input (argparse uses the same)."""


class UserError(Exception):
    """Something the person at the keyboard can fix.

    The message is one sentence: what happened, where (file:row), what was found, what was
    expected, what to do next. Command lines print it without a traceback and exit with 2.
    """


def run_main(main: Callable[[], int]) -> None:
    """Run a command line's `main` and leave the process with its exit code.

    A UserError becomes one line on stderr and exit code 2. So does any other exception: a
    crash must never leave with 1, which means FAIL. GAPLESS_DEBUG=1 shows its traceback.
    """
    try:
        code = main()
        sys.stdout.flush()
    except UserError as error:
        _complain(str(error))
        code = EXIT_USAGE
    except KeyboardInterrupt:
        _complain("interrupted; what was recorded is kept, see make verify-atomicity")
        code = EXIT_USAGE
    except BrokenPipeError:  # nobody reads what we print (`| head`)
        code = EXIT_USAGE
    except Exception as error:
        if os.environ.get("GAPLESS_DEBUG"):
            raise
        text = " ".join(str(error).split())[:500]
        _complain(
            f"internal error, please report it: {type(error).__name__}: {text} (GAPLESS_DEBUG=1 "
            "shows where)"
        )
        code = EXIT_USAGE
    _let_go(sys.stdout)
    sys.exit(code)


def _complain(sentence: str) -> None:
    text = f"gapless: {sentence}"
    with contextlib.suppress(OSError):  # a disk that is full takes no word of it either
        print(text.encode(errors="backslashreplace").decode(), file=sys.stderr)
    _let_go(sys.stderr)


def _let_go(stream: TextIO) -> None:
    """Write out what a stream still holds, or nowhere: Python's own try would cost the exit code.

    (It leaves with 120 when it cannot.)
    """
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
