"""From a history file to a record: CSV, JSON lines or Parquet, one row an operation."""

import codecs
import csv
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from analysis.cells import quoted, typed_batch
from analysis.imports import read_foreign
from analysis.record import ParquetRecord, Record, TableRecord, unreadable
from history.errors import UserError
from history.files import refuse_irregular
from history.operation import Returns
from history.schema import COLUMNS

HISTORY_SUFFIXES = (".csv", ".jsonl", ".parquet")
_KNOWN = [column.name for column in COLUMNS]
_REQUIRED = [column.name for column in COLUMNS if column.required]
_ROW_BYTES_MAX = 2**20
_CELL = rb'(?:"[^"]*(?:""[^"]*)*"|[^",]*)'
_WHOLE_LINE = re.compile(_CELL + b"(?:," + _CELL + b")*")
_FIRST_LINE = re.compile(rb"[^\r\n]*")


class LoadedHistory(NamedTuple):
    """A history's record, and what its reader has to say of it (see imports.rows.Imported)."""

    record: Record
    notes: tuple[str, ...] = ()
    returns: Returns | None = None


def load_record(path: Path, format: str | None = None) -> Record:  # noqa: A002
    """Load a history file without its reader's notes; raises UserError as load_imported does."""
    return load_imported(path, format).record


def load_imported(path: Path, format: str | None = None) -> LoadedHistory:  # noqa: A002
    """Load a history file with the notes of its reader; `format` is one of imports.FORMATS.

    A Parquet file is opened only, and decoded as it is gone through. Rows count from 1; a CSV's
    heading is row 1. Extra columns are ignored. Files of other tools are read too
    (analysis.imports). Raises UserError naming file and row when a cell is not what its column
    needs, or the file is unreadable; for Parquet, cells are looked at when they are read.
    """
    try:
        refuse_irregular(path)
        imported = read_foreign(path, format)
        if imported is None:
            return LoadedHistory(_load_own(path))
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist: name a run folder or a history file") from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error
    table = imported.table
    cells = {name: table.column(name).combine_chunks() for name in table.column_names}
    record = _in_memory(cells, table.num_rows, str(path), first_row=1)
    return LoadedHistory(record, imported.notes, imported.returns)


def _load_own(path: Path) -> Record:
    readers = {".csv": _load_csv, ".jsonl": _load_jsonl, ".parquet": _load_parquet}
    if path.suffix not in readers:
        raise UserError(
            f"{path}: expected a run folder or a history file ending in "
            f"{', '.join(HISTORY_SUFFIXES)}, found {path.suffix or 'no ending'}"
        )
    return readers[path.suffix](path)


def _load_parquet(path: Path) -> Record:
    # Opened here: given a path, pyarrow would also read columns out of the folders' names.
    with path.open("rb") as file, pq.ParquetFile(file) as parquet:
        _require_schema(parquet.schema_arrow, str(path))
    return ParquetRecord(path)


def table_record(table: pa.Table, *, where: str) -> Record:
    """Give an Arrow table as a record; raises UserError as for a Parquet file."""
    _require_schema(table.schema, where)
    cells = {
        name: table.column(name).unify_dictionaries().combine_chunks()
        for name in _KNOWN
        if name in table.column_names
    }
    return _in_memory(cells, table.num_rows, where, first_row=1)


