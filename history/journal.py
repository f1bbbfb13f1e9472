"""The journal: one file a process, in which a request is visible before it is sent.

A journal is a header page and then fixed-size slots, written through shared memory maps: a
store is in the page cache as soon as the instruction has run, so `kill -9` of the process at
any instant loses nothing. (A power cut may; then the run is lost as a whole.) Each slot is
committed by one byte, stored after the slot's other bytes: first "sent" (1), then "answered"
(2). A slot that never got its second commit is a request without an answer: indeterminate.

Disk space is reserved a chunk ahead with posix_fallocate, since a store into a sparse map on
a full disk would kill the process with SIGBUS; reserving raises OSError instead.
"""

import fcntl
import json
import mmap
import os
import struct
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from history.classify import Classified
from history.errors import UserError
from history.operation import Kind, Outcome

SCHEMA_VERSION = 1
SUFFIX = ".journal"
MAGIC = b"GAPLESSJ"
HEADER_BYTES = mmap.PAGESIZE
SLOT_BYTES = 48
CHUNK_SLOTS = 1 << 16
NO_TIME = -1
"""Stands for "no intended time" in a slot; monotonic clocks start at zero."""

STATE_EMPTY, STATE_SENT, STATE_ANSWERED = 0, 1, 2
KINDS = (Kind.INCREMENT, Kind.DECREMENT, Kind.READ)
OUTCOMES = (Outcome.INDETERMINATE, Outcome.OK, Outcome.REJECTED)
"""Slot codes are positions in these tuples: append only."""

CHUNK_BYTES = CHUNK_SLOTS * SLOT_BYTES
_CHUNK_BITS = CHUNK_SLOTS.bit_length() - 1
_CHUNK_MASK = CHUNK_SLOTS - 1
# A slot: state, kind, outcome, attempts (u8) · reason, status (u16) · worker (u32) · unused
# (u32) · start, intended, end, value (i64). Little-endian; history/sealing.py reads the same.
_PACK_SENT = struct.Struct("<B2xHHIIqq").pack_into  # from `kind`, at byte 1
_PACK_ANSWERED = struct.Struct("<BBHH").pack_into  # from `outcome`, at byte 2
_PACK_END = struct.Struct("<qq").pack_into  # end, value
_END_AT = 32
_INCREMENT, _OK, _REJECTED = Kind.INCREMENT, Outcome.OK, Outcome.REJECTED
_OK_CODE, _REJECTED_CODE = OUTCOMES.index(_OK), OUTCOMES.index(_REJECTED)
_CLOSED_AT = len(MAGIC)
_LENGTH_AT = _CLOSED_AT + 8


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalHeader:
    """Who wrote a journal, and how its clock relates to the wall clock."""

    process: str
    source: str
    host: str
    boot_id: str
    pid: int
    wall_ns: int
    monotonic_ns: int
    schema_version: int = SCHEMA_VERSION


def host_name() -> str:
    """Name the machine whose clock stamps the record."""
    return os.uname().nodename


