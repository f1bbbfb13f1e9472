"""The record that is judged, read stretch by stretch: never more in memory than is asked for.

A Record can be gone through as often as need be; each pass names the columns it wants. What
it gives is typed and checked (analysis.cells).
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.cells import typed_batch
from history.errors import UserError
from history.schema import COLUMNS, arrow_type

BATCH_ROWS = 1 << 18
"""Rows a stretch: large enough that numpy's calls cost nothing beside their work, small enough
that all arrays of a stretch together are some ten megabytes."""

TEXT = [column.name for column in COLUMNS if column.type == "text"]


class Record(Protocol):
    """The operations of a history, one row each, in the order of the file."""

    @property
    def rows(self) -> int:
        """How many operations there are."""

    @property
    def names(self) -> frozenset[str]:
        """Which columns of schema.COLUMNS there are."""

    def batches(self, names: Iterable[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Give the position of a stretch's first row, and these of its columns if there.

        Raises UserError when a cell is not what its column needs or the file is damaged.
        """

    def operations(self, rows: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Give whole operations by their positions; blank cells are None."""


def whole(record: Record) -> pa.Table:
    """Give a record as one table, in memory."""
    batches = [batch for _, batch in record.batches(record.names)]
    if batches:
        return pa.Table.from_batches(batches).unify_dictionaries()
    named = [column for column in COLUMNS if column.name in record.names]
    return pa.table({column.name: pa.array([], arrow_type(column)) for column in named})


@dataclass(frozen=True, slots=True)
class TableRecord:
    """A record in memory; its columns are typed already."""

    table: pa.Table

    @property
    def rows(self) -> int:
        """How many operations there are."""
        return int(self.table.num_rows)

    @property
    def names(self) -> frozenset[str]:
        """Which columns of schema.COLUMNS there are."""
        return frozenset(self.table.column_names)

    def batches(self, names: Iterable[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Give the table stretch by stretch."""
        first = 0
        wanted = [name for name in self.table.column_names if name in set(names)]
        for batch in self.table.select(wanted).to_batches(max_chunksize=BATCH_ROWS):
            yield first, batch
            first += batch.num_rows

    def operations(self, rows: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Give whole operations."""
        wanted = sorted(set(rows))
        found: dict[int, dict[str, Any]] = {}
        for first, batch in self.batches(self.names):
            found |= _picked(batch, first, wanted)
        return found


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Consecutive operations of another record, counted from the first of them."""

    whole: Record
    first: int
    rows: int

    @property
    def names(self) -> frozenset[str]:
        """Which columns of schema.COLUMNS there are."""
        return self.whole.names

    def batches(self, names: Iterable[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Give the excerpt stretch by stretch."""
        end = self.first + self.rows
        for at, batch in self.whole.batches(names):
            if at >= end:
                return
            begin = max(at, self.first)
            length = min(at + batch.num_rows, end) - begin
            if length > 0:
                yield begin - self.first, batch.slice(begin - at, length)

    def operations(self, rows: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Give whole operations."""
        found = self.whole.operations(row + self.first for row in rows)
        return {row - self.first: operation for row, operation in found.items()}


def _picked(batch: pa.RecordBatch, first: int, wanted: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Give those of the wanted rows (sorted) that a stretch holds."""
    here = wanted[bisect_left(wanted, first) : bisect_left(wanted, first + batch.num_rows)]
    names = batch.schema.names
    return {row: {name: batch.column(name)[row - first].as_py() for name in names} for row in here}


@dataclass(frozen=True)
class ParquetRecord:
    """A record in a Parquet file, decoded as it is gone through.

    Raises UserError when the file is no Parquet, or lacks a column, or has one of a wrong type.
    """

    path: Path

    @property
    def rows(self) -> int:
        """How many operations there are."""
        return self._opened[0]

    @property
    def names(self) -> frozenset[str]:
        """Which columns of schema.COLUMNS there are."""
        return frozenset(self._opened[1])

    @cached_property
    def _opened(self) -> tuple[int, tuple[str, ...]]:
        # Opened here: given a path, pyarrow would also read columns out of the folders' names.
        with self.path.open("rb") as file, pq.ParquetFile(file) as parquet:
            schema = parquet.schema_arrow
            known = tuple(column.name for column in COLUMNS if column.name in schema.names)
            return parquet.metadata.num_rows, known

    def batches(self, names: Iterable[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Give the file stretch by stretch."""
        yield from self._read(set(names) & self.names, None, 0)

    def _read(
        self, names: set[str] | frozenset[str], groups: list[int] | None, first: int
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        columns = [column.name for column in COLUMNS if column.name in names]
        try:
            with (
                self.path.open("rb") as file,
                pq.ParquetFile(file, read_dictionary=[n for n in columns if n in TEXT]) as parquet,
            ):
                for batch in parquet.iter_batches(BATCH_ROWS, row_groups=groups, columns=columns):
                    cells = dict(zip(batch.schema.names, batch.columns, strict=True))
                    yield (
                        first,
                        typed_batch(
                            cells, batch.num_rows, where=str(self.path), first_row=first + 1
                        ),
                    )
                    first += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.path, error) from error

    def operations(self, rows: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Give whole operations; only the parts of the file that hold them are read."""
        wanted = sorted(set(rows))
        found: dict[int, dict[str, Any]] = {}
        for group, first, end in self._groups():
            if bisect_left(wanted, first) < bisect_left(wanted, end):
                for at, batch in self._read(self.names, [group], first):
                    found |= _picked(batch, at, wanted)
        return found

    def _groups(self) -> list[tuple[int, int, int]]:
        with self.path.open("rb") as file, pq.ParquetFile(file) as parquet:
            sizes = [
                parquet.metadata.row_group(group).num_rows
                for group in range(parquet.metadata.num_row_groups)
            ]
        ends = np.cumsum([0, *sizes]).tolist()
        return [(group, ends[group], ends[group + 1]) for group in range(len(sizes))]


def unreadable(path: Path, error: Exception) -> UserError:
    """Say in a sentence that a file cannot be read."""
    text = " ".join(str(error).split())[:300]
    return UserError(f"{path} cannot be read: {text}")
