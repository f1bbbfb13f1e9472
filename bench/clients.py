"""What a request costs each client: CPU, side by side, on one core, against a compiled counter.

Every client sends GETs over 50 kept-alive connections, once for a short and once for a long time.
The difference between the two in CPU time, over the difference in requests, is what a request
costs: start-up (a Python's imports, a JavaScript's warming up) and ending are in both and cancel
out. Clients take turns within a round, so that a slow minute meets them all.
"""

import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.counter import client_core, pinned, running, server_core
from bench.generators import CONNECTIONS, OwnClient
from bench.machine import Conditions, children_s
from bench.tables import Table
from bench.tools import TOOLS, WRK, Tool
from history.errors import UserError

SHORT_S = 1
SERVER_BUSY = 0.9
WRK_COST_S = 0.091
"""What wrk cost on the machine that the targets were set on: with it they carry over as ratios."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Something to measure: it loads a URL for seconds, and then checks itself against a count.

    `target_s` is in CPU seconds for 10,000 requests, None for what is not ours.
    """

    name: str
    records: str
    load: Callable[[str, int, Path], Callable[[int], None]]
    target_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One load: the client's CPU seconds, and what the counter saw of it."""

    cpu_s: float
    requests: int
    rate_per_s: float
    server_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One client in one round. `cost_s` is CPU seconds for 10,000 requests."""

    cost_s: float
    rate_per_s: float
    server_share: float


def own(client: OwnClient, *, records: str, target_s: float) -> Client:
    """Measure a generator of ours, with every value recorded and checked."""

    def load(url: str, seconds: int, folder: Path) -> Callable[[int], None]:
        client.run(url, seconds, folder)

        def check(counted: int) -> None:
            client.record(folder, counted=counted)

        return check

    return Client(name=client.name, records=records, load=load, target_s=target_s)


def foreign(tool: Tool) -> Client:
    """Measure another's tool; what it says it did must agree with the counter."""

    def load(url: str, seconds: int, _folder: Path) -> Callable[[int], None]:
        command = tool.command(url, seconds, CONNECTIONS)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = " ".join((done.stderr or done.stdout).split())[:500]
            raise UserError(f"{tool.name} ended with exit code {done.returncode}: {said}")

        def check(counted: int) -> None:
            # At the end of its time a tool hangs up on what it has under way.
            answered = tool.read(done.stdout)
            if not 0 <= counted - answered <= CONNECTIONS:
                raise UserError(
                    f"{tool.name} speaks of {answered:,} answers, the counter of {counted:,}: its "
                    "figures would mean nothing; run it again"
                )

        return check

    return Client(name=tool.name, records=tool.records, load=load)


EVERY_VALUE = "every value, both times, outcome"
WIRE = OwnClient(name="swarm wire", source="swarm", variables={"TRANSPORT": "wire"})
AIOHTTP = OwnClient(name="swarm aiohttp", source="swarm", variables={"TRANSPORT": "aiohttp"})
LOCUST = OwnClient(name="Locust user", source="locust", variables={})
OWN = (
    own(WIRE, records=EVERY_VALUE, target_s=0.18),
    own(AIOHTTP, records=EVERY_VALUE, target_s=0.95),
    own(LOCUST, records=EVERY_VALUE, target_s=1.7),
)


def sample(client: Client, program: Path, seconds: int) -> Sample:
    """Let a client load a counter of its own; raises UserError where the two do not agree."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(program, core=server_core()) as counter,
    ):
        before_s = children_s()
        with pinned(client_core()):
            check = client.load(counter.url, seconds, Path(folder))
        cpu_s = children_s() - before_s
        tally = counter.stop()
        check(tally.requests)
    return Sample(
        cpu_s=cpu_s,
        requests=tally.requests,
        rate_per_s=tally.requests / tally.active_s,
        server_share=tally.cpu_share,
    )


def cost(name: str, short: Sample, long: Sample) -> Cost:
    """Take a client's short load off its long one; what is left is requests only."""
    more = long.requests - short.requests
    if more <= 0:
        raise UserError(
            f"{name} sent no more requests in a longer load ({long.requests:,}) than in a shorter "
            f"one ({short.requests:,}): the machine is too busy to measure; run it again"
        )
    return Cost(
        cost_s=(long.cpu_s - short.cpu_s) / more * 10_000,
        rate_per_s=long.rate_per_s,
        server_share=long.server_share,
    )


