"""The one error a person can fix, and how the command lines report it."""

import sys
from collections.abc import Callable

EXIT_USAGE = 2
"""Exit code for bad usage or unreadable input (argparse uses the same)."""


class UserError(Exception):
    """Something the person at the keyboard can fix.

    The message is one sentence: what happened, where (file:row), what was found, what was
    expected, what to do next. Command lines print it without a traceback and exit with 2.
    """


def run_main(main: Callable[[], int]) -> None:
    """Run a command line's `main` and leave the process with its exit code.

    A UserError becomes one line on stderr and exit code 2.
    """
    try:
        code = main()
    except UserError as error:
        print(f"gapless: {error}", file=sys.stderr)
        code = EXIT_USAGE
    sys.exit(code)
