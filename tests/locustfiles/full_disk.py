"""Locust on a disk that is full once one file has grown: `python -m tests.locustfiles.full_disk`.

The first argument ends the name of the file that cannot grow, the others are Locust's. A journal
holds its first 256 records, a health record nothing.
"""

import errno
import os
import sys
from pathlib import Path

import locust.main

from history import journal
from history.health import SUFFIX as HEALTH_SUFFIX

SLOT_BITS = 8
"""Of a journal's chunk: a whole number of pages, as it is mapped."""


def main() -> None:
    """Run Locust."""
    full = sys.argv.pop(1)
    allocate, write = os.posix_fallocate, os.write

    def refuse_if_full(descriptor: int) -> None:
        if str(Path(f"/proc/self/fd/{descriptor}").readlink()).endswith(full):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def allocate_while_there_is_room(descriptor: int, offset: int, length: int) -> None:
        if offset > journal.HEADER_BYTES:
            refuse_if_full(descriptor)
        allocate(descriptor, offset, length)

    def write_while_there_is_room(descriptor: int, content: bytes) -> int:
        if full.endswith(HEALTH_SUFFIX):
            refuse_if_full(descriptor)
        return write(descriptor, content)

    journal.CHUNK_BYTES = journal.SLOT_BYTES << SLOT_BITS
    journal._CHUNK_BITS = SLOT_BITS
    journal._CHUNK_MASK = (1 << SLOT_BITS) - 1
    os.posix_fallocate = allocate_while_there_is_room  # type: ignore[assignment]
    os.write = write_while_there_is_room  # type: ignore[assignment]
    locust.main.main()


if __name__ == "__main__":
    main()
