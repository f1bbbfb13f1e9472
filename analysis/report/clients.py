"""The section about the clients: was it the counter that was slow, or who asked it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.clients import SLOW_SHARE, Client, Schedule, clients_of
from analysis.pressure import Pressure
from analysis.report import formats, plots
from analysis.report.figures import TIME_AXIS, log_ticks
from analysis.report.image import FigureImage, panels
from analysis.report.plots import Axis, Line, Plot
from analysis.report.tables import Column, Table, numbers, table
from analysis.report.timeline import Timeline
from analysis.run import Run
from history.health import HealthSample
from history.shape import BURST

FAST_SHARE = 0.10
"""Below this share of the latency, a client's own lateness goes without saying."""
ROWS = 24
DRAWN = 5
"""So many processes get a row, and a line in the figure: the latest ones."""
STEPS = 240
"""A process's line has at most so many steps; samples beyond are joined."""
_NOT_RECORDED = (
    "How the clients fared was not recorded (there is no health.csv), so this report cannot say "
    "how much of the latency is their own."
)
_LOWEST_MS = 0.01  # a logarithmic axis has no zero


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsSection:
    """Paragraphs, and tables and a figure where there is something to show."""

    words: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    figure: FigureImage | None = None


def section(run: Run, line: Timeline) -> ClientsSection:
    """Tell how the generators of a run fared."""
    clients = clients_of(run)
    latest = sorted(clients, key=_lag_ns, reverse=True)
    known = [client for client in latest if client.health]
    return ClientsSection(
        words=words(run, clients),
        tables=tables(clients, latest[:ROWS]),
        figure=_figure(run, line, known[:DRAWN], len(known)) if known else None,
    )


def words(run: Run, clients: Sequence[Client]) -> tuple[str, ...]:
    """Say in paragraphs who was slow, the counter or the clients, and how a schedule was kept."""
    if run.manifest is None:
        return ("A plain history file does not tell how the clients fared that made it.",)
    paces = [_pace(source, clients) for source in dict.fromkeys(c.source for c in clients)]
    if not any(client.health for client in clients):
        paces = [_NOT_RECORDED]
    schedules = _schedules(clients, burst=run.manifest.load.shape == BURST)
    return (*paces, *schedules, *_resolution(Pressure.of(run)))


def _resolution(pressure: Pressure) -> list[str]:
    """Say how wide the intervals are, and what that hides."""
    effort, distance = pressure.effort, pressure.order_resolution
    if effort.width_ns_p01 is None or effort.width_ns_p50 is None:
        return []
    told = (
        f"The intervals: {formats.span(effort.width_ns_p50)} in the median, where the fastest 1 % "
        f"of the answers took {formats.span(effort.width_ns_p01)} at most, which is near to what "
        "one takes when nothing waits; the rest is waiting, wherever"
    )
    seen = ""
    if distance:
        seen = (
            f" An answer {formats.counted(distance, 'number')} too old contradicts real time in "
            "95 % of the cases, a nearer one less often."
        )
    return [f"{told}.{seen}"]


def _lag_ns(client: Client) -> int:
    return client.health.loop_lag_ns_p50 if client.health else -1


def _pace(source: str, clients: Sequence[Client]) -> str:
    """Say in plain words who made the requests of a generator wait."""
    mine = [client for client in clients if client.source == source]
    known = [client for client in mine if client.own_share is not None]
    name = formats.plain(source)
    if not known:
        return f"{name}: how its clients fared was not recorded."
    slowest = max(known, key=lambda client: client.own_share or 0.0)
    share = slowest.own_share or 0.0
    if share < FAST_SHARE:
        judged = "requests waited for the counter, hardly for the client."
    elif share < SLOW_SHARE:
        judged = "mostly the counter set the pace, in part the client itself."
    else:
        judged = (
            "the client itself was slow. Much of what is recorded as latency is answers that had "
            "come and waited to be read; among requests that overlap only for that, a wrong order "
            "cannot be seen (“exercised” says whether they were too many)."
        )
    which = f", in {formats.plain(slowest.process)}, the latest of {len(mine):,d}"
    return (
        f"{name}: {judged} In the median its event loop was {formats.span(_lag_ns(slowest))} late "
        f"where a request took {formats.span(slowest.latency_ns_p50 or 0)}"
        f"{which if len(mine) > 1 else ''}."
    )


def _schedules(clients: Sequence[Client], *, burst: bool) -> list[str]:
    """Say how well an open loop kept its schedule, by the process that kept it worst."""
    kept = [client.schedule for client in clients if client.schedule]
    if not kept:
        return []
    worst = max(kept, key=lambda schedule: schedule.lag_ns_p99)
    late = (
        f"The schedule: requests were sent {formats.span(worst.lag_ns_p50)} after they were due in "
        f"the median, {formats.span(worst.lag_ns_max)} at most and "
        f"{formats.span(worst.lag_ns_p99)} at the 99th percentile"
    )
    of = f" (of the process that is latest there, of {len(kept):,d})" if len(kept) > 1 else ""
    held = worst.lag_ns_p50 - worst.own_lag_ns_p50
    why = (
        " Most of that was waiting for a connection: the counter, or what is before it, held them."
        if held > worst.own_lag_ns_p50
        else " That is the client's own lateness; connections were free."
    )
    # All of a volley fire together: that connections were free says nothing there.
    return [f"{late}{of}.{'' if burst else why}"]


