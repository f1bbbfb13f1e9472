"""Was the load what was asked for? Each function gives sentences saying what was not. Pure.

Only a request that was sent counts: one that found no connection asked the counter nothing.
"""

from collections.abc import Sequence

from analysis.clients import Client
from analysis.evidence import plural
from analysis.run import Run
from analysis.sent import RUNNER
from analysis.witness import relief
from history.fault import parse_fault
from history.manifest import POISSON, Manifest
from history.shape import BURST, clients_held, fewest_clients, parse_shape, requests_due

MIN_LENGTH_SHARE = 0.90
"""A load that lasted for less than this share of its duration broke off."""

MIN_RATE_SHARE = 0.90
"""Open loop: a generator that sent less than this share of its schedule was too slow."""

MIN_LOAD_SHARE = 0.90
"""A generator whose last request ended before this share of the load fell silent."""

MIN_HELD_SHARE = 0.05
"""Clients that a shape asks for during less than this share of the load need not have sent."""

FOLLOWING_S = {"locust": 2.5, "swarm": 0.2}
"""How long a generator may take to follow its shape, on a slow machine too: Locust looks once a
second, the swarm ten times. Clients that are asked for less long may come too late to send."""

MIN_DUE = 10
"""Open loop: with fewer requests still to come, silence is no sign. Of as many that arrive at
random, none at all comes once in 22,000 times."""

MIN_BUSY_SHARE = 0.90
"""Open loop: with so many of its connections busy at the end, a process could send no more."""

FAR_OFF = 4
"""A share of decrements so many standard deviations off is none that chance gives: it would, once
in 16,000 runs..."""

FEW_OFF = 4
"""...but where few are due chance is wider than that, by less than so many."""


def unmet(run: Run, manifest: Manifest, clients: Sequence[Client]) -> list[str]:
    """Name what was asked for and did not happen, first what matters most."""
    return [
        *_too_short(manifest),
        *_silent(run, manifest),
        *_idle(run, manifest),
        *_behind_schedule(run, manifest, clients),
        *_not_mixed(run, manifest),
        *_never_faulty(manifest),
    ]


def _too_short(manifest: Manifest) -> list[str]:
    """Say that the load ended before its time, where nothing else says so."""
    first, last = manifest.load_started_ns, manifest.load_ended_ns
    if first is None or last is None or manifest.interrupted or manifest.load.by_page:
        return []
    length_s, asked_s = (last - first) / 1e9, manifest.load.duration_s
    if length_s >= MIN_LENGTH_SHARE * asked_s:
        return []
    return [f"The load lasted {length_s:.1f} s of the {asked_s:,} s that were asked for"]


def _silent(run: Run, manifest: Manifest) -> list[str]:
    """Name the processes that sent nothing, or had nothing in flight in the load's last part.

    One that stops sending and then exits in good order looks well from outside.
    """
    if manifest.load.by_page:
        return []  # whoever stopped it there meant to
    found = run.activity
    silent = []
    for process in manifest.processes:
        if process.source == RUNNER:
            continue
        if found.sent[process.process]:
            last_ns = found.latest_ns[process.process]
            silent += _fell_silent(manifest, process.process, process.source, last_ns)
        elif _must_send(manifest, process.source):
            silent.append(f"{process.process} sent nothing")
    return silent


def _fell_silent(manifest: Manifest, process: str, source: str, last_ns: int) -> list[str]:
    first, ended = manifest.load_started_ns, manifest.load_ended_ns
    if first is None or ended is None or last_ns >= first + int(MIN_LOAD_SHARE * (ended - first)):
        return []
    after_s = max(0, last_ns - first) / 1e9
    if _may_rest(manifest, source, after_s=after_s):
        return []
    return [f"{process} fell silent after {after_s:.1f} s of {(ended - first) / 1e9:.1f} s"]


def _must_send(manifest: Manifest, source: str) -> bool:
    """Say whether the load asks every process of a generator for at least one request."""
    load = manifest.load
    shape = parse_shape(load.shape)
    if source == "swarm" and load.rate_per_s:
        due = requests_due(shape, rate_per_s=load.rate_per_s, duration_s=load.duration_s)
        least = MIN_DUE if load.arrivals == POISSON else 1
        return due / max(1, load.processes) >= least
    clients = _clients_asked(manifest, source)
    held = clients_held(shape, clients, least_share=MIN_HELD_SHARE) if clients else 0
    return held >= _sharing(manifest, source)


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
    clients = _clients_asked(manifest, source)
    return fewest_clients(shape, clients, first=after, last=1.0) < _sharing(manifest, source)


def _clients_asked(manifest: Manifest, source: str) -> int:
    return manifest.load.connections if source == "swarm" else manifest.load.users


def _sharing(manifest: Manifest, source: str) -> int:
    """Count the processes that share a generator's clients."""
    return sum(process.source == source for process in manifest.processes)


