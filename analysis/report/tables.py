"""Tables as the page shows them: text cells, already formatted, nothing escaped yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class CellKind(StrEnum):
    """How a column's cells are set: words, figures, or things to copy."""

    TEXT = "text"
    NUMBER = "number"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and how its cells are set."""

    heading: str
    kind: CellKind = CellKind.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroup:
    """Rows under a heading of their own; without one, just rows. The first cell names a row."""

    heading: str = ""
    note: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; `total` says that its last row sums the others up."""

    caption: str
    columns: tuple[Column, ...]
    groups: tuple[RowGroup, ...]
    total: bool = False
    compact: bool = False


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    total: bool = False,
) -> Table:
    """Make a table of one group of rows."""
    group = RowGroup(rows=tuple(tuple(row) for row in rows))
    return Table(caption=caption, columns=tuple(columns), groups=(group,), total=total)


def numbers(*headings: str) -> tuple[Column, ...]:
    """Make columns of figures."""
    return tuple(Column(heading, CellKind.NUMBER) for heading in headings)
