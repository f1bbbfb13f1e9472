"""The figures of a report: which series each shows, its caption, and its text alternative."""

import math

import numpy as np

from analysis.report import charts, closeup, formats, plots, series, staircase
from analysis.report.image import FigureImage, image
from analysis.report.outcomes import timed_operations
from analysis.report.plots import Axis, Line, Plot
from analysis.report.timeline import Bools, Float64s, Timeline
from analysis.run import Run
from analysis.verdict import Judgement
from history.manifest import Manifest

FEWEST_DRAWN = 10
"""A generator with fewer operations gets no line of its own, unless all have fewer."""
FEW_DECADES = 4
"""Up to so many powers of ten leave room for ticks between them."""
TIME_AXIS = "seconds after the first request"


def drawn_sources(line: Timeline, mask: Bools) -> list[tuple[int, str]]:
    """Give number and name of the sources with enough operations for a line of their own."""
    counts = np.bincount(line.source[mask], minlength=len(line.sources))
    enough = [(code, label) for code, label in enumerate(line.sources) if counts[code]]
    return [pair for pair in enough if counts[pair[0]] >= FEWEST_DRAWN] or enough


def throughput(line: Timeline) -> FigureImage:
    """Show completions per second over time, by generator."""
    done = line.ended & line.ok
    other = line.ended & ~line.ok
    cut = series.bins(line.last_ns)
    edges_s = cut.edges / 1e9
    sources = drawn_sources(line, done)
    lines = []
    rate = series.per_second(line.end[done], cut)
    if len(sources) > 1:
        lines.append(Line(label="all", x=edges_s, y=rate, colour=plots.INK, width=1.8))
    for order, (code, label) in enumerate(sources):
        y = series.per_second(line.end[done & line.of_source(code)], cut)
        lines.append(_source_line(order, label, edges_s, y))
    if other.any():
        y = series.per_second(line.end[other], cut)
        style = (0, (1, 1))
        label = "rejected or indeterminate"
        lines.append(Line(label=label, x=edges_s, y=y, colour=plots.VERMILLION, dashes=style))
    n = int(done.sum())
    plot = Plot(
        title=f"Answers per second (n = {n:,d} ok)",
        x=Axis(label=TIME_AXIS, low=0, high=float(edges_s[-1])),
        y=Axis(label="completions per second", low=0),
        lines=lines,
    )
    per_bin = f"bins of {formats.span(cut.width_ns)}"
    return image(
        "throughput",
        "Throughput",
        plot,
        alt=f"Line chart of completed requests per second in {per_bin}: "
        f"{_range(rate)} over all generators.",
        caption=f"Completed requests, counted at the end of each, in {per_bin}.",
    )


def _source_line(order: int, label: str, x: Float64s, y: Float64s) -> Line:
    at = order % len(plots.COLOURS)
    return Line(label=label, x=x, y=y, colour=plots.COLOURS[at], dashes=plots.DASHES[at])


def _range(rate: Float64s) -> str:
    median = float(np.median(rate))
    return f"between {rate.min():,.0f} and {rate.max():,.0f}, in the median {median:,.0f},"


def in_flight(line: Timeline, manifest: Manifest | None) -> FigureImage:
    """Show how many requests were open at the same time."""
    cut = series.bins(line.last_ns)
    edges_s = cut.edges / 1e9
    ended = line.ended
    total = series.in_flight(line.start[ended], line.end[ended], cut)
    sources = drawn_sources(line, ended)
    lines = [
        Line(
            label="all, peak",
            x=edges_s,
            y=total.peak.astype(np.float64),
            colour=plots.GREY,
            width=0.9,
        )
    ]
    if len(sources) > 1:
        lines.append(Line(label="all, mean", x=edges_s, y=total.mean, colour=plots.INK, width=1.8))
    for order, (code, label) in enumerate(sources):
        mine = ended & line.of_source(code)
        mean = series.in_flight(line.start[mine], line.end[mine], cut).mean
        lines.append(_source_line(order, f"{label}, mean", edges_s, mean))
    peak = series.peak_in_flight(line.start[ended], line.end[ended])
    first_ns, last_ns = load_window(line, manifest)
    mean_all = series.mean_in_flight(line.start[ended], line.end[ended], first_ns, last_ns)
    plot = Plot(
        title=f"Requests in flight (n = {int(ended.sum()):,d})",
        x=Axis(label=TIME_AXIS, low=0, high=float(edges_s[-1])),
        y=Axis(label="requests in flight", low=0),
        lines=lines,
    )
    figures = f"On average {mean_all:,.1f} requests were in flight, at most {peak:,d}."
    unended = int((~ended).sum())
    left_out = f" Left out: {formats.counted(unended, 'request')} without an end." * bool(unended)
    return image(
        "in-flight",
        "Requests in flight",
        plot,
        alt=f"Line chart of requests in flight over time. {figures}",
        caption=f"{figures} Time-weighted mean and highest number in bins of "
        f"{formats.span(cut.width_ns)}. Only requests that overlap can expose a race.{left_out}",
    )


