"""Could the run have failed at all?

A counter that is never asked twice at once looks atomic whatever it does. On a recorded run
this check keeps a weak run from passing; on a plain history file it only informs.

A slow client makes a blind witness. Answers that have come lie in its queue, so intervals are
wide, all of them seem to overlap, and no inversion among them can be seen; meanwhile the counter
is asked by one at a time. So a process is too slow when both hold:

- its event loop is late by a quarter of its median latency or more: at least half of what was
  recorded is then no time of the counter's (clients.SLOW_SHARE). Measured on 2 shared cores, half
  of them taken by others: 0.00 to 0.03 where the server set the pace (the local target with 50,
  500 and 1,000 connections, also beside four processes that burn CPU), 0.33 to 1 where the client
  did (a compiled server that answers at once, aiohttp, wire and Locust).
- more than 100 of its requests in flight at once were waiting so. That count is what hides: an
  inversion between any two of them. It does not grow when the machine is slow, as a limit in
  milliseconds would. Against the compiled server 500 connections were 210 to 500; the default
  load, 50 connections and 20 users, can never be more than 50, and finds by sheer number.

A client that is busy all the time, but whose answers the counter keeps waiting for, is fine. So
is a late send in an open loop: it is stamped when it is sent. What was never sent is not.
"""

from collections.abc import Sequence

import numpy as np

from analysis.clients import RUNNER, Client, clients_of
from analysis.evidence import duration, plural
from analysis.overlap import mean_in_flight, overlapping_share, peak_in_flight
from analysis.run import NEVER_NS, Int64s, Run
from analysis.verdict import Evidence, Finding, Verdict
from history.manifest import ENDED_WELL, POISSON, Load, Manifest
from history.operation import Outcome
from history.shape import BURST, clients_held, fewest_clients, parse_shape, requests_due

NAME = "exercised"
MIN_OPERATIONS = 1_000
MIN_OVERLAP_SHARE = 0.10
MIN_RATE_SHARE = 0.90
"""Open loop: a generator that sent less than this share of its schedule was too slow."""

MIN_LOAD_SHARE = 0.90
"""A generator whose last request ended before this share of the load fell silent."""

MIN_HELD_SHARE = 0.05
"""Clients that a shape asks for during less than this share of the load need not have sent."""

MIN_DUE = 10
"""Open loop: with fewer requests still to come, silence is no sign. Of as many that arrive at
random, none at all comes once in 22,000 times."""

MIN_BUSY_SHARE = 0.90
"""Open loop: with so many of its connections busy at the end, a process could send no more."""

MAX_IN_CLIENT = 100
"""So many requests at once may wait for their client, twice the default's connections."""


def check(run: Run) -> Finding:
    """INCONCLUSIVE when the run could not have failed, or was not what was asked for.

    That is: too few operations, hardly any overlapped, a generator died, got no answer, fell
    silent, did not use all its users or connections or was too slow to see anything, the run
    was interrupted, or too little of an open-loop schedule was sent.
    """
    start, end = _completed(run)
    clients = clients_of(run)
    counts: dict[str, int | float | None] = {
        "completed": len(start),
        "overlapping_share": round(overlapping_share(start, end), 4),
        "in_flight_peak": peak_in_flight(start, end),
        "in_flight_mean": round(mean_in_flight(start, end), 2),
    }
    weak = []
    if run.manifest is not None:
        weak = _troubles(run, run.manifest, clients)
        counts |= _client_counts(clients)
    weak += _weaknesses(len(start), overlapping_share(start, end))
    tried = (
        f"{plural(len(start), 'completed operation')}, {counts['overlapping_share']:.0%} of them "
        f"overlapping another, {counts['in_flight_mean']:g} in flight on average and "
        f"{counts['in_flight_peak']} at the peak{_slowest(run, clients)}"
    )
    return Finding(
        check=NAME,
        verdict=Verdict.INCONCLUSIVE if weak else Verdict.PASS,
        summary=f"{tried}." if not weak else f"{weak[0]} ({tried}).",
        counts=counts,
        evidence=tuple(Evidence(summary=sentence) for sentence in weak),
        evidence_total=len(weak),
        decides=run.manifest is not None,
    )


