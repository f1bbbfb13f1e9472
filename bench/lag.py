"""How late an open loop sends: schedule lag, ours beside what event loops' own timers give.

Every sender keeps the same schedule against the same compiled counter, which is on a core of its
own. Ours is read from the record (start_ns - intended_ns); the floors of bench/timers.py stamp
their requests at the same point, directly before the write.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.clients import AIOHTTP, WIRE
from bench.counter import client_core, pinned, running, server_core
from bench.generators import CONNECTIONS, OwnClient, lags_ms
from bench.machine import Conditions
from bench.tables import Table
from bench.timers import SLEEP
from history.errors import UserError
from runner.options import ARRIVALS
from runner.provenance import REPOSITORY

RATES_PER_S = (500, 2000)
SECONDS = 2
SEED = 1
TARGET_MS_P50 = 0.1
PERCENTILES = (50, 90, 99, 100)
WRK2 = (
    "wrk2, a compiled sender for open loops, is not measured here (Debian has no package of it). "
    'Its README says: "measured latencies are [only] accurate to a +/- ~1 msec granularity, due to '
    'OS sleep time behavior" (https://github.com/giltene/wrk2).'
)

Lags = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One schedule."""

    rate_per_s: int
    arrivals: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Something that keeps a schedule: it loads a URL, and then gives the lags in milliseconds.

    The lags are of a record that was held against what the counter counted.
    """

    name: str
    load: Callable[[str, Load, Path], Callable[[int], Lags]]
    arrivals: tuple[str, ...] = ARRIVALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How late one load was sent, by PERCENTILES, and how much of it."""

    late_ms: tuple[float, ...]
    rate_per_s: float


def own(client: OwnClient) -> Sender:
    """Measure a transport of the swarm, from its record."""

    def load(url: str, asked: Load, folder: Path) -> Callable[[int], Lags]:
        variables = {"RATE": str(asked.rate_per_s), "ARRIVALS": asked.arrivals, "SEED": str(SEED)}
        sent = OwnClient(
            name=client.name, source=client.source, variables=client.variables | variables
        )
        sent.start(url, SECONDS, folder).finish()
        return lambda counted: lags_ms(sent.record(folder, counted=counted))

    return Sender(name=client.name, load=load)


def floor(name: str, how: str, arrivals: tuple[str, ...] = ARRIVALS) -> Sender:
    """Measure one of the simple senders of bench/timers.py."""

    def load(url: str, asked: Load, _folder: Path) -> Callable[[int], Lags]:
        command = [
            *(sys.executable, "-m", "bench.timers", how, url),
            *(str(asked.rate_per_s), asked.arrivals, str(SECONDS), str(SEED)),
        ]
        done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
        late_ns = json.loads(done.stdout)

        def check(counted: int) -> Lags:
            if counted != len(late_ns):
                raise UserError(
                    f"{name} sent {len(late_ns):,} requests, the counter counted {counted:,}: its "
                    "figures would mean nothing; run it again"
                )
            return np.array(late_ns) / 1e6

        return check

    return Sender(name=name, load=load, arrivals=arrivals)


SENDERS = (
    own(WIRE),
    own(AIOHTTP),
    floor("timers of uvloop", "uvloop"),
    floor("timers of asyncio", "asyncio"),
    floor("sleep(1/rate), asyncio", SLEEP, ("uniform",)),
)


def sample(sender: Sender, program: Path, asked: Load) -> Lag:
    """Let a sender keep a schedule once."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(program, core=server_core()) as counter,
    ):
        with pinned(client_core()):
            read = sender.load(counter.url, asked, Path(folder))
        counted = counter.stop().requests
        late_ms = read(counted)
    return Lag(
        late_ms=tuple(float(late) for late in np.percentile(late_ms, PERCENTILES)),
        rate_per_s=counted / SECONDS,
    )


def lag(program: Path, *, rounds: int) -> Table:
    """Measure every sender under every schedule, in turns."""
    conditions = Conditions()
    asked = [Load(rate_per_s=rate, arrivals=kind) for rate in RATES_PER_S for kind in ARRIVALS]
    lags: dict[tuple[Load, str], list[Lag]] = {
        (load, sender.name): []
        for load in asked
        for sender in SENDERS
        if load.arrivals in sender.arrivals
    }
    for _ in range(rounds):
        conditions.sample()
        for load in asked:
            for sender in SENDERS:
                if load.arrivals in sender.arrivals:
                    lags[load, sender.name].append(sample(sender, program, load))
    return table(lags, rounds=rounds, conditions=conditions.notes())


def table(
    lags: Mapping[tuple[Load, str], Sequence[Lag]], *, rounds: int, conditions: Sequence[str]
) -> Table:
    """Set the senders side by side under each schedule; medians of their rounds."""
    return Table(
        title=(
            f"Schedule lag in ms, {CONNECTIONS} connections, {SECONDS} s each, medians of {rounds}"
        ),
        columns=("requests/s due", "arrivals", "sender", "p50", "p90", "p99", "max", "sent/s"),
        rows=tuple(_row(load, name, each) for (load, name), each in lags.items()),
        words=frozenset({"arrivals", "sender"}),
        notes=(*_target(lags), WRK2, *conditions),
    )


def _row(load: Load, name: str, lags: Sequence[Lag]) -> tuple[str, ...]:
    late_ms = [statistics.median(each) for each in zip(*(lag.late_ms for lag in lags), strict=True)]
    return (
        f"{load.rate_per_s:,}",
        load.arrivals,
        name,
        *(f"{late:.2f}" for late in late_ms),
        f"{statistics.median(lag.rate_per_s for lag in lags):,.0f}",
    )


def _target(lags: Mapping[tuple[Load, str], Sequence[Lag]]) -> tuple[str, ...]:
    ours = {WIRE.name: True, AIOHTTP.name: True}
    for (_, name), each in lags.items():
        if name in ours:
            ours[name] &= statistics.median(lag.late_ms[0] for lag in each) <= TARGET_MS_P50
    judged = ", ".join(f"{name} {'kept' if kept else 'missed'}" for name, kept in ours.items())
    return (f"Target, p50 of at most {TARGET_MS_P50} ms under every schedule: {judged}.",)
