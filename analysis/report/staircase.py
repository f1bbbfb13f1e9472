"""The staircase: every value against the time it was answered, and what is wrong with it."""

from dataclasses import dataclass

import numpy as np

from analysis.report import formats, plots, series
from analysis.report.image import FigureImage, image
from analysis.report.plots import Axis, Marks, Plot
from analysis.report.timeline import Float64s, Int64s, Timeline, elapsed_ns
from analysis.run import Run
from analysis.stretch import NEVER_NS
from history.operation import INT64_MAX, INT64_MIN

SLICES = 400
"""Of each of so many slices of time the smallest and the largest value are drawn."""
MARKS_CAP = 200
"""So many marks of one kind are drawn, spread evenly over all there are."""


_LEGEND = (
    "A correct counter climbs; only requests in flight at the same time may be answered in "
    "either order."
)
_LEGEND_OF_MIXED = (
    "With increments and decrements mixed, a correct counter goes up and down by one at a time and "
    "numbers come back, so that no number is wrong by itself: what does not add up is listed under "
    "Evidence."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of irregularity: values as answered, times in seconds, and how many there are."""

    label: str
    value: Int64s
    at_s: Float64s
    total: int
    colour: str
    marker: str
    hollow: bool = False


def faults(run: Run, line: Timeline) -> list[Fault]:
    """Find what can be marked: repeated, late and missing numbers (increments only)."""
    if run.is_mixed or not len(run.increments):
        return []
    found = [_repeated(run, line), _late(run, line)]
    if line.is_whole:  # of an excerpt, what was answered outside is missing too
        found.append(_missing(run, line))
    return [fault for fault in found if fault.total]


def _repeated(run: Run, line: Timeline) -> Fault:
    value = run.increments.value
    same = np.zeros(len(value), dtype=bool)
    same[1:] = value[1:] == value[:-1]
    same[:-1] |= same[1:]
    at = np.flatnonzero(same)
    return _fault(run, line, at, label="same number again", colour=plots.VERMILLION, marker="x")


def _late(run: Run, line: Timeline) -> Fault:
    at = np.flatnonzero(series.late(run.increments.value, run.increments.start, run.increments.end))
    return _fault(run, line, at, label="out of order", colour=plots.PURPLE, marker="v")


def _fault(run: Run, line: Timeline, at: Int64s, *, label: str, colour: str, marker: str) -> Fault:
    shown = at[series.spread(len(at), MARKS_CAP)]
    rows = run.increments.row[shown]
    return Fault(
        label=label,
        value=line.value[rows],
        at_s=line.end[rows] / 1e9,
        total=len(at),
        colour=colour,
        marker=marker,
    )


def _missing(run: Run, line: Timeline) -> Fault:
    """Mark the first number of every hole, when a number above it was answered."""
    value, end = _framed(run, run.increments.value, run.increments.end)
    earliest = np.minimum.accumulate(end[::-1])[::-1]
    steps = value[1:].view(np.uint64) - value[:-1].view(np.uint64)
    at = np.flatnonzero(steps > 1)
    total = sum((steps[at] - np.uint64(1)).tolist())
    shown = at[series.spread(len(at), MARKS_CAP)]
    origin = np.int64(line.origin_ns)
    return Fault(
        label="missing",
        value=value[shown] + 1 - run.shift,
        at_s=np.minimum(elapsed_ns(earliest[shown + 1], origin), line.last_ns) / 1e9,
        total=total,
        colour=plots.ORANGE,
        marker="o",
        hollow=True,
    )


def _framed(run: Run, value: Int64s, end: Int64s) -> tuple[Int64s, Int64s]:
    """Put the known initial and final value around those answered: holes may lie there too."""
    low, high = int(value[0]), int(value[-1])
    before = [run.initial] if INT64_MIN <= run.initial < low else []
    after = [run.final + 1] if run.final is not None and high < run.final < INT64_MAX else []
    edges = (np.array(before, dtype=np.int64), np.array(after, dtype=np.int64))
    never = (np.full(len(before), NEVER_NS), np.full(len(after), NEVER_NS))
    return (
        np.concatenate((edges[0], value, edges[1])),
        np.concatenate((never[0], end, never[1])),
    )


def figure(run: Run, line: Timeline) -> FigureImage | None:
    """Draw values against completion times; None when nothing was answered."""
    rows = np.flatnonzero(line.ok & line.ended & line.valued)
    if not len(rows):
        return None
    rows = rows[np.argsort(line.end[rows], kind="stable")]
    kept = rows[series.extremes(line.end[rows], line.value[rows], SLICES)]
    found = faults(run, line)
    everything = np.concatenate((line.value[kept], *(fault.value for fault in found)))
    offset, heights = series.axis_values(everything)
    low, high = series.bulk(heights)
    shown = np.clip(heights, low, high)
    drawn = _values(run, line, kept, shown[: len(kept)])
    first = len(kept)
    for fault in found:
        drawn.append(_marks(fault, shown[first : first + len(fault.value)]))
        first += len(fault.value)
    plot = Plot(
        title=_title(len(rows), len(kept)),
        x=Axis(
            label="seconds after the first request, at the answer",
            low=0,
            high=max(line.last_ns / 1e9, 1e-6),
        ),
        y=Axis(label=_value_label(offset), low=None if high > low else low - 1),
        marks=drawn,
        rug=_rug(line),
    )
    outside = int(((heights < low) | (heights > high)).sum())
    return image(
        "staircase",
        "The value staircase",
        plot,
        alt=_alt(run, line, found),
        caption=_caption(run, len(rows), len(kept), found, outside),
    )


def _values(run: Run, line: Timeline, kept: Int64s, y: Float64s) -> list[Marks]:
    x, down = line.end[kept] / 1e9, line.decrement[kept]
    if not run.is_mixed:
        return [Marks(label="value answered", x=x, y=y, colour=plots.BLUE, marker="o", size=2.4)]
    looks = (
        ("to an increment", plots.BLUE, "o", 2.4, ~down),
        ("to a decrement", plots.ORANGE, "v", 3.2, down),
    )
    return [
        Marks(
            label=f"value answered {asked}",
            x=x[these],
            y=y[these],
            colour=colour,
            marker=marker,
            size=size,
        )
        for asked, colour, marker, size, these in looks
    ]


def _marks(fault: Fault, y: Float64s) -> Marks:
    return Marks(
        label=f"{fault.label} ({fault.total:,d})",
        x=fault.at_s,
        y=y,
        colour=fault.colour,
        marker=fault.marker,
        size=6.0,
        hollow=fault.hollow,
    )


def _rug(line: Timeline) -> Marks | None:
    sent = np.sort(line.start[line.indeterminate])
    if not len(sent):
        return None
    shown = sent[series.spread(len(sent), MARKS_CAP)] / 1e9
    label = f"indeterminate request sent ({len(sent):,d})"
    return Marks(label=label, x=shown, y=np.zeros(len(shown)), colour=plots.INK, marker="|")


def _title(count: int, kept: int) -> str:
    sample = "" if kept == count else f", {kept:,d} of them drawn"
    return f"Value against time of the answer (n = {count:,d}{sample})"


def _value_label(offset: int) -> str:
    if not offset:
        return "value answered"
    sign = "+" if offset < 0 else "\u2212"
    return f"value {sign} {abs(offset):,d}"


def _caption(run: Run, count: int, kept: int, found: list[Fault], outside: int) -> str:
    parts = [_LEGEND_OF_MIXED if run.is_mixed else _LEGEND]
    if kept < count:
        parts.append(
            f"Drawn are, of each of {SLICES} equal slices of time, the smallest and the largest "
            f"value: {kept:,d} of {count:,d}."
        )
    capped = [fault.label for fault in found if len(fault.value) < fault.total]
    if capped:
        parts.append(
            f"Of the marks “{'”, “'.join(capped)}” at most {MARKS_CAP} are drawn, spread evenly; "
            "a run of missing numbers has one mark, at its first."
        )
    if outside:
        parts.append(
            f"{formats.counted(outside, 'value')} far outside the others' range "
            f"{'is' if outside == 1 else 'are'} drawn on the edge."
        )
    return " ".join(parts)


def _alt(run: Run, line: Timeline, found: list[Fault]) -> str:
    values = line.value[line.ok & line.valued]
    marked = ", ".join(f"{fault.total:,d} {fault.label}" for fault in found)
    if run.is_mixed:
        told = (
            f"Of them {int(line.decrement[line.ok & line.valued].sum()):,d} were answered to "
            "decrements, so values go up and down."
        )
    else:
        told = f"Marked: {marked}." if marked else "No value is repeated, missing or out of order."
    return (
        f"Scatter plot of values from {values.min():,d} to {values.max():,d} against the time of "
        f"their answer. {told}"
    )
