"""Could the clients have seen a wrong order? Pure.

A slow client makes a blind witness. Answers that have come lie in its queue, so intervals are
wide, all of them seem to overlap, and no inversion among them can be seen; meanwhile the counter
is asked by one at a time. So clients are too slow when both hold:

- a process's event loop is late by a quarter of its median latency or more: at least half of what
  was recorded is then no time of the counter's (clients.SLOW_SHARE). Measured on 2 shared cores,
  half of them taken by others: 0.00 to 0.03 where the server set the pace (the local target with
  50, 500 and 1,000 connections, also beside four processes that burn CPU), 0.33 to 1 where the
  client did (a compiled server that answers at once, aiohttp, wire and Locust).
- more than 100 requests in flight at once were waiting so, in all such processes together. That
  count is what hides: an inversion between any two of them. It does not grow when the machine is
  slow, as a limit in milliseconds would, nor shrink when more processes share it. Against the
  compiled server 500 connections were 210 to 500; the default load, 50 connections and 20 users,
  can never be more than 70, and finds by sheer number.

A client that is busy all the time, but whose answers the counter keeps waiting for, is fine.
"""

from collections.abc import Sequence

from analysis.clients import Client
from analysis.evidence import duration
from analysis.run import Run
from history.manifest import Manifest

MAX_IN_CLIENT = 100
"""So many requests at once may wait for their clients, more than the default's can."""

BUSY_SHARE = 0.90
"""With so much of all cores in use by the clients, another process makes none faster."""


def too_slow(manifest: Manifest, clients: Sequence[Client]) -> list[str]:
    """Name the processes whose requests waited for themselves, when these were too many."""
    slow = [client for client in clients if client.is_slow]
    waiting = sum(client.in_client_mean for client in slow)
    if waiting <= MAX_IN_CLIENT:
        return []
    together = f" ({waiting:,.0f} with the other slow clients)" if len(slow) > 1 else ""
    return [
        f"{client.process} was too slow to be a witness: its event loop was "
        f"{duration(client.health.loop_lag_ns_p50)} late in the median and its requests took "
        f"{duration(client.latency_ns_p50 or 0)}, so about {client.in_client_mean:,.0f} at once"
        f"{together} waited for the client, not for the counter, and no inversion among them can "
        f"be seen: {relief(manifest, clients, client.source)}"
        for client in slow
        if client.health
    ]


def relief(manifest: Manifest, clients: Sequence[Client], source: str) -> str:
    """Say what would make the clients of a generator faster."""
    load = manifest.load
    advice = []
    if source == "swarm":
        advice += ["TRANSPORT=wire"] if load.transport != "wire" else []
        advice += ["a lower RATE"] if load.rate_per_s else []
    advice.append("fewer CONNECTIONS" if source == "swarm" else "fewer USERS")
    if _has_idle_cores(manifest, clients, source):
        advice.append("more PROCESSES" if source == "swarm" else "more LOCUST_PROCESSES")
    *first, last = advice
    return f"use {', '.join(first)} or {last}" if first else f"use {last}"


def _has_idle_cores(manifest: Manifest, clients: Sequence[Client], source: str) -> bool:
    """Say whether more processes would find a core to run on, as far as is known."""
    cores = manifest.cpu_count
    used = sum(client.health.cpu_share_mean for client in clients if client.health)
    own = sum(client.source == source for client in clients)
    return not cores or (own < cores and used < BUSY_SHARE * cores)


def unrecorded(run: Run, clients: Sequence[Client]) -> list[str]:
    """Name the processes that sent and left no samples, where others did."""
    if not any(client.health for client in clients):
        return []  # a run of before there were any
    return [
        f"How {client.process} fared was not recorded, so it may have been too slow"
        for client in clients
        if client.health is None and run.activity.sent[client.process]
    ]
