"""Whole operations as evidence, and the words that numbers are told in."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import effects
from analysis.effects import Completed
from analysis.run import Run
from analysis.stretch import Int64s, Stretch
from analysis.verdict import Evidence
from history.operation import Kind
from history.schema import COLUMNS

_DEFAULTS = {"kind": str(Kind.INCREMENT), "attempts": 1}


Operation = Mapping[str, Any]
"""A whole operation: the columns of the history by name, and its `row`; blanks are None."""


def operations_at(run: Run, rows: Iterable[int]) -> dict[int, Operation]:
    """Give the operations at these rows of the history, by row; all are looked up at once."""
    blank = {column.name: _DEFAULTS.get(column.name) for column in COLUMNS}
    found = run.record.operations(int(row) for row in rows)
    return {
        row: {"row": row} | blank | {n: cell for n, cell in operation.items() if cell is not None}
        for row, operation in found.items()
    }


def pieces(
    run: Run, rows_of: Sequence[Sequence[int]], tell: Callable[[int, tuple[Operation, ...]], str]
) -> tuple[Evidence, ...]:
    """Give one piece of evidence for each of several lists of rows.

    `tell` gives the sentence, from the piece's number and its operations.
    """
    found = operations_at(run, [row for rows in rows_of for row in rows])
    evidence = []
    for number, rows in enumerate(rows_of):
        operations = tuple(found[int(row)] for row in rows)
        evidence.append(Evidence(summary=tell(number, operations), operations=operations))
    return tuple(evidence)


def operations_of(run: Run, rows: Sequence[int]) -> tuple[Operation, ...]:
    """Give the operations at these rows, in their order."""
    found = operations_at(run, rows)
    return tuple(found[int(row)] for row in rows)


def about(run: Run, summary: str, rows: Sequence[int]) -> Evidence:
    """Give one piece of evidence: a sentence and the operations it speaks of."""
    return Evidence(summary=summary, operations=operations_of(run, rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Completed operations to look for: of these kinds, with a value in [low, high].

    `start_ns` and `end_ns` are looked for where given. Of those found the `limit` that were sent
    first are kept.
    """

    low: int
    high: int
    kinds: tuple[Kind, ...] = (Kind.INCREMENT,)
    start_ns: int | None = None
    end_ns: int | None = None
    limit: int = 1

    def among(self, done: Completed) -> Int64s:
        """Give the positions, among completed operations, of those that fit."""
        at = np.flatnonzero((done.value >= self.low) & (done.value <= self.high))
        if self.start_ns is not None:
            at = at[done.start[at] == self.start_ns]
        if self.end_ns is not None:
            at = at[done.end[at] == self.end_ns]
        return at


def find(run: Run, wanted: Sequence[Wanted]) -> list[list[int]]:
    """Look operations up in the record, in one pass: the rows of each, first sent first."""
    found: list[list[tuple[int, int]]] = [[] for _ in wanted]
    kinds = {kind for one in wanted for kind in one.kinds}
    for first_row, batch in run.record.batches(effects.COLUMNS) if wanted else ():
        stretch = Stretch(first_row, batch)
        for kind in kinds:
            done = effects.completed(stretch, kind, shift=run.shift)
            if len(done):
                _look(done, kind, wanted, found)
    return [[row for _, row in sorted(rows)] for rows in found]


def _look(
    done: Completed, kind: Kind, wanted: Sequence[Wanted], found: list[list[tuple[int, int]]]
) -> None:
    low, high = int(done.value.min()), int(done.value.max())
    for one, kept in zip(wanted, found, strict=True):
        if kind not in one.kinds or one.high < low or one.low > high:
            continue
        at = one.among(done)
        at = at[np.argsort(done.start[at], kind="stable")[: one.limit]]
        kept.extend(zip(done.start[at].tolist(), done.row[at].tolist(), strict=True))
        kept.sort()
        del kept[one.limit :]


def plural(count: int, one: str, many: str | None = None) -> str:
    """Say a count with its noun: "1 value", "12,345 values"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def duration(ns: int) -> str:
    """Say a duration in the unit that reads best: "3.2 ms"."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        # What three digits would round up to 1000 of a unit is 1 of the next.
        if abs(ns) >= size - size // 2000:
            number = ns / size
            return f"{number:.3g} {unit}" if abs(number) < 999.5 else f"{number:,.0f} {unit}"  # noqa: PLR2004
    return f"{ns} ns"


def who(operation: Mapping[str, Any]) -> str:
    """Name who made an operation: its worker, or its row where none was recorded."""
    worker = operation.get("worker")
    return str(worker)[:80] if worker else f"row {operation['row'] + 1}"


def moment(run: Run, time_ns: int) -> str:
    """Say when something was: the UTC time of a recorded run, or the history's own time."""
    manifest = run.manifest
    if manifest is None or not manifest.wall_minus_monotonic_ns:
        return f"time {time_ns:,} ns"
    seconds, rest = divmod(time_ns + manifest.wall_minus_monotonic_ns, 10**9)
    try:
        when = dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    except (OverflowError, OSError, ValueError):
        return f"time {time_ns:,} ns"
    return f"{when:%H:%M:%S}.{rest // 10**6:03} UTC"
