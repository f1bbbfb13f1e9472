"""A table of results, written for a terminal or for a page of docs/. Pure."""

from dataclasses import dataclass

from analysis.report.aligned import aligned, markdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Results under a title: one cell a column in each row, and notes below.

    Columns named in `words` hold text and are set flush left, the others numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[str]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a row that is longer or shorter than the heading."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: {len(self.columns)} columns, found the row {row}")

    @property
    def _cells(self) -> tuple[list[tuple[str, ...]], list[bool]]:
        return [self.columns, *self.rows], [name in self.words for name in self.columns]

    def text(self) -> str:
        """Write it for a terminal."""
        lines = [self.title, *(f"  {line}" for line in aligned(*self._cells))]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def markdown(self) -> str:
        """Write it for docs/."""
        notes = "".join(f"\n{note}\n" for note in self.notes)
        return f"{self.title}:\n\n{markdown(*self._cells)}{notes}"
