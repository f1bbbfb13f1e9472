"""From journals to one Parquet file, and back to arrays.

Sealing reads every journal of a run, sorts the operations by start and writes them delta
encoded, about 6 bytes an operation. The Parquet file appears under its name only when whole.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from history import schema
from history.errors import UserError
from history.journal import (
    CHUNK_BYTES,
    HEADER_BYTES,
    KINDS,
    NO_TIME,
    OUTCOMES,
    SLOT_BYTES,
    SUFFIX,
    JournalHeader,
    host_name,
    is_being_written,
    read_header,
)
from history.operation import Kind, Outcome, Reason

SLOT_DTYPE = np.dtype(
    [
        ("start_ns", "<i8"),
        ("intended_ns", "<i8"),
        ("worker", "<u4"),
        ("kind", "u1"),
        ("unused_sent", "<u2"),
        ("sent", "u1"),
        ("end_ns", "<i8"),
        ("value", "<i8"),
        ("outcome", "u1"),
        ("attempts", "u1"),
        ("reason", "<u2"),
        ("status", "<u2"),
        ("unused_answered", "u1"),
        ("answered", "u1"),
    ]
)
if SLOT_DTYPE.itemsize != SLOT_BYTES:
    raise AssertionError(SLOT_DTYPE.itemsize)

_TIME_COLUMNS = ("start_ns", "end_ns", "intended_ns", "value", "attempts", "status")
_NO_STATUS = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecords:
    """One journal read back: `slots` has SLOT_DTYPE, one row a request, in sending order.

    `closed_records` is the count its process wrote when it ended in good order, else None.
    `problem` says why records may be missing from it, if they may.
    """

    header: JournalHeader
    closed_records: int | None
    slots: npt.NDArray[np.void]
    problem: str = ""


def read_journal(path: Path) -> JournalRecords:
    """Read one journal, whether or not its process ended in good order.

    Whatever the file holds, what can be read of it is: a damaged journal must not cost the
    others. Raises UserError when a live process is still writing it.
    """
    if is_being_written(path):
        raise UserError(
            f"{path} is still being written by a running process: wait for the load to end, then "
            "run make verify-atomicity again"
        )
    size = path.stat().st_size
    whole = max(0, size - HEADER_BYTES) // SLOT_BYTES
    slots = np.fromfile(path, dtype=SLOT_DTYPE, count=whole, offset=min(size, HEADER_BYTES))
    used = np.flatnonzero(slots["sent"] | slots["answered"])
    slots = slots[: used[-1] + 1 if len(used) else 0]
    try:
        header, closed_records = read_header(path)
    except UserError as error:
        # Killed before its header was written, nothing was sent; otherwise it is damaged.
        problem = str(error) if len(slots) else ""
        return JournalRecords(
            header=_unknown_header(path), closed_records=None, slots=slots, problem=problem
        )
    return JournalRecords(
        header=header,
        closed_records=closed_records,
        slots=slots,
        problem=_problem(closed_records, slots, size),
    )


def _unknown_header(path: Path) -> JournalHeader:
    """Give what the file's name says of its process, where its header cannot."""
    return JournalHeader(
        process=path.stem,
        source=path.stem.rpartition("-")[0],
        host=host_name(),
        boot_id="",
        pid=0,
        wall_ns=0,
        monotonic_ns=0,
    )


def _problem(closed_records: int | None, slots: npt.NDArray[np.void], size: int) -> str:
    if closed_records is None and (size - HEADER_BYTES) % CHUNK_BYTES:
        return "its journal was cut short"
    if closed_records not in (None, len(slots)):
        return f"counted {closed_records:,} operations, its journal holds {len(slots):,}"
    damaged = int(damaged_slots(slots).sum())
    return f"its journal holds {damaged:,} damaged records" if damaged else ""