def boot_id() -> str:
    """Identify this boot: monotonic clocks compare only within one (Linux; else empty)."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Journal:
    """Append operations of one process to one file. Not for use by several threads.

    Raises UserError when the disk is full or the folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        process: str,
        source: str,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        header = JournalHeader(
            process=process,
            source=source,
            host=host_name(),
            boot_id=boot_id(),
            pid=os.getpid(),
            wall_ns=time.time_ns(),
            monotonic_ns=time.monotonic_ns(),
        )
        self.path = path
        self._clock = clock
        self._count = 0
        self._chunks: list[mmap.mmap] = []
        try:
            self._file = path.open("x+b")
            # Held until the process ends, however it ends: nobody seals under a live writer.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.posix_fallocate(self._file.fileno(), 0, HEADER_BYTES)
            self._header = mmap.mmap(self._file.fileno(), HEADER_BYTES)
        except OSError as error:
            raise self._unwritable(error) from error
        text = json.dumps(asdict(header)).encode()
        struct.pack_into("<I", self._header, _LENGTH_AT, len(text))
        self._header[_LENGTH_AT + 4 : _LENGTH_AT + 4 + len(text)] = text
        self._header[: len(MAGIC)] = MAGIC
        self._grow()

    def begin(self, worker: int, intended_ns: int = NO_TIME, kind: Kind = Kind.INCREMENT) -> int:
        """Write down that a request is about to be sent; return its slot.

        The start stamp is taken here, before anything is written, so the interval can only
        be too wide (which never raises a false alarm).
        """
        start_ns = self._clock()
        slot = self._count
        index = slot >> _CHUNK_BITS
        if index == len(self._chunks):
            self._grow()
        chunk = self._chunks[index]
        at = (slot & _CHUNK_MASK) * SLOT_BYTES
        # Comparing by identity: an enum member's hash is computed in Python, 150 ns.
        code = 0 if kind is _INCREMENT else KINDS.index(kind)
        _PACK_SENT(chunk, at + 1, code, 0, 0, worker, 0, start_ns, intended_ns)
        chunk[at] = STATE_SENT
        self._count = slot + 1
        return slot

    def complete(self, slot: int, seen: Classified, status: int = 0, attempts: int = 1) -> None:
        """Write down what became of a request; the end stamp is taken here, first."""
        end_ns = self._clock()
        chunk = self._chunks[slot >> _CHUNK_BITS]
        at = (slot & _CHUNK_MASK) * SLOT_BYTES
        outcome, value, reason = seen
        code = _OK_CODE if outcome is _OK else _REJECTED_CODE if outcome is _REJECTED else 0
        _PACK_ANSWERED(chunk, at + 2, code, min(attempts, 255), reason, status & 0xFFFF)
        _PACK_END(chunk, at + _END_AT, end_ns, 0 if value is None else value)
        chunk[at] = STATE_ANSWERED

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say that the process ended in good order, with how many records it wrote."""
        if self._file.closed:
            return
        struct.pack_into("<Q", self._header, _CLOSED_AT, self._count + 1)
        for chunk in self._chunks:
            chunk.close()
        self._header.close()
        os.ftruncate(self._file.fileno(), HEADER_BYTES + self._count * SLOT_BYTES)
        self._file.close()

    def _grow(self) -> None:
        offset = HEADER_BYTES + len(self._chunks) * CHUNK_BYTES
        try:
            os.posix_fallocate(self._file.fileno(), offset, CHUNK_BYTES)
            self._chunks.append(mmap.mmap(self._file.fileno(), CHUNK_BYTES, offset=offset))
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(
            f"the journal {self.path} cannot be written ({error.strerror}): the load was stopped "
            "and what was recorded is kept; make room or choose another folder, then run again"
        )


def read_header(path: Path) -> tuple[JournalHeader, int | None]:
    """Read a journal's header and the record count its process wrote on closing (else None).

    Raises UserError when the file is not a journal or is newer than this program.
    """
    with path.open("rb") as file:
        page = file.read(HEADER_BYTES)
    if len(page) < HEADER_BYTES or not page.startswith(MAGIC):
        raise UserError(f"{path} is not a journal: its first bytes are {page[:8]!r}, not {MAGIC!r}")
    (length,) = struct.unpack_from("<I", page, _LENGTH_AT)
    try:
        fields = json.loads(page[_LENGTH_AT + 4 : _LENGTH_AT + 4 + length])
        header = JournalHeader(**fields)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} has a damaged header: {error}") from error
    if header.schema_version != SCHEMA_VERSION:
        raise UserError(
            f"{path} has journal schema version {header.schema_version}, this program reads "
            f"{SCHEMA_VERSION}: use the version of Gapless that wrote it"
        )
    (closed,) = struct.unpack_from("<Q", page, _CLOSED_AT)
    return header, closed - 1 if closed else None


def is_being_written(path: Path) -> bool:
    """Tell whether a live process still holds the journal open for writing."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
