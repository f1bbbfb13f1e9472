"""Cells set as a table of plain text, for a terminal or for a page of docs/. Pure."""

from collections.abc import Sequence

from analysis.report.tables import CellKind, Table

Rows = Sequence[Sequence[str]]


def aligned(rows: Rows, left: Sequence[bool]) -> list[str]:
    """Set rows in columns, each flush left or else right; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if is_left else cell.rjust(width)
            for is_left, cell, width in zip(left, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def markdown(rows: Rows, left: Sequence[bool]) -> str:
    """Set rows as Markdown has tables."""
    rules = ["---" if is_left else "---:" for is_left in left]
    lines = [f"| {' | '.join(row)} |\n" for row in rows]
    return "".join([lines[0], f"|{'|'.join(rules)}|\n", *lines[1:]])


def cells(table: Table) -> tuple[Rows, list[bool]]:
    """Give a page's table as rows, and which of its columns are flush left."""
    heading = tuple(column.heading for column in table.columns)
    left = [column.kind is not CellKind.NUMBER for column in table.columns]
    return [heading, *(row for group in table.groups for row in group.rows)], left