def _idle(run: Run, manifest: Manifest) -> list[str]:
    """Name the generators of which fewer users or connections sent than were asked for.

    An open loop sends with whichever connection is free: at a low rate a few may be enough.
    """
    load = manifest.load
    shape = parse_shape(load.shape)
    spawning = "SPAWN_RATE or " if shape.is_constant else ""
    asked = {"locust": ("Locust users", f"raise {spawning}DURATION")}
    if not load.rate_per_s or shape.name == BURST:
        asked["swarm"] = ("swarm connections", "raise DURATION")
    idle = []
    for source, (clients, advice) in asked.items():
        count = _clients_asked(manifest, source)
        due = 0
        if count:  # none are known of a run in Locust's page, nor how long it was to be
            least_share = max(MIN_HELD_SHARE, min(1.0, FOLLOWING_S[source] / load.duration_s))
            due = clients_held(shape, count, least_share=least_share)
        sent = len(run.activity.sent_workers.get(source, ()))
        refused = len(run.activity.workers.get(source, ())) - sent
        if sent < due:
            why = f"{refused:,} found no connection" if refused else advice
            idle.append(f"Only {sent:,} of {due:,} {clients} sent a request: {why}")
    return idle


def _behind_schedule(run: Run, manifest: Manifest, clients: Sequence[Client]) -> list[str]:
    """Say that too little of an open loop's schedule was sent, and whose doing that was.

    Random arrivals come within four standard deviations of the number due, but for once in
    30,000 runs.
    """
    load = manifest.load
    shape = parse_shape(load.shape)
    due = requests_due(shape, rate_per_s=load.rate_per_s, duration_s=load.duration_s)
    by_chance = 4 * due**0.5 if load.arrivals == POISSON else 0.0
    # Locust's users have intended times as well when they fire in volleys.
    sent, tried = run.activity.scheduled_sent["swarm"], run.activity.scheduled["swarm"]
    if sent >= MIN_RATE_SHARE * (due - by_chance):
        return []
    if tried - sent >= (due - sent) / 2:
        why = f"{plural(tried - sent, 'request')} found no connection"
    else:
        why = _why_behind(manifest, clients)
    return [f"Only {sent:,} of {due:,.0f} requests of the schedule were sent: {why}"]


def _why_behind(manifest: Manifest, clients: Sequence[Client]) -> str:
    senders = [client for client in clients if client.source == "swarm" and client.schedule]
    held = "raise CONNECTIONS or CONNECTIONS_MAX"
    slow = relief(manifest, clients, "swarm")
    if not senders or any(client.own_share is None for client in senders):
        return f"the client was too slow ({slow}) or the server held the connections ({held})"
    # A volley waits for all connections, so that none is busy when it is due.
    burst = manifest.load.shape == BURST
    client = any(sender.is_slow or (burst and sender.sends_late) for sender in senders)
    busy = [sender.schedule.busy_at_end for sender in senders if sender.schedule]
    if client or not (burst or min(busy) >= MIN_BUSY_SHARE):
        return f"the client was too slow, {slow}"
    return f"the server held the connections, use a lower RATE or {held}"


def _not_mixed(run: Run, manifest: Manifest) -> list[str]:
    """Say that the load had not the decrements that were asked for, or that none was answered."""
    share = manifest.load.decrements
    found = run.activity
    sent, down, answered = (
        sum(count for source, count in counts.items() if source != RUNNER)
        for counts in (found.sent_by_source, found.decrements, found.decrements_ok)
    )
    if not share or not sent:
        return []
    asked = f"DECREMENTS={share:g} asked for about {share * sent:,.0f}"
    if not down:
        return [f"None of {plural(sent, 'request')} was a decrement, {asked}"]
    by_chance = FAR_OFF * (share * (1 - share) * sent) ** 0.5 + FEW_OFF
    off = [f"{down:,} of {sent:,} requests were decrements, {asked}: more than chance is off"]
    told = off if abs(down - share * sent) > by_chance else []
    if not answered:
        told.append(
            f"No decrement was answered with a number, of {down:,}: does the server have "
            "POST <URL>/decrement?"
        )
    return told


def _never_faulty(manifest: Manifest) -> list[str]:
    """Say that the fault that was asked for never came: then this run says nothing of it."""
    injected = manifest.fault_counts.get("injected")
    if not manifest.fault or injected or _changes_nothing(manifest.fault):
        return []
    if injected is None:
        return [f"How often FAULT={manifest.fault} came is not known: its intermediary did not say"]
    return [f"FAULT={manifest.fault} was asked for and never came: raise DURATION, or its amount"]


def _changes_nothing(fault: str) -> bool:
    try:
        return parse_fault(fault).changes_nothing
    except ValueError:
        return False  # of a later version, which knew what it asked for
