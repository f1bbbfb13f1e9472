"""The result of a series of controls as the command line prints it."""

from collections.abc import Sequence

from analysis.controls import Compared, SeriesResult
from analysis.report import controls, formats

_HEADINGS = ("control", "expected", "got", "result", "injected", "operations")
_FIGURES = 2
_BLANK = "-"


def result_lines(result: SeriesResult) -> str:
    """Give the block that is printed: the result, then one line a control."""
    rows = [_cells(found) for found in result.controls]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    problems = [formats.plain(found.problem, 400) for found in result.controls]
    lines = [
        f"  {_aligned(cells, widths)}  {problem}".rstrip().replace("\n", " ")
        for cells, problem in zip((_HEADINGS, *rows), ("", *problems), strict=True)
    ]
    return "\n".join([_heading(result), *lines])


def _heading(result: SeriesResult) -> str:
    problem = f" ({result.problem})" if result.problem else ""
    told = f"{result.result}{problem}  {formats.plain(result.series_id)}\n"
    return f"{told[0].upper()}{told[1:]}  {controls.summary(result)}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    words, figures = len(cells) - _FIGURES, range(len(cells) - _FIGURES, len(cells))
    texts = [cell.ljust(width) for cell, width in zip(cells[:words], widths, strict=False)]
    return "  ".join([*texts, *(cells[at].rjust(widths[at]) for at in figures)])


def _cells(found: Compared) -> tuple[str, ...]:
    seen = found.seen
    return (
        formats.plain(found.control.name),
        controls.expectation(found.control),
        seen.verdict or _BLANK,
        found.result,
        controls.injected(found, _BLANK),
        formats.integer(seen.operations["total"]) if seen.operations else _BLANK,
    )
