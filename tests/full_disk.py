"""A generator on a disk that is full, or read-only, once one file has grown.

    python -m tests.full_disk ENOSPC swarm-0.journal swarm --url ...

The arguments: what the system answers, how the name of the file ends that cannot grow, and the
module to run with the rest. A journal can hold its first thousand records, a health record none.
"""

import errno
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

from history import journal
from history.health import SUFFIX as HEALTH_SUFFIX
from tests.short_chunks import shorten_chunks


def fill_disk(
    answer: str, full: str, setting: Callable[[object, str, object], object] = setattr
) -> None:
    """Let one file of this process grow no more; `setting` is setattr, or a test's own."""
    number = getattr(errno, answer)
    allocate, write = os.posix_fallocate, os.write

    def refuse_if_full(descriptor: int) -> None:
        if str(Path(f"/proc/self/fd/{descriptor}").readlink()).endswith(full):
            raise OSError(number, os.strerror(number))

    def allocate_while_there_is_room(descriptor: int, offset: int, length: int) -> None:
        if offset > journal.HEADER_BYTES:
            refuse_if_full(descriptor)
        allocate(descriptor, offset, length)

    def write_while_there_is_room(descriptor: int, content: bytes) -> int:
        if full.endswith(HEALTH_SUFFIX):
            refuse_if_full(descriptor)
        return write(descriptor, content)

    shorten_chunks(setting)
    setting(os, "posix_fallocate", allocate_while_there_is_room)
    setting(os, "write", write_while_there_is_room)


def main() -> None:
    """Run a module."""
    answer, full, module = sys.argv[1:4]
    sys.argv[:4] = [module]
    fill_disk(answer, full)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
