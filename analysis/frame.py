"""The record as pandas has it, both ways: nothing is rounded, nothing guessed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis import arrow
from analysis.cells import typed_batch
from analysis.load import load_record
from analysis.record import Record, TableRecord, whole
from history.errors import UserError
from history.operation import Kind
from history.schema import COLUMNS, Column

_EXACT_FLOAT = 2**53


def load_history(path: Path, format: str | None = None) -> pd.DataFrame:  # noqa: A002
    """Load a history file into a frame, as frame_of; raises UserError as load_record does."""
    return frame_of(load_record(path, format))


def frame_of(record: Record) -> pd.DataFrame:
    """Give a record as a frame with every column of schema.COLUMNS, one row an operation.

    int64 for start_ns, Int64 (nullable) for the other numbers, category for text; kind and
    attempts have their defaults where the history says nothing.
    """
    table = whole(record)
    return pd.DataFrame(
        {
            column.name: _series(table.column(column.name).combine_chunks(), column)
            if column.name in table.column_names
            else _absent(column, record.rows)
            for column in COLUMNS
        }
    )


def _series(cells: pa.Array, column: Column) -> pd.Series:
    if column.type == "text":
        return pd.Series(cells.to_pandas())
    values = (
        cells.fill_null(1 if column.name == "attempts" else 0)
        .cast(pa.int64())
        .to_numpy(zero_copy_only=False)
    )
    if column.name == "start_ns":
        return pd.Series(values)
    missing = ~arrow.present(cells) if column.name != "attempts" else np.zeros(len(cells), bool)
    return pd.Series(pd.arrays.IntegerArray(values.copy(), missing.copy()))


def _absent(column: Column, rows: int) -> pd.Series:
    if column.name == "kind":
        kinds = pd.Index([str(Kind.INCREMENT)])
        return pd.Series(pd.Categorical.from_codes(np.zeros(rows, dtype=np.int8), categories=kinds))
    if column.name == "attempts":
        return pd.Series(np.ones(rows, dtype=np.int64), dtype="Int64")
    if column.type == "text":
        nothing = np.full(rows, -1, dtype=np.int8)
        return pd.Series(pd.Categorical.from_codes(nothing, categories=pd.Index([], dtype="str")))
    return pd.Series(pd.arrays.IntegerArray(np.zeros(rows, np.int64), np.ones(rows, bool)))


def record_of(frame: pd.DataFrame) -> TableRecord:
    """Give a frame as a record; columns by name as in schema.COLUMNS, others are ignored.

    Raises UserError when a column is missing or twice there, or a cell is not what its column
    needs; rows count from 1.
    """
    names = [str(name) for name in frame.columns]
    missing = [c.name for c in COLUMNS if c.required and c.name not in names]
    if missing:
        raise UserError(
            f"the frame has no column {missing[0]}: a history needs the columns "
            f"{', '.join(column.name for column in COLUMNS if column.required)}"
        )
    cells = {column.name: _cells(frame, column) for column in COLUMNS if column.name in names}
    batch = typed_batch(cells, len(frame), where="frame", first_row=1)
    return TableRecord(pa.Table.from_batches([batch]))


def _cells(frame: pd.DataFrame, column: Column) -> pa.Array:
    if list(frame.columns).count(column.name) > 1:
        raise UserError(f"the frame has column {column.name} twice: keep one of them")
    series = frame[column.name]
    if pd.api.types.is_float_dtype(series.dtype):
        return _from_floats(series, column)
    if column.type == "text" or not pd.api.types.is_integer_dtype(series.dtype):
        texts = [None if pd.isna(cell) else str(cell) for cell in series]
        return pa.array(texts, pa.string())
    return pa.Array.from_pandas(series)


def _from_floats(series: pd.Series, column: Column) -> pa.Array:
    """Take integers that a blank among them turned into floats, where that lost nothing."""
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    blank = np.isnan(numbers)
    whole_numbers = blank | ((numbers == np.rint(numbers)) & (np.abs(numbers) < _EXACT_FLOAT))
    if column.type == "text" or not whole_numbers.all():
        row = int(np.argmin(whole_numbers)) if not whole_numbers.all() else 0
        raise UserError(
            f"frame:{row + 1}: found {float(numbers[row])!r} in column {column.name}, expected "
            f"{'text' if column.type == 'text' else 'an integer'}: floats cannot hold every "
            "64-bit integer, use Int64"
        )
    return pa.array(np.where(blank, 0, numbers).astype(np.int64), mask=blank)
