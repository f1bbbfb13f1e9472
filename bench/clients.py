"""What a request costs each client: CPU, side by side, on one core, against a compiled counter.

Every client sends GETs over 50 kept-alive connections. Its CPU time and the counter's count are
looked at a second after its first request, and again some seconds later: what lies between is
requests only. What is done once (a Python's imports, a JavaScript's warming up, a summary at the
end) is in none of it. Clients take turns within a round, so that a slow minute meets them all.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.counter import CounterProcess, Tally, client_core, pinned, running, server_core
from bench.generators import CONNECTIONS, OwnClient
from bench.machine import Conditions, is_alive, tree_cpu_s
from bench.tables import Table
from bench.tools import TOOLS, WRK, Tool
from history.errors import UserError

LEAD_S = 1
TAIL_S = 1
POLL_S = 0.02
SAID = "said"
SERVER_BUSY = 0.9
WRK_COST_S = 0.091
"""What wrk cost on the machine that the targets were set on: with it they carry over as ratios."""


class Load(Protocol):
    """A client that is sending."""

    @property
    def pid(self) -> int:
        """The process that sends, or that started those that do."""
        ...

    def finish(self) -> None:
        """Wait for its end; raises UserError if that is not a good one."""
        ...

    def abandon(self) -> None:
        """End it at once, if it has not ended yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Something to measure.

    `start` lets it load a URL for seconds, with a folder to itself. `check` raises UserError
    unless what that left there agrees with what the counter counted. `target_s` is in CPU seconds
    for 10,000 requests, None for what is not ours.
    """

    name: str
    records: str
    start: Callable[[str, int, Path], Load]
    check: Callable[[Path, int], None]
    target_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One client in one round. `cost_s` is CPU seconds for 10,000 requests."""

    cost_s: float
    rate_per_s: float
    server_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A moment of a load: the client's CPU seconds so far, and what the counter has done."""

    cpu_s: float
    tally: Tally


def own(client: OwnClient, *, records: str, target_s: float) -> Client:
    """Measure a generator of ours, with every value recorded and checked."""

    def check(folder: Path, counted: int) -> None:
        client.record(folder, counted=counted)

    return Client(
        name=client.name, records=records, start=client.start, check=check, target_s=target_s
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLoad:
    """Another's load generator that is sending; what it complains of goes into a file."""

    name: str
    process: subprocess.Popen[bytes]
    complaints: Path

    @property
    def pid(self) -> int:
        """The tool."""
        return self.process.pid

    def finish(self) -> None:
        """Wait until it has sent all; raises UserError if it complains."""
        code = self.process.wait()
        if code != 0:
            said = " ".join(self.complaints.read_text(errors="replace").split())[:500]
            raise UserError(f"{self.name} ended with exit code {code}: {said}")

    def abandon(self) -> None:
        """End it at once, if it has not ended yet."""
        self.process.kill()
        self.process.wait()


def foreign(tool: Tool) -> Client:
    """Measure another's tool; what it says it did must agree with the counter."""

    def start(url: str, seconds: int, folder: Path) -> ToolLoad:
        complaints = folder / "complaints"
        command = tool.command(url, seconds, CONNECTIONS)
        with (folder / SAID).open("wb") as said, complaints.open("wb") as complaining:
            process = subprocess.Popen(command, stdout=said, stderr=complaining)
        return ToolLoad(name=tool.name, process=process, complaints=complaints)

    def check(folder: Path, counted: int) -> None:
        # At the end of its time a tool hangs up on what it has under way.
        answered = tool.read((folder / SAID).read_text())
        if not 0 <= counted - answered <= CONNECTIONS:
            raise UserError(
                f"{tool.name} speaks of {answered:,} answers, the counter of {counted:,}: its "
                "figures would mean nothing; run it again"
            )

    return Client(name=tool.name, records=tool.records, start=start, check=check)


EVERY_VALUE = "every value, both times, outcome"
WIRE = OwnClient(name="swarm wire", source="swarm", variables={"TRANSPORT": "wire"})
AIOHTTP = OwnClient(name="swarm aiohttp", source="swarm", variables={"TRANSPORT": "aiohttp"})
LOCUST = OwnClient(name="Locust user", source="locust", variables={})
OWN = (
    own(WIRE, records=EVERY_VALUE, target_s=0.18),
    own(AIOHTTP, records=EVERY_VALUE, target_s=0.95),
    own(LOCUST, records=EVERY_VALUE, target_s=1.7),
)


def sample(client: Client, program: Path, seconds: int) -> Cost:
    """Let a client load a counter of its own; raises UserError where the two do not agree."""
    with (
        tempfile.TemporaryDirectory() as name,
        running(program, core=server_core()) as counter,
    ):
        folder = Path(name)
        with pinned(client_core()):
            load = client.start(counter.url, LEAD_S + seconds + TAIL_S, folder)
        try:
            first, last = looks(load.pid, counter, seconds)
            load.finish()
        finally:
            load.abandon()
        client.check(folder, counter.stop().requests)
    return cost(client.name, first, last)


def looks(pid: int, counter: CounterProcess, seconds: int) -> tuple[Look, Look]:
    """Look at a client a while after its first request, and seconds later; at once if it died."""

    def look() -> Look:
        return Look(cpu_s=tree_cpu_s(pid), tally=counter.look())

    while not (first := look()).tally.requests:
        if not is_alive(pid):
            return first, first
        time.sleep(POLL_S)
    time.sleep(LEAD_S)
    first = look()
    time.sleep(seconds)
    return first, look()


def cost(name: str, first: Look, last: Look) -> Cost:
    """Give what a client's requests between two looks cost."""
    requests = last.tally.requests - first.tally.requests
    took_s = last.tally.at_s - first.tally.at_s
    if requests <= 0:
        raise UserError(
            f"{name} sent nothing for {took_s:.1f} s in the middle of its load: that is no "
            "measurement; run it again"
        )
    return Cost(
        cost_s=(last.cpu_s - first.cpu_s) / requests * 10_000,
        rate_per_s=requests / took_s,
        server_share=(last.tally.cpu_s - first.tally.cpu_s) / took_s,
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
            costs[client.name].append(sample(client, program, seconds))
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