def tables(clients: Sequence[Client], shown: Sequence[Client]) -> tuple[Table, ...]:
    """Show how each process fared and, where there is a schedule, how late it sent."""
    if not shown:
        return ()
    chosen = {client.process for client in shown}
    rows = [client for client in clients if client.process in chosen]
    some = ""
    if len(rows) < len(clients):
        some = f" (the {len(rows)} with the latest event loops, of {len(clients):,d})"
    fared = table(
        f"The generator processes during the load{some}",
        (
            Column("process"),
            *numbers("CPU share, mean", "highest", "loop late, p50 (ms)", "longest (ms)"),
            *numbers("latency, p50 (ms)", "in flight, mean", "most", "connections or users"),
        ),
        [_row(client) for client in rows],
    )
    scheduled = [(client.process, client.schedule) for client in rows if client.schedule]
    if not scheduled:
        return (fared,)
    kept = table(
        f"How long after they were due requests were sent{some}",
        (
            Column("process"),
            *numbers("p50 (ms)", "p99 (ms)", "longest (ms)", "by the client, p50 (ms)"),
            *numbers("most due and unsent"),
        ),
        [_schedule_row(process, schedule) for process, schedule in scheduled],
    )
    return fared, kept


def _row(client: Client) -> tuple[str, ...]:
    health, blank = client.health, formats.BLANK
    latency_ns = client.latency_ns_p50
    return (
        formats.plain(client.process),
        formats.percent(health.cpu_share_mean) if health else blank,
        formats.percent(health.cpu_share_max) if health else blank,
        formats.milliseconds(health.loop_lag_ns_p50, digits=2) if health else blank,
        formats.milliseconds(health.loop_lag_ns_max, digits=2) if health else blank,
        blank if latency_ns is None else formats.milliseconds(latency_ns, digits=2),
        formats.quantity(round(client.in_flight_mean, 1)),
        formats.integer(client.in_flight_peak),
        formats.integer(health.connections_peak) if health else blank,
    )


def _schedule_row(process: str, schedule: Schedule) -> tuple[str, ...]:
    lags = (schedule.lag_ns_p50, schedule.lag_ns_p99, schedule.lag_ns_max)
    return (
        formats.plain(process),
        *(formats.milliseconds(lag, digits=2) for lag in (*lags, schedule.own_lag_ns_p50)),
        formats.integer(schedule.queued_peak),
    )


def _figure(run: Run, line: Timeline, drawn: Sequence[Client], of: int) -> FigureImage:
    """Show CPU share and lateness of the event loop over time, by process."""
    # The order of the generators gives their colours, as in the other figures.
    rank = {source: order for order, source in enumerate(line.sources)}
    ordered = sorted(drawn, key=lambda client: (rank.get(client.source, len(rank)), client.process))
    by_process: dict[str, list[HealthSample]] = {client.process: [] for client in ordered}
    for sample in run.health:
        if sample.process in by_process:
            by_process[sample.process].append(sample)
    cpu, lag = [], []
    for order, (process, samples) in enumerate(by_process.items()):
        shares, medians, longest = _lines(process, samples, order, line.origin_ns)
        cpu.append(shares)
        lag += [medians, longest]
    count = sum(len(samples) for samples in by_process.values())
    x = Axis(label=TIME_AXIS, low=0, high=max(line.last_ns / 1e9, 1e-6))
    some = f" Only the {len(drawn)} of {of:,d} processes are drawn that were latest."
    return panels(
        "clients",
        "The clients over time",
        (
            Plot(
                title=f"CPU share and event loop of each process (n = {count:,d} samples)",
                x=x,
                y=Axis(label="CPU share (% of a core)", low=0),
                lines=cpu,
            ),
            Plot(
                title="",
                x=x,
                y=Axis(label="loop late (ms, log)", log=True, ticks=log_ticks(lag)),
                lines=lag,
            ),
        ),
        alt=f"Two line charts over time. {' '.join(_told(client) for client in ordered)}",
        caption="Above: CPU time that each process used, of one core. Below: how late its event "
        "loop answered a probe, which is how long an answer that has come waits to be read; thick: "
        "the median of each half second, thin: the longest. A loop that is late for as long as "
        "requests take is a slow client; one that is on time while they take long waits for the "
        f"counter.{some if len(drawn) < of else ''}",
    )


def _told(client: Client) -> str:
    if client.health is None:
        return ""
    health = client.health
    return (
        f"{formats.plain(client.process)}: CPU share {formats.percent(health.cpu_share_mean)} on "
        f"average, event loop {formats.span(health.loop_lag_ns_p50)} late in the median and "
        f"{formats.span(health.loop_lag_ns_max)} at most."
    )


def _lines(
    process: str, samples: Sequence[HealthSample], order: int, origin_ns: int
) -> tuple[Line, Line, Line]:
    """Give CPU share, median and longest lateness of one process as steps over its samples."""
    size = -(-len(samples) // STEPS)
    joined = [samples[at : at + size] for at in range(0, len(samples), size)]
    edges_ns = [samples[0].at_ns - samples[0].interval_ns, *(some[-1].at_ns for some in joined)]
    x = (np.array(edges_ns, dtype=np.float64) - origin_ns) / 1e9
    shares = [
        100 * sum(sample.cpu_ns for sample in some) / max(1, sum(s.interval_ns for s in some))
        for some in joined
    ]
    medians = [np.median([sample.loop_lag_ns_p50 for sample in some]) / 1e6 for some in joined]
    longest = [max(sample.loop_lag_ns_max for sample in some) / 1e6 for some in joined]
    at = order % len(plots.COLOURS)
    own: Any = {"x": x, "colour": plots.COLOURS[at], "dashes": plots.DASHES[at]}
    label = formats.plain(process, 24)
    return (
        Line(label=label, y=np.array(shares), **own),
        Line(label=label, y=np.maximum(medians, _LOWEST_MS), **own),
        Line(label="", y=np.maximum(longest, _LOWEST_MS), width=0.6, **own),
    )
