"""Writing a file so that a reader never sees half of it."""

import os
from pathlib import Path

from history.errors import UserError


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