def _client_counts(clients: Sequence[Client]) -> dict[str, float | None]:
    """Give how slow the slowest process was; None where it is not known."""
    lags = [client.health.loop_lag_ns_p50 for client in clients if client.health]
    shares = [client.own_share for client in clients if client.own_share is not None]
    late = [client.schedule.lag_ns_p50 for client in clients if client.schedule]
    return {
        "loop_lag_ms_p50": round(max(lags) / 1e6, 3) if lags else None,
        "client_share_of_latency": round(max(shares), 4) if shares else None,
        "in_client_mean": round(max(client.in_client_mean for client in clients), 2)
        if shares
        else None,
    } | ({"schedule_lag_ms_p50": round(max(late) / 1e6, 3)} if late else {})


def _slowest(run: Run, clients: Sequence[Client]) -> str:
    if run.manifest is None:
        return ""
    known = [client for client in clients if client.own_share is not None]
    if not known:
        return "; how the clients themselves fared was not recorded"
    slowest = max(known, key=lambda client: client.own_share or 0.0)
    lag_ns = slowest.health.loop_lag_ns_p50 if slowest.health else 0
    return (
        f"; {slowest.process}, the slowest client, was {duration(lag_ns)} late where a request "
        f"took {duration(slowest.latency_ns_p50 or 0)} (medians)"
    )


def _too_slow(load: Load, clients: Sequence[Client]) -> list[str]:
    """Name the processes whose requests waited for themselves; see the module's docstring."""
    return [
        f"{client.process} was too slow to be a witness: its event loop was "
        f"{duration(client.health.loop_lag_ns_p50)} late in the median and its requests took "
        f"{duration(client.latency_ns_p50 or 0)}, so about {client.in_client_mean:,.0f} at once "
        "waited for the client, not for the counter, and no inversion among them can be seen: "
        f"{_relief(load, client.source)}"
        for client in clients
        if client.health and client.is_slow and client.in_client_mean > MAX_IN_CLIENT
    ]


def _relief(load: Load, source: str) -> str:
    """Say what would make the clients of a generator faster."""
    if source == "locust":
        return "use fewer USERS or more LOCUST_PROCESSES"
    wire = "TRANSPORT=wire, " if load.transport != "wire" else ""
    lower = "a lower RATE, " if load.rate_per_s else ""
    return f"use {wire}{lower}fewer CONNECTIONS or more PROCESSES"


def _fell_silent(run: Run, manifest: Manifest) -> list[str]:
    """Name the generators that had nothing in flight in the last part of the load.

    One that stops sending and then exits in good order looks well from outside.
    """
    if manifest.load_started_ns is None or manifest.load_ended_ns is None:
        return []
    if manifest.load.by_page:
        return []  # whoever stopped it there meant to
    length_ns = manifest.load_ended_ns - manifest.load_started_ns
    late_ns = manifest.load_started_ns + int(MIN_LOAD_SHARE * length_ns)
    ends = run.frame["end_ns"].to_numpy(dtype=np.int64, na_value=NEVER_NS)
    silent = []
    for process in manifest.processes:
        own = ends[(run.frame["process"] == process.process).to_numpy()]
        if process.source == RUNNER or not len(own) or own.max() >= late_ns:
            continue
        after_s = (int(own.max()) - manifest.load_started_ns) / 1e9
        if not _may_rest(manifest, process.source, after_s=after_s):
            silent.append(
                f"{process.process} fell silent after {after_s:.1f} s of {length_ns / 1e9:.1f} s"
            )
    return silent


def _may_rest(manifest: Manifest, source: str, *, after_s: float) -> bool:
    """Say whether the load leaves a process of a generator nothing to do after a time."""
    load = manifest.load
    shape = parse_shape(load.shape)
    after = min(1.0, max(0.0, after_s / load.duration_s))
    burst = shape.name == BURST
    if load.rate_per_s and (burst or source == "swarm"):
        due = requests_due(
            shape, rate_per_s=load.rate_per_s, duration_s=load.duration_s, after=after
        )
        # Between two volleys, which Locust's users keep too, everything rests.
        between = load.connections if burst else 0
        return (due - between) / max(1, load.processes) < MIN_DUE
    clients = load.connections if source == "swarm" else load.users
    sharing = sum(process.source == source for process in manifest.processes)
    return fewest_clients(shape, clients, first=after, last=1.0) < sharing


