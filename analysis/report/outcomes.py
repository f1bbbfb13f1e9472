"""Tables of what became of the requests: by generator, by reason, and how long they took."""

import numpy as np
import pandas as pd

from analysis.report import formats, series
from analysis.report.tables import Column, Table, numbers, table
from analysis.report.timeline import Bools, Float64s, Timeline
from analysis.run import Run
from analysis.sent import RUNNER

REASON_ROWS = 25
"""So many rows of reasons are shown; a server can invent no more than that many lines."""


def by_source(line: Timeline) -> Table:
    """Count outcomes by generator, with the rate over each generator's own time."""
    everything = np.ones(len(line), dtype=bool)
    rows = [_counts(label, line, line.of_source(code)) for code, label in enumerate(line.sources)]
    return table(
        "Operations by generator and outcome",
        (
            Column("generator"),
            *numbers("ok", "rejected", "indeterminate", "total", "share", "answered per second"),
        ),
        [*rows, (*_counts("all", line, everything)[:-1], _rate(line, ~_brackets(line)))],
        total=True,
    )


def _counts(label: str, line: Timeline, mask: Bools) -> tuple[str, ...]:
    total = int(mask.sum())
    return (
        label,
        formats.integer(int((line.ok & mask).sum())),
        formats.integer(int((line.rejected & mask).sum())),
        formats.integer(int((line.indeterminate & mask).sum())),
        formats.integer(total),
        formats.share(total, len(line)),
        _rate(line, mask),
    )


def _brackets(line: Timeline) -> Bools:
    """Find the runner's own requests, which lie outside the load that the others made."""
    sources = dict(enumerate(line.sources))
    runner = [line.of_source(code) for code, label in sources.items() if label == RUNNER]
    brackets: Bools = np.logical_or.reduce([np.zeros(len(line), dtype=bool), *runner])
    return brackets if not brackets.all() else np.zeros(len(line), dtype=bool)


def _rate(line: Timeline, mask: Bools) -> str:
    answered = line.ok & line.ended & mask
    if answered.sum() < 2:  # noqa: PLR2004 -- a rate needs two events
        return formats.BLANK
    length_ns = float(line.end[answered].max() - line.start[answered].min())
    return (
        formats.quantity(round(answered.sum() / (length_ns / 1e9), 1))
        if length_ns
        else formats.BLANK
    )


def by_reason(run: Run) -> Table:
    """Count operations by kind, outcome, reason and HTTP status, the most frequent first."""
    keys = ["kind", "outcome", "reason", "status"]
    counts = run.frame.groupby(keys, observed=True, dropna=False).size()
    ordered = counts.sort_values(ascending=False, kind="stable")
    rows = [
        (
            *(formats.plain(part) if _known(part) else formats.BLANK for part in key),
            formats.integer(int(count)),
            formats.share(int(count), len(run.frame)),
        )
        for key, count in list(ordered.items())[:REASON_ROWS]
        if isinstance(key, tuple)
    ]
    caption = "Operations by kind, outcome, reason and HTTP status"
    if len(ordered) > REASON_ROWS:
        caption += f" (the {REASON_ROWS} most frequent of {len(ordered):,d} combinations)"
    headings = (Column("kind"), Column("outcome"), Column("reason"))
    return table(caption, (*headings, *numbers("status", "operations", "share")), rows)


def _known(part: object) -> bool:
    return not (part is None or part is pd.NA or part != part)  # noqa: PLR0124 -- NaN


def timed_operations(line: Timeline) -> Bools:
    """Select the operations whose latency counts: those that ended and were not rejected."""
    return line.ended & ~line.rejected


def latency(line: Timeline) -> Table:
    """Tabulate latency percentiles by generator, from the send and from the schedule."""
    rows = []
    chosen = timed_operations(line)
    for code, label in enumerate(line.sources):
        mine = chosen & line.of_source(code)
        if mine.any():
            rows.append(_percentiles(label, "service", line.service[mine]))
        if (mine & line.timed).any():
            rows.append(_percentiles(label, "response", line.response[mine & line.timed]))
    return table(
        "Latency in milliseconds (percentiles by nearest rank)",
        (
            Column("generator"),
            Column("time"),
            *numbers("p50", "p90", "p99", "p99.9", "max", "operations"),
        ),
        rows,
    )


def _percentiles(label: str, time: str, durations_ns: Float64s) -> tuple[str, ...]:
    ordered = np.sort(durations_ns)
    ranked = [series.nearest_rank(ordered, part) for part in series.PERCENTILES]
    return (
        label,
        time,
        *(formats.milliseconds(value, digits=2) for value in (*ranked, float(ordered[-1]))),
        formats.integer(len(ordered)),
    )