def _require_schema(schema: pa.Schema, where: str) -> None:
    _require_columns(schema.names, where)
    _refuse_twice(schema.names, where)
    for column in COLUMNS:
        if column.name not in schema.names:
            continue
        kind = schema.field(column.name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        fits = is_text if column.type == "text" else pa.types.is_integer(kind)
        if not fits and not pa.types.is_null(kind):
            raise UserError(
                f"{where}: column {column.name} has type {kind}, expected "
                f"{'text' if column.type == 'text' else 'integers'}: write it again with that type"
            )


def _load_csv(path: Path) -> Record:
    text = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    _refuse_open_quotes(text, path)
    names = _csv_heading(text, path)
    invalid: list[pyarrow.csv.InvalidRow] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        invalid.append(row)
        return "error"

    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(text),
            read_options=pyarrow.csv.ReadOptions(
                column_names=names, skip_rows=1, use_threads=False, block_size=_ROW_BYTES_MAX
            ),
            parse_options=pyarrow.csv.ParseOptions(
                ignore_empty_lines=False, invalid_row_handler=refuse
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[name for name in _KNOWN if name in names],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if not invalid and "straddling" in str(error):
            raise UserError(
                f"{path}: found a row of more than {_ROW_BYTES_MAX:,} bytes, expected less"
            ) from error
        if not invalid:
            raise
        row = invalid[0]
        raise UserError(
            f"{path}:{row.number}: found {row.actual_columns} cells ({quoted(row.text)}), expected "
            f"{row.expected_columns}"
        ) from error
    cells = {name: table.column(name).combine_chunks() for name in table.column_names}
    return _in_memory(cells, table.num_rows, str(path), first_row=2)


def _refuse_open_quotes(text: bytes, path: Path) -> None:
    """Refuse a line in which a quoted cell stays open: it would swallow the rows that follow.

    (pyarrow's newlines_in_values=False does not: it only says where blocks may be cut.)
    """
    if b'"' not in text:
        return
    for row, line in enumerate(text.splitlines(), start=1):
        if b'"' in line and not _WHOLE_LINE.fullmatch(line):
            found = quoted(line.decode(errors="replace"))
            raise UserError(
                f"{path}:{row}: found {found}, expected quotes only around whole cells, each "
                "closed in its own line"
            )


def _csv_heading(text: bytes, path: Path) -> list[str]:
    heading = _FIRST_LINE.match(text)
    line = heading[0].decode() if heading else ""
    try:
        names = [name.strip() for name in next(csv.reader([line]))]
    except csv.Error as error:
        raise UserError(
            f"{path}:1: found {quoted(line)}, expected a heading of column names ({error})"
        ) from error
    _require_columns(names, str(path))
    _refuse_twice(names, f"{path}:1")
    return names


def _refuse_twice(names: list[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{where}: column {twice[0]} stands twice; keep one of them")


def _load_jsonl(path: Path) -> Record:
    cells: dict[str, list[str]] = {name: [] for name in _KNOWN}
    rows = 0
    with path.open(encoding="utf-8") as file:
        for rows, line in enumerate(file, start=1):
            fields = _json_object(line, path, rows)
            for name in _KNOWN:
                cells[name].append(_json_cell(fields.get(name)))
    arrays = {name: _texts(texts, name, path) for name, texts in cells.items()}
    return _in_memory(arrays, rows, str(path), first_row=1)


def _in_memory(cells: Mapping[str, pa.Array], rows: int, where: str, *, first_row: int) -> Record:
    batch = typed_batch(cells, rows, where=where, first_row=first_row)
    return TableRecord(pa.Table.from_batches([batch]))


def _texts(texts: list[str], name: str, path: Path) -> pa.Array:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError as error:
        row = next(row for row, text in enumerate(texts, start=1) if text == error.object)
        raise UserError(
            f"{path}:{row}: found {quoted(error.object)} in column {name}, expected text without "
            "lone surrogates"
        ) from error


def _json_object(line: str, path: Path, row: int) -> dict[str, object]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path}:{row}: found {quoted(line.rstrip())}, expected a JSON object ({error})"
        ) from error
    if not isinstance(fields, dict):
        raise UserError(f"{path}:{row}: found {quoted(line.rstrip())}, expected a JSON object")
    return fields


def _json_cell(cell: object) -> str:
    """Give the text that the cell would have in a CSV file."""
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else json.dumps(cell)


def _require_columns(names: Iterable[str], where: str) -> None:
    names = list(names)
    missing = sorted(set(_REQUIRED) - set(names))
    if missing:
        raise UserError(
            f"{where}: column {missing[0]} is missing; a history needs the columns "
            f"{', '.join(_REQUIRED)}, found {quoted(','.join(names)) if any(names) else 'none'}"
        )
