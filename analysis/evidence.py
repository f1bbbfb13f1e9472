"""Whole operations as evidence, and the words that numbers are told in."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from analysis.run import Run
from analysis.verdict import Evidence
from history.schema import COLUMNS

_COLUMN_NAMES = [column.name for column in COLUMNS]


def operations_of(run: Run, rows: Iterable[int]) -> tuple[Mapping[str, Any], ...]:
    """Give the operations at these rows of the history, whole; blanks are None."""
    positions = [int(row) for row in rows]
    picked = run.frame.iloc[positions][_COLUMN_NAMES].astype(object)
    picked = picked.where(pd.notna(picked), None)
    return tuple(
        {"row": row} | {str(name): cell for name, cell in operation.items()}
        for row, operation in zip(positions, picked.to_dict("records"), strict=True)
    )


def about(run: Run, summary: str, rows: Iterable[int]) -> Evidence:
    """Give one piece of evidence: a sentence and the operations it speaks of."""
    return Evidence(summary=summary, operations=operations_of(run, rows))


def plural(count: int, one: str, many: str | None = None) -> str:
    """Say a count with its noun: "1 value", "12,345 values"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def duration(ns: int) -> str:
    """Say a duration in the unit that reads best: "3.2 ms"."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if abs(ns) >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns} ns"


def who(operation: Mapping[str, Any]) -> str:
    """Name who made an operation: its worker, or its row where none was recorded."""
    worker = operation.get("worker")
    return str(worker)[:80] if worker else f"row {operation['row'] + 1}"