def _idle(run: Run, manifest: Manifest) -> list[str]:
    """Name the generators of which fewer users or connections sent than were asked for.

    An open loop sends with whichever connection is free: at a low rate a few may be enough.
    """
    load = manifest.load
    shape = parse_shape(load.shape)
    spawning = "SPAWN_RATE or " if shape.is_constant else ""
    asked = {"locust": (load.users, "Locust users", f"raise {spawning}DURATION")}
    if not load.rate_per_s or shape.name == BURST:
        asked["swarm"] = (load.connections, "swarm connections", "raise DURATION")
    idle = []
    for source, (count, clients, advice) in asked.items():
        due = clients_held(shape, count, least_share=MIN_HELD_SHARE) if count else 0
        sent = run.frame.loc[(run.frame["source"] == source).to_numpy(), "worker"].nunique()
        if sent < due:
            idle.append(f"Only {sent:,} of {due:,} {clients} sent a request: {advice}")
    return idle


def _behind_schedule(run: Run, load: Load, clients: Sequence[Client]) -> list[str]:
    """Say that too little of an open loop's schedule was sent, and whose doing that was.

    Random arrivals come within four standard deviations of the number due, but for once in
    30,000 runs.
    """
    shape = parse_shape(load.shape)
    due = requests_due(shape, rate_per_s=load.rate_per_s, duration_s=load.duration_s)
    by_chance = 4 * due**0.5 if load.arrivals == POISSON else 0.0
    # Locust's users have intended times as well when they fire in volleys.
    swarm = (run.frame["source"] == "swarm").to_numpy()
    scheduled = int(run.frame["intended_ns"].notna().to_numpy()[swarm].sum())
    if scheduled >= MIN_RATE_SHARE * (due - by_chance):
        return []
    senders = [client for client in clients if client.source == "swarm" and client.schedule]
    why = _why_behind(load, senders)
    return [f"Only {scheduled:,} of {due:,.0f} requests of the schedule were sent: {why}"]


def _why_behind(load: Load, senders: Sequence[Client]) -> str:
    held = "raise CONNECTIONS or CONNECTIONS_MAX"
    slow = _relief(load, "swarm")
    if not senders or any(client.own_share is None for client in senders):
        return f"the client was too slow ({slow}) or the server held the connections ({held})"
    # A volley waits for all connections, so that none is busy when it is due.
    burst = load.shape == BURST
    client = any(sender.is_slow or (burst and sender.sends_late) for sender in senders)
    busy = [sender.schedule.busy_at_end for sender in senders if sender.schedule]
    if client or not (burst or min(busy) >= MIN_BUSY_SHARE):
        return f"the client was too slow, {slow}"
    return f"the server held the connections, use a lower RATE or {held}"


def _completed(run: Run) -> tuple[Int64s, Int64s]:
    """Give starts and ends of what was answered, without rows whose times are contradictory."""
    parts = (run.increments, run.decrements, run.reads)
    whole = ~run.inconsistent[np.concatenate([part.row for part in parts])]
    start = np.concatenate([part.start for part in parts])[whole]
    end = np.concatenate([part.end for part in parts])[whole]
    order = np.argsort(start, kind="stable")
    return start[order], end[order]


def _weaknesses(completed: int, overlapping: float) -> list[str]:
    weak = []
    if completed < MIN_OPERATIONS:
        weak.append(
            f"Only {plural(completed, 'operation')} completed, fewer than {MIN_OPERATIONS:,}: run "
            "longer (DURATION)"
        )
    elif overlapping < MIN_OVERLAP_SHARE:
        weak.append(
            "Hardly any operations overlapped, so a race had no chance to show: use more "
            "CONNECTIONS and USERS"
        )
    return weak


def _generators(manifest: Manifest) -> list[str]:
    """Name the generators that the run had, each once."""
    sources = dict.fromkeys(process.source for process in manifest.processes)
    return [source for source in sources if source != RUNNER]


def _troubles(run: Run, manifest: Manifest, clients: Sequence[Client]) -> list[str]:
    troubles = [f"The run was {manifest.interrupted}"] if manifest.interrupted else []
    troubles += [
        f"{process.process} {process.exit_state}"
        for process in manifest.processes
        if process.exit_state != ENDED_WELL
    ]
    answered = run.frame.loc[run.mask(outcome=Outcome.OK), "source"].value_counts()
    troubles += [
        f"The {source} generator got no answer at all"
        for source in _generators(manifest)
        if not int(answered.get(source, 0))
    ]
    troubles += _fell_silent(run, manifest) + _idle(run, manifest)
    troubles += _behind_schedule(run, manifest.load, clients)
    troubles += _too_slow(manifest.load, clients)
    return troubles
