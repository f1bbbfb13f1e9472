"""The close-up: a few operations as bars in time, around the evidence or the busiest moment."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.report import charts, formats, series
from analysis.report.image import FigureImage, framed
from analysis.report.plots import Axis, Size, Span, SpanPlot
from analysis.report.timeline import Int64s, Timeline
from analysis.run import Run
from analysis.verdict import Finding, Judgement, Verdict

NEIGHBOURS = 10
"""So many operations are shown on either side of the one in focus."""
FOCUS_CAP = 6
"""So many operations of one piece of evidence are shown."""
_NOTE_LIMIT = 24
_MARGIN = 0.03
_UP, _DOWN = "\u2191", "\u2193"
_NS_PER_MS = 1e6


def figure(run: Run, line: Timeline, judgement: Judgement) -> FigureImage | None:
    """Draw the operations around the first evidence; without any, around the fullest moment."""
    ordered = _ordered(run, line)
    if not len(ordered):
        return None
    finding, focus = _focus(judgement, line)
    rows = _rows(run, line, ordered, focus)
    spans, first_ns = _spans(run, line, rows, ordered, set(focus))
    words = _words(finding)
    plot = SpanPlot(
        title=f"{words} (n = {len(rows):,d} of {len(line):,d} operations)",
        x=_axis(spans, first_ns),
        y_label="value answered, in order of time" if run.is_mixed else "value answered",
        spans=spans,
    )
    wide, narrow = (charts.draw_spans(plot, size) for size in Size)
    return framed(
        "close-up",
        "Close up",
        wide,
        narrow,
        alt=f"{words}: {len(rows)} operations as horizontal bars from send to answer, each "
        f"labelled with its value. {_told(line, focus)}",
        caption=_caption(run, focus),
    )


def _ordered(run: Run, line: Timeline) -> Int64s:
    """Give the rows that were answered with a value, by value; with decrements, by time."""
    rows = np.flatnonzero(line.ok & line.ended & line.valued)
    keys = (line.end[rows],) if run.is_mixed else (line.start[rows], line.value[rows])
    return rows[np.lexsort(keys)]


def _focus(judgement: Judgement, line: Timeline) -> tuple[Finding | None, list[int]]:
    """Choose the first evidence that names operations of this history, failures first."""
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        for finding in judgement.findings:
            if finding.verdict is verdict:
                for piece in finding.evidence:
                    rows = _row_numbers(piece.operations, line)
                    if rows:
                        return finding, rows[:FOCUS_CAP]
    return None, []


def _row_numbers(operations: Sequence[Mapping[str, Any]], line: Timeline) -> list[int]:
    found = [operation.get("row") for operation in operations]
    rows = [row - line.first_row for row in found if isinstance(row, int)]
    return [row for row in rows if 0 <= row < len(line)]


def _rows(run: Run, line: Timeline, ordered: Int64s, focus: list[int]) -> Int64s:
    """Give the rows to show, in order: those in focus among their neighbours."""
    ends = line.end[ordered]
    place = np.empty(len(line))
    place[:] = -1.0
    place[ordered] = np.arange(len(ordered))
    if focus:
        for row in focus:
            if place[row] < 0:
                start = float(line.start[row])
                place[row] = (
                    float(np.searchsorted(ends, start)) - 0.5
                    if run.is_mixed
                    else _place_without_value(line, ordered, start)
                )
        centre = int(place[focus[0]])
    else:
        starts = np.sort(line.start[line.ended])
        counts = series.open_at(starts, np.sort(line.end[line.ended]), starts)
        fullest = np.flatnonzero(counts == counts.max())
        # Of many such moments the middle one: at the first, the load is only just starting.
        centre = int(np.argmin(np.abs(ends - starts[fullest[len(fullest) // 2]])))
    near = ordered[max(centre - NEIGHBOURS, 0) : centre + NEIGHBOURS + 1]
    rows = np.unique(np.concatenate((near, np.array(focus, dtype=np.int64))))
    return rows[np.argsort(place[rows], kind="stable")]


def _place_without_value(line: Timeline, ordered: Int64s, start: float) -> float:
    """Find where an unanswered operation belongs: at the first hole it can have filled.

    It can if no larger number was answered before it was sent (CHECKERS.md A, 3).
    """
    ends, value = line.end[ordered], line.value[ordered]
    earliest = np.minimum.accumulate(ends[::-1])[::-1]
    holes = np.flatnonzero(value[1:].view(np.uint64) - value[:-1].view(np.uint64) > 1)
    open_holes = holes[earliest[holes + 1] >= start]
    if len(open_holes):
        return float(open_holes[0]) + 0.5
    return float(np.searchsorted(earliest, start)) - 0.5


def _spans(
    run: Run, line: Timeline, rows: Int64s, ordered: Int64s, focus: set[int]
) -> tuple[list[Span], float]:
    first, last = line.start[rows].min(), max(line.end[rows].max(), line.start[rows].max())
    edge = (last - first) * (1 + _MARGIN) / _NS_PER_MS or 1.0
    holes = {} if run.is_mixed else _holes(line, ordered)
    spans = []
    for row in rows.tolist():
        start, end = (float(at - first) / _NS_PER_MS for at in (line.start[row], line.end[row]))
        emphasis, ended = row in focus, bool(line.ended[row])
        spans.append(
            Span(
                label=_label(run, line, row),
                bar=(start, end if ended else edge),
                emphasis=emphasis,
                open_end=not ended,
                note=formats.plain(_worker(run, row), _NOTE_LIMIT) if emphasis else "",
            )
        )
        if row in holes and row != rows[-1]:
            spans.append(Span(label=holes[row]))
    return spans, float(first)


def _label(run: Run, line: Timeline, row: int) -> str:
    """Give what an operation was answered, and beside decrements which way it went."""
    told = f"{line.value[row]:,d}" if line.valued[row] else "no value"
    if not run.is_mixed:
        return told
    return f"{told} {_DOWN if line.decrement[row] else _UP}"


def _axis(spans: list[Span], first_ns: float) -> Axis:
    last = max((span.bar[1] for span in spans if span.bar), default=0.0) or 1.0
    label = f"milliseconds, from {first_ns / 1e9:,.6f} s after the first request"
    return Axis(label=label, low=-_MARGIN * last, high=(1 + _MARGIN) * last)


def _holes(line: Timeline, ordered: Int64s) -> dict[int, str]:
    """Say what is missing after a row, where something is: row → "12 missing"."""
    value = line.value[ordered]
    steps = value[1:].view(np.uint64) - value[:-1].view(np.uint64)
    at = np.flatnonzero(steps > 1)[:100_000]
    pairs = zip(ordered[at].tolist(), value[at].tolist(), steps[at].tolist(), strict=True)
    return {
        row: f"{low + 1:,d} missing" if step == 2 else f"{step - 1:,d} missing"  # noqa: PLR2004
        for row, low, step in pairs
    }


def _worker(run: Run, row: int) -> str:
    worker = run.frame["worker"].iloc[row]
    return worker if isinstance(worker, str) else ""


def _words(finding: Finding | None) -> str:
    if finding is None:
        return "The moment with most requests in flight"
    return f"Around the first evidence of “{formats.plain(finding.check, _NOTE_LIMIT)}”"


def _told(line: Timeline, focus: list[int]) -> str:
    told = [
        f"row {row:,d} with {f'value {line.value[row]:,d}' if line.valued[row] else 'no value'}"
        for row in focus
    ]
    return f"In focus: {', '.join(told)}." if told else ""


def _caption(run: Run, focus: list[int]) -> str:
    bars = "Each bar runs from the send to the answer of one request; neighbours are those next in "
    near = (
        f"time of the answer, {_UP} is an increment and {_DOWN} a decrement"
        if run.is_mixed
        else "value"
    )
    marked = " Thick bars are the operations named in the evidence, with their worker."
    return f"{bars}{near}. A bar with an arrowhead got no answer.{marked if focus else ''}"
