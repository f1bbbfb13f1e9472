"""Journals that grow in small chunks: a thousand records reach the next one, not 65,536."""

import mmap
from collections.abc import Callable

from history import journal, sealing

SLOTS = 1 << 10


def shorten_chunks(setting: Callable[[object, str, object], object] = setattr) -> None:
    """Let this process write and read such journals; `setting` is setattr, or a test's own."""
    chunk_bytes = SLOTS * journal.SLOT_BYTES
    assert chunk_bytes % mmap.PAGESIZE == 0, "a chunk is mapped"
    setting(journal, "CHUNK_BYTES", chunk_bytes)
    setting(journal, "_CHUNK_BITS", SLOTS.bit_length() - 1)
    setting(journal, "_CHUNK_MASK", SLOTS - 1)
    setting(sealing, "CHUNK_BYTES", chunk_bytes)