def load_window(line: Timeline, manifest: Manifest | None) -> tuple[float, float]:
    """Give start and end of the load, nanoseconds after the first request."""
    if manifest and manifest.load_started_ns is not None and manifest.load_ended_ns is not None:
        first = float(manifest.load_started_ns - line.origin_ns)
        last = float(manifest.load_ended_ns - line.origin_ns)
        if 0 <= first < last <= line.last_ns + 1e10:
            return first, min(last, line.last_ns)
    return 0.0, line.last_ns


def latency(line: Timeline) -> FigureImage | None:
    """Show the distribution of latency, with the rare slow requests given room."""
    chosen = timed_operations(line)
    if not chosen.any():
        return None
    lines = []
    for order, (code, label) in enumerate(drawn_sources(line, chosen)):
        mine = chosen & line.of_source(code)
        colour = plots.COLOURS[order % len(plots.COLOURS)]
        lines.append(_curve(f"{label}, service", line.service[mine], colour, "-"))
        planned = mine & line.timed
        if planned.any():
            dotted = (0, (1.5, 1.5))
            lines.append(_curve(f"{label}, response", line.response[planned], colour, dotted))
    n = int(chosen.sum())
    planned = chosen & line.timed
    response = f" {_told('Response time', line.response[planned])}" if planned.any() else ""
    plot = Plot(
        title=f"Latency by percentile (n = {n:,d})",
        x=Axis(label="percentile", log=True, low=1, high=2.0 * n, ticks=_percentile_ticks(n)),
        y=Axis(label="milliseconds (log)", log=True, ticks=log_ticks(lines)),
        lines=lines,
    )
    return image(
        "latency",
        "Latency",
        plot,
        alt="Latency against percentile, both axes logarithmic. "
        f"{_told('Service time over all generators', line.service[chosen])}{response}",
        caption=_latency_caption(line, chosen),
    )


def _told(what: str, durations_ns: Float64s) -> str:
    ordered = np.sort(durations_ns)
    p50, _, p99, _ = (series.nearest_rank(ordered, part) for part in series.PERCENTILES)
    return (
        f"{what}: median {formats.span(p50)}, 99th percentile {formats.span(p99)}, "
        f"maximum {formats.span(float(ordered[-1]))}."
    )


def _curve(label: str, durations_ns: Float64s, colour: str, dashes: object) -> Line:
    curve = series.percentile_curve(np.sort(durations_ns))
    floor_ms = 1e-6  # a logarithmic axis has no zero: one nanosecond
    return Line(
        label=label,
        x=curve.one_in,
        y=np.maximum(curve.value / 1e6, floor_ms),
        colour=colour,
        dashes=dashes,
        steps=False,
    )


def _percentile_ticks(count: int) -> tuple[tuple[float, str], ...]:
    named = ((1, "0"), (2, "50"), (10, "90"), (100, "99"), (1e3, "99.9"), (1e4, "99.99"))
    rest = ((1e5, "99.999"), (1e6, "99.9999"))
    return tuple((at, text) for at, text in (*named, *rest) if at <= max(count, 2))


def log_ticks(lines: list[Line]) -> tuple[tuple[float, str], ...]:
    """Choose round numbers on a logarithmic axis: 1, 2, 5, 10 …, or only powers of ten."""
    low = min(float(line.y.min()) for line in lines)
    high = max(float(line.y.max()) for line in lines)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(decades) <= FEW_DECADES else (1,)
    ladder = [step * 10.0**decade for decade in decades for step in steps]
    inside = [at for at in ladder if low <= at <= high]
    return tuple((at, charts.tick(at)) for at in inside or [low])


def _latency_caption(line: Timeline, chosen: Bools) -> str:
    service = (
        "Service time runs from just before the first byte was sent to just after the last was "
        "read; a request that timed out counts until the client gave up. Rejected requests did "
        "no work and are left out."
    )
    if (chosen & line.timed).any():
        return (
            f"{service} Response time runs from when the open-loop schedule meant the request "
            "to be sent, so time spent waiting behind a slow answer counts too. Service time "
            "alone would hide it: the slow server would have slowed its own measurement "
            "(coordinated omission)."
        )
    return (
        f"{service} In a closed loop a slow answer delays the next request, so these figures "
        "leave out the waiting that users arriving at a fixed rate would have seen "
        "(coordinated omission). Set RATE to measure it."
    )


def all_figures(run: Run, line: Timeline, judgement: Judgement) -> tuple[FigureImage, ...]:
    """Draw every figure the run has operations for."""
    if not len(line):
        return ()
    return tuple(
        figure
        for figure in (
            throughput(line),
            in_flight(line, run.manifest),
            latency(line),
            staircase.figure(run, line),
            closeup.figure(run, line, judgement),
        )
        if figure is not None
    )