def clients(program: Path, *, rounds: int, seconds: int) -> Table:
    """Measure every client that is there, in turns."""
    there = [tool for tool in TOOLS if shutil.which(tool.name)]
    measured = [*OWN, *map(foreign, there)]
    conditions = Conditions()
    costs: dict[str, list[Cost]] = {client.name: [] for client in measured}
    for turn in range(rounds):
        conditions.sample()
        first = turn % len(measured)
        for client in [*measured[first:], *measured[:first]]:
            short = sample(client, program, SHORT_S)
            long = sample(client, program, SHORT_S + seconds)
            costs[client.name].append(cost(client.name, short, long))
    missing = [f"{tool.name} ({tool.package})" for tool in TOOLS if tool not in there]
    return table(measured, costs, missing=missing, conditions=conditions.notes())


def table(
    measured: Sequence[Client],
    costs: Mapping[str, Sequence[Cost]],
    *,
    missing: Sequence[str],
    conditions: Sequence[str],
) -> Table:
    """Set the clients side by side, cheapest first; medians of their rounds."""
    ratios = {name: ratio_to_wrk(cost, costs.get(WRK.name, ())) for name, cost in costs.items()}
    cheapest = sorted(measured, key=lambda client: _median("cost_s", costs[client.name]))
    rounds = len(next(iter(costs.values())))
    return Table(
        title=f"Clients, {CONNECTIONS} kept-alive connections, medians of {rounds} (least to most)",
        columns=(
            *("client", "CPU-s per 10,000", "times wrk", "target", "target, times wrk"),
            *("requests/s", "counter busy", "records"),
        ),
        rows=tuple(_row(client, costs[client.name], ratios[client.name]) for client in cheapest),
        words=frozenset({"client", "records"}),
        notes=(
            *_targets(measured, ratios),
            *([f"Not installed, not measured: {', '.join(missing)}."] if missing else []),
            *_busy(costs),
            *conditions,
        ),
    )


def ratio_to_wrk(costs: Sequence[Cost], wrk: Sequence[Cost]) -> float | None:
    """Give how many times as much as wrk a client costs: the median of each round's ratio."""
    if not wrk:
        return None
    pairs = zip(costs, wrk, strict=True)
    return statistics.median(cost.cost_s / floor.cost_s for cost, floor in pairs)


def _median(field: str, costs: Sequence[Cost]) -> float:
    return float(statistics.median(getattr(cost, field) for cost in costs))


def _row(client: Client, costs: Sequence[Cost], ratio: float | None) -> tuple[str, ...]:
    each_s = [cost.cost_s for cost in costs]
    target_s = client.target_s
    share = _median("server_share", costs)
    return (
        client.name,
        f"{statistics.median(each_s):.3f} ({min(each_s):.3f} to {max(each_s):.3f})",
        f"{ratio:.2f}" if ratio else "",
        f"{target_s:.2f}" if target_s else "",
        f"{target_s / WRK_COST_S:.2f}" if target_s else "",
        f"{_median('rate_per_s', costs):,.0f}",
        f"{share:.0%}{' (!)' if share > SERVER_BUSY else ''}",
        client.records,
    )


def _targets(measured: Sequence[Client], ratios: Mapping[str, float | None]) -> tuple[str, ...]:
    judged = [
        f"{client.name} {'kept' if ratio <= client.target_s / WRK_COST_S else 'missed'}"
        for client in measured
        if client.target_s and (ratio := ratios[client.name])
    ]
    if not judged:
        return (f"Without wrk nothing says how fast this machine is: {WRK.package}.",)
    return (f"Targets, as multiples of wrk in the same run: {', '.join(judged)}.",)


def _busy(costs: Mapping[str, Sequence[Cost]]) -> tuple[str, ...]:
    busy = [name for name, each in costs.items() if _median("server_share", each) > SERVER_BUSY]
    if not busy:
        return ()
    said = (
        f"(!) the counter was busier than {SERVER_BUSY:.0%} of its core with {', '.join(busy)}: "
        "the requests/s are its limit, not the client's; the CPU time is the client's own."
    )
    return (said,)
