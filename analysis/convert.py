"""Writing a history file: CSV, JSON lines or Parquet, whole and exactly, or not at all."""

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from analysis.load import HISTORY_SUFFIXES, load_record
from analysis.record import Record, whole
from history import schema
from history.errors import UserError
from history.schema import COLUMNS

_ROWS_AT_ONCE = 50_000
_ARROW = {"int64": pa.int64(), "int32": pa.int32(), "text": pa.string()}


def write_history(record: Record, path: Path, *, force: bool = False) -> None:
    """Write a loaded history to a file named by its ending; columns that say nothing are left out.

    The file takes its name only when it was read back and is what the record is. Raises UserError
    where it exists already and force is not given, cannot be written, or cannot tell the record.
    """
    if path.suffix not in _WRITERS:
        raise UserError(
            f"{path}: expected a file ending in {', '.join(HISTORY_SUFFIXES)}, found "
            f"{path.suffix or 'no ending'}"
        )
    if os.path.lexists(path) and not force:
        raise UserError(f"{path} exists: name another file, or replace it with --force")
    unfinished = path.with_name(f".unfinished-{path.name}")
    try:
        with unfinished.open("wb") as file:
            _WRITERS[path.suffix](_table(record), file)
            file.flush()
            os.fsync(file.fileno())
        _refuse_changed(record, unfinished, path)
        unfinished.replace(path)
    except (OSError, pa.ArrowException) as error:
        text = getattr(error, "strerror", None) or " ".join(str(error).split())[:300]
        raise UserError(f"{path} cannot be written: {text}") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _table(record: Record) -> pa.Table:
    """Give the columns that a reader could not fill in by itself, text as plain strings."""
    table = whole(record)
    columns = {}
    for column in COLUMNS:
        if column.name not in table.column_names:
            continue
        cells = table.column(column.name)
        if column.name == "attempts":
            cells = cells.fill_null(1)
            if pc.all(pc.equal(cells, 1)).as_py():
                continue
        if column.required or column.name == "kind" or cells.null_count < len(cells):
            columns[column.name] = cells.cast(_ARROW[column.type])
    return pa.table(columns)


def _write_csv(table: pa.Table, file: BinaryIO) -> None:
    heading = ",".join(table.column_names).encode() + b"\n"
    for style in ("none", "needed"):  # Arrow quotes every text if it may quote any
        file.seek(0)
        file.truncate()
        file.write(heading)
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style=style)
        with contextlib.suppress(pa.ArrowInvalid):
            pyarrow.csv.write_csv(table, file, options)
            return
    raise UserError("a text in this history fits no CSV: write a .parquet file")


def _write_jsonl(table: pa.Table, file: BinaryIO) -> None:
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        rows = ({k: v for k, v in row.items() if v is not None} for row in batch.to_pylist())
        file.write("".join(json.dumps(row) + "\n" for row in rows).encode())


def _write_parquet(table: pa.Table, file: BinaryIO) -> None:
    numbers = [c.name for c in COLUMNS if c.type != "text" and c.name in table.column_names]
    texts = [c.name for c in COLUMNS if c.type == "text" and c.name in table.column_names]
    for name in texts:  # the loader takes a dictionary's words as they are
        position = table.column_names.index(name)
        table = table.set_column(position, name, table.column(name).dictionary_encode())
    version = {"gapless_schema_version": str(schema.SCHEMA_VERSION)}
    pq.write_table(
        table.replace_schema_metadata(version),
        file,
        use_dictionary=texts,
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
        compression="zstd",
    )


_WRITERS: Mapping[str, Callable[[pa.Table, BinaryIO], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}


def _refuse_changed(record: Record, written: Path, path: Path) -> None:
    """Refuse a file that says something else: CSV cannot tell every text."""
    try:
        again = load_record(written, "history")
    except UserError as error:
        told = str(error).replace(str(written), str(path))
        raise UserError(f"{path} would not be readable ({told}): write a .parquet file") from error
    before, after = _table(record), _table(again)
    if before.equals(after):
        return
    for name in before.column_names:
        pairs = zip(_cells(before, name), _cells(after, name), strict=False)
        row = next((row for row, (one, two) in enumerate(pairs, start=1) if one != two), None)
        if row is not None:
            raise UserError(
                f"{path} cannot tell the {name} of operation {row} as it is: write a .parquet file"
            )
    raise UserError(f"{path} cannot tell this history as it is: write a .parquet file")


def _cells(table: pa.Table, name: str) -> list[object]:
    return table.column(name).to_pylist() if name in table.column_names else [None] * len(table)
