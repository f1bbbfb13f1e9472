"""The journal: one file a process, in which a request is visible before it is sent.

A journal is a header page and then fixed-size slots, written through shared memory maps: a
store is in the page cache as soon as the instruction has run, so `kill -9` of the process at
any instant loses nothing. (A power cut may; then the run is lost as a whole.) Each slot has two
halves, each stored front to back and committed by its last byte: "sent", then "answered". A
slot whose second half was never committed is a request without an answer: indeterminate.

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
from history.operation import Kind, Outcome, Reason

SCHEMA_VERSION = 2
SUFFIX = ".journal"
MAGIC = b"GAPLESSJ"
HEADER_BYTES = mmap.PAGESIZE
SLOT_BYTES = 48
CHUNK_SLOTS = 1 << 16
NO_TIME = -1
"""Stands for "no intended time" in a slot; monotonic clocks start at zero."""

KINDS = (Kind.INCREMENT, Kind.DECREMENT, Kind.READ)
OUTCOMES = (Outcome.INDETERMINATE, Outcome.OK, Outcome.REJECTED)
"""Slot codes are positions in these tuples: append only."""

CHUNK_BYTES = CHUNK_SLOTS * SLOT_BYTES
_CHUNK_BITS = CHUNK_SLOTS.bit_length() - 1
_CHUNK_MASK = CHUNK_SLOTS - 1
# A slot is six 64-bit words, little-endian; history/sealing.py reads the same. One half is one
# struct.pack_into, which stores its words in order: the commit byte is the last one's highest.
#   start · intended · worker (u32), kind (u8), -, -, sent (u8)
#   end · value · outcome, attempts (u8), reason, status (u16), -, answered (u8)
_PACK_HALF = struct.Struct("<qqq").pack_into
_HALF_BYTES = SLOT_BYTES // 2
_KIND_AT = 32
_ATTEMPTS_AT, _REASON_AT, _STATUS_AT = 8, 16, 32
_COMMITTED = 1 << 56
_INCREMENT, _OK, _REJECTED = Kind.INCREMENT, Outcome.OK, Outcome.REJECTED
_OK_CODE, _REJECTED_CODE = OUTCOMES.index(_OK), OUTCOMES.index(_REJECTED)
_HTTP_OK = 200
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


def _answered(outcome: Outcome, reason: int, status: int, attempts: int) -> int:
    """Give the last word of an answered slot."""
    code = _OK_CODE if outcome is _OK else _REJECTED_CODE if outcome is _REJECTED else 0
    return (
        _COMMITTED
        | code
        | min(attempts, 255) << _ATTEMPTS_AT
        | reason << _REASON_AT
        | (status & 0xFFFF) << _STATUS_AT
    )


# An integer is the only reason for ok, and this runs once an answer.
_ANSWERED_OK = _answered(Outcome.OK, Reason.INTEGER, _HTTP_OK, 1)


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

    def begin(
        self,
        worker: int,
        intended_ns: int = NO_TIME,
        kind: Kind = Kind.INCREMENT,
        start_ns: int | None = None,
    ) -> int:
        """Write down that a request is about to be sent; return its slot.

        The start stamp is taken here, before anything is written (unless the caller has just
        taken it), so the interval can only be too wide, which never raises a false alarm.
        """
        if start_ns is None:
            start_ns = self._clock()
        slot = self._count
        index = slot >> _CHUNK_BITS
        if index == len(self._chunks):
            self._grow()
        # Comparing by identity: an enum member's hash is computed in Python, 150 ns.
        code = 0 if kind is _INCREMENT else KINDS.index(kind) << _KIND_AT
        at = (slot & _CHUNK_MASK) * SLOT_BYTES
        _PACK_HALF(self._chunks[index], at, start_ns, intended_ns, worker | code | _COMMITTED)
        self._count = slot + 1
        return slot

    def complete(
        self,
        slot: int,
        seen: Classified,
        status: int = 0,
        attempts: int = 1,
        end_ns: int | None = None,
    ) -> None:
        """Write down what became of a request.

        The end stamp is taken here, first, unless the caller took it when the answer came.
        """
        if end_ns is None:
            end_ns = self._clock()
        outcome, value, reason = seen
        if outcome is _OK and status == _HTTP_OK and attempts == 1:
            answered = _ANSWERED_OK
        else:
            answered = _answered(outcome, reason, status, attempts)
        at = (slot & _CHUNK_MASK) * SLOT_BYTES + _HALF_BYTES
        chunk = self._chunks[slot >> _CHUNK_BITS]
        _PACK_HALF(chunk, at, end_ns, 0 if value is None else value, answered)

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
