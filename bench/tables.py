"""A table of results, written for a terminal or for a page of docs/. Pure."""

from dataclasses import dataclass


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

    def text(self) -> str:
        """Write it for a terminal."""
        widths = [max(map(len, cells)) for cells in zip(self.columns, *self.rows, strict=True)]
        lines = [self.title]
        for row in (self.columns, *self.rows):
            cells = [
                cell.ljust(width) if name in self.words else cell.rjust(width)
                for name, cell, width in zip(self.columns, row, widths, strict=True)
            ]
            lines.append("  " + "  ".join(cells).rstrip())
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def markdown(self) -> str:
        """Write it for docs/."""
        rules = ["---" if name in self.words else "---:" for name in self.columns]
        lines = [f"| {' | '.join(row)} |" for row in (self.columns, *self.rows)]
        lines.insert(1, f"|{'|'.join(rules)}|")
        notes = "".join(f"\n{note}\n" for note in self.notes)
        return f"{self.title}:\n\n" + "\n".join(lines) + "\n" + notes