def damaged_slots(slots: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    """Find slots that no journal writes: skipped ones, or codes that mean nothing."""
    sent, answered = slots["sent"], slots["answered"]
    damaged: npt.NDArray[np.bool_] = (
        (sent != 1)
        | (answered > 1)
        | (slots["kind"] >= len(KINDS))
        | (slots["outcome"] >= len(OUTCOMES))
    )
    return damaged


def read_journals(folder: Path) -> list[JournalRecords]:
    """Read every journal of a folder, in order of file name."""
    return [read_journal(path) for path in sorted(folder.glob(f"*{SUFFIX}")) if path.is_file()]


def operations_table(journals: Sequence[JournalRecords]) -> pa.Table:
    """Join journals into one table of schema.arrow_schema(), sorted by start_ns."""
    tables = [_journal_table(journal) for journal in journals]
    if not tables:
        return schema.arrow_schema().empty_table()
    table = pa.concat_tables(tables).unify_dictionaries()
    return table.take(pc.sort_indices(table, sort_keys=[("start_ns", "ascending")]))


def _journal_table(journal: JournalRecords) -> pa.Table:
    slots, header = journal.slots, journal.header
    damaged = damaged_slots(slots)
    answered = (slots["answered"] == 1) & ~damaged
    # A request that was sent and never answered: its outcome bytes were never written.
    outcome = np.where(answered, slots["outcome"], OUTCOMES.index(Outcome.INDETERMINATE))
    reason = np.where(answered, slots["reason"], Reason.NO_ANSWER)
    reason = np.where(damaged, Reason.DAMAGED_RECORD, reason)
    kind = np.where(damaged, KINDS.index(Kind.INCREMENT), slots["kind"])
    ok = outcome == OUTCOMES.index(Outcome.OK)
    attempts = np.where(answered, slots["attempts"], 1).astype(np.int32)
    workers, worker_codes = np.unique(slots["worker"], return_inverse=True)
    columns = {
        "kind": _text(kind, [str(kind) for kind in KINDS]),
        # A damaged record may be of any request: it counts from the beginning of time.
        "start_ns": pa.array(np.where(damaged, 0, slots["start_ns"])),
        "end_ns": pa.array(slots["end_ns"], mask=~answered),
        "outcome": _text(outcome, [str(outcome) for outcome in OUTCOMES]),
        "value": pa.array(slots["value"], mask=~ok),
        "host": _same(header.host, len(slots)),
        "worker": _text(worker_codes, [f"{header.process}/{worker}" for worker in workers]),
        "source": _same(header.source, len(slots)),
        "intended_ns": pa.array(slots["intended_ns"], mask=slots["intended_ns"] == NO_TIME),
        "attempts": pa.array(attempts),
        "status": pa.array(
            slots["status"].astype(np.int32), mask=~answered | (slots["status"] == _NO_STATUS)
        ),
        "reason": _reasons(reason),
        "process": _same(header.process, len(slots)),
    }
    return pa.table(columns, schema=schema.arrow_schema())


def _text(codes: npt.NDArray[np.integer], words: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(codes.astype(np.int32), words)


def _same(word: str, count: int) -> pa.DictionaryArray:
    return _text(np.zeros(count, dtype=np.int32), [word])


def _reasons(codes: npt.NDArray[np.integer]) -> pa.DictionaryArray:
    distinct, positions = np.unique(codes, return_inverse=True)
    known = {reason.value: reason.label for reason in Reason}
    return _text(positions, [known.get(code, f"code-{code}") for code in distinct.tolist()])


def write_operations(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet; the file appears under its name only when it is whole.

    Raises UserError when the disk is full or the folder is read-only.
    """
    unfinished = path.with_suffix(".unfinished")
    dictionaries = [column.name for column in schema.COLUMNS if column.type == "text"]
    stamped = table.replace_schema_metadata({"gapless_schema_version": str(schema.SCHEMA_VERSION)})
    try:
        pq.write_table(
            stamped,
            unfinished,
            use_dictionary=dictionaries,
            column_encoding=dict.fromkeys(_TIME_COLUMNS, "DELTA_BINARY_PACKED"),
            compression="zstd",
        )
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}): the journals beside it are "
            "kept; make room, then run make verify-atomicity"
        ) from error
