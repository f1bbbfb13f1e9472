"""A terminal that a program believes in, and what stands on its screen."""

import codecs
import errno
import fcntl
import os
import pty
import re
import select
import struct
import termios
from typing import Self

from tests.patience import PATIENCE_S

_SEQUENCE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|([^\x1b])", re.DOTALL)


class Terminal:
    """A pseudo-terminal of so many columns; a context manager.

    The program gets `stream`. `read_all` reads until every copy of that is closed.
    """

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self._reader, self.stream = pty.openpty()
        fcntl.ioctl(self.stream, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_stream()
        self.hang_up()

    def close_stream(self) -> None:
        """Close our own copy of the program's side."""
        if self.stream >= 0:
            os.close(self.stream)
            self.stream = -1

    def hang_up(self) -> None:
        """Close the window: what is written from now on meets an error."""
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def read(self) -> str:
        """Give what was written since; waits for something, "" when all have closed it."""
        written = ""
        while not written:  # half a character is nothing yet
            assert select.select([self._reader], [], [], PATIENCE_S)[0], "nothing more is written"
            try:
                piece = os.read(self._reader, 1 << 16)
            except OSError as error:
                if error.errno == errno.EIO:
                    return ""
                raise
            written = self._decoder.decode(piece)
        return written

    def read_until(self, text: str) -> str:
        """Read on until this was written."""
        written = ""
        while text not in written:
            more = self.read()
            assert more, f"ended without {text!r}: {written!r}"
            written += more
        return written

    def read_all(self) -> str:
        """Read until every copy of the program's side is closed."""
        self.close_stream()
        written = ""
        while more := self.read():
            written += more
        return written


def screen(written: str, columns: int) -> list[str]:
    """Give the lines that stand on an endless screen after this was written to it.

    Knows what rich writes, no more; the cursor must be shown again in the end.
    """
    lines = [""]
    line = column = 0
    hidden = False
    position = 0
    while position < len(written):
        found = _SEQUENCE.match(written, position)
        assert found, written[position : position + 20]
        position = found.end()
        private, number, command, character = found.groups()
        if character == "\r":
            column = 0
        elif character == "\n":
            line += 1
        elif character:
            if column == columns:  # a full line goes on below, which leaves ghosts behind
                line, column = line + 1, 0
            lines += [""] * (line + 1 - len(lines))
            lines[line] = lines[line][:column].ljust(column) + character + lines[line][column + 1 :]
            column += 1
        elif command == "A":
            line -= int(number or 1)
        elif command == "K":
            assert number == "2"
            lines[line] = ""
        elif private:
            hidden = command == "l"
        else:
            assert command == "m", found[0]
        lines += [""] * (line + 1 - len(lines))
    assert not hidden
    return [text.rstrip() for text in lines]
