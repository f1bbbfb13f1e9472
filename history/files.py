"""Files at the edge: written so that nobody sees half of one, read only if they have an end."""

import os
import stat
from pathlib import Path

from history.errors import UserError

_NAMES = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def refuse_irregular(path: Path) -> None:
    """Refuse what is not a regular file: reading a pipe or a device may never end.

    Raises UserError, and OSError where nothing can be said of the path (it does not exist, or
    its links go round in a circle).
    """
    kind = stat.S_IFMT(path.stat().st_mode)
    if kind != stat.S_IFREG:
        raise UserError(
            f"{path} is {_NAMES.get(kind, 'no regular file')}, expected a regular file: save what "
            "it gives in one"
        )


def write_text_whole(path: Path, text: str) -> None:
    """Write UTF-8 text to a file that is replaced only when the new one is whole.

    Raises UserError when the disk is full or the folder is read-only.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}): make room or choose another "
            "folder, then run again"
        ) from error
