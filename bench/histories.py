"""Histories to judge, of any length, written stretch by stretch: right, and wrong in one way.

CONCURRENCY closed-loop clients ask a counter that takes half a millisecond; the file is sorted by
start, as sealed records are.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Int64s = npt.NDArray[np.int64]
Columns = dict[str, Int64s]

CONCURRENCY = 70
STEP_NS = 1_000_000
REACH_NS = STEP_NS // 2 * CONCURRENCY
STRETCH = 1_000_000
UNANSWERED = 0.01
SCHEMA = pa.schema(
    [
        ("start_ns", pa.int64()),
        ("end_ns", pa.int64()),
        ("outcome", pa.dictionary(pa.int32(), pa.string())),
        ("value", pa.int64()),
    ]
)


def _effects(operations: int) -> Iterator[Columns]:
    """Give operations in the order of their effects; `value` is the number each got."""
    rng = np.random.default_rng(1)
    now = 0
    for first in range(0, operations, STRETCH):
        count = min(STRETCH, operations - first)
        effect = now + np.cumsum(rng.integers(1, STEP_NS, count))
        now = int(effect[-1])
        yield {
            "start_ns": effect - rng.integers(0, REACH_NS, count),
            "end_ns": effect + rng.integers(0, REACH_NS, count),
            "value": np.arange(first + 1, first + count + 1),
        }


def _by_start(stretches: Iterator[Columns]) -> Iterator[Columns]:
    """Sort by start: no later stretch begins before the end of this one's effects less a reach."""
    held: Columns = {}
    for stretch in stretches:
        latest = int(stretch["start_ns"].max())
        joined = {n: np.concatenate([held[n], c]) if held else c for n, c in stretch.items()}
        order = np.argsort(joined["start_ns"], kind="stable")
        ready = int(np.searchsorted(joined["start_ns"][order], latest - REACH_NS))
        yield {name: column[order[:ready]] for name, column in joined.items()}
        held = {name: column[order[ready:]] for name, column in joined.items()}
    yield held


def _valid(stretch: Columns, operations: int) -> Columns:  # noqa: ARG001 -- one of HISTORIES
    return stretch


def _duplicate(stretch: Columns, operations: int) -> Columns:
    """One update was lost in the middle: two operations got the same number."""
    value = stretch["value"]
    return stretch | {"value": value - (value > operations // 2)}


def _swap(stretch: Columns, operations: int) -> Columns:
    """Two operations of a tenth and nine tenths of the load got each other's number."""
    value = stretch["value"].copy()
    low, high = operations // 10, operations - operations // 10
    is_low, is_high = value == low, value == high
    value[is_low], value[is_high] = high, low
    return stretch | {"value": value}


HISTORIES: dict[str, Callable[[Columns, int], Columns]] = {
    "valid": _valid,
    "duplicate": _duplicate,
    "swap": _swap,
    "1 % indeterminate": _valid,
}


def write_history(path: Path, kind: str, operations: int) -> None:
    """Write one of HISTORIES as Parquet, in bounded memory."""
    unanswered = UNANSWERED if "indeterminate" in kind else 0.0
    bent = (HISTORIES[kind](stretch, operations) for stretch in _effects(operations))
    rng = np.random.default_rng(2)
    with pq.ParquetWriter(
        path,
        SCHEMA,
        use_dictionary=["outcome"],
        column_encoding=dict.fromkeys(("start_ns", "end_ns", "value"), "DELTA_BINARY_PACKED"),
        compression="zstd",
    ) as writer:
        for stretch in _by_start(bent):
            writer.write_table(_table(stretch, rng.random(len(stretch["value"])) < unanswered))


def _table(stretch: Columns, lost: npt.NDArray[np.bool_]) -> pa.Table:
    outcome = pa.DictionaryArray.from_arrays(
        lost.astype(np.int32), pa.array(["ok", "indeterminate"])
    )
    return pa.table(
        {
            "start_ns": stretch["start_ns"],
            "end_ns": pa.array(stretch["end_ns"], mask=lost),
            "outcome": outcome,
            "value": pa.array(stretch["value"], mask=lost),
        },
        schema=SCHEMA,
    )
