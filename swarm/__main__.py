"""One process of the swarm. The runner starts it; by hand it is started with --duration."""

import argparse
import asyncio
import gc
import os
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from history import health
from history.destination import require_allowed
from history.errors import UserError, run_main
from history.gate import GeneratorGate, LoadWindow
from history.health import HealthLog
from history.journal import SUFFIX, Journal
from history.manifest import AIOHTTP, ARRIVALS, TRANSPORTS, UNIFORM, WIRE
from history.mixing import kind_chooser, parse_decrements
from history.shape import parse_shape
from swarm.load import Load, Plan
from swarm.monitor import Monitor
from swarm.pacing import pace
from swarm.schedule import NS_PER_S
from swarm.transport import Transport

SOURCE = "swarm"
SPARE_DESCRIPTORS = 64
"""What a process has open besides its connections."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m swarm",
        description="Send requests to a counter from many connections and record each one.",
        epilog="example: python -m swarm --url http://127.0.0.1:8000/ --journals /tmp/j "
        "--connections 50 --duration 10",
    )
    add = parser.add_argument
    add("--url", required=True, help="whose GET returns the next integer")
    add("--journals", required=True, type=Path, help="folder that gets this process's journal")
    add("--connections", type=int, default=50, help="of all processes [default: %(default)s]")
    add(
        "--rate",
        type=float,
        default=0,
        help="requests/s, all processes; 0: closed loop [%(default)s]",
    )
    add("--arrivals", choices=ARRIVALS, default=UNIFORM, help="[%(default)s]")
    add("--shape", default="constant", help="of the load over time [default: %(default)s]")
    add(
        "--connections-max",
        type=int,
        default=0,
        help="open loop: how many may be opened when all are busy [as many as --connections]",
    )
    add(
        "--decrements",
        default="0",
        help="share of requests that are POST URL/decrement [default: %(default)s]",
    )
    add("--transport", choices=TRANSPORTS, default=AIOHTTP, help="[default: %(default)s]")
    add("--seed", type=int, default=0, help="of what is random [default: %(default)s]")
    add("--process", type=int, default=0, help="index of this process [default: %(default)s]")
    add("--processes", type=int, default=1, help="how many there are [default: %(default)s]")
    add(
        "--timeout", type=float, default=10, help="seconds without an answer [default: %(default)s]"
    )
    add("--duration", type=float, default=10, help="seconds, when no runner opens the gate")
    add("--allow-host", action="append", default=[], help="a host besides loopback; repeatable")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one process of the swarm; give its exit code."""
    options = _parser().parse_args(arguments)
    require_allowed(options.url, options.allow_host)
    name = f"{SOURCE}-{options.process}"
    plan = _plan(options, name)
    _allow_descriptors(max(plan.own_connections, plan.own_connections_max))
    with Journal(options.journals / f"{name}{SUFFIX}", process=name, source=SOURCE) as journal:
        log = HealthLog(options.journals / f"{name}{health.SUFFIX}")
        gate = GeneratorGate.from_environment(os.environ)
        uvloop.run(_run(options, plan, journal, log, gate))
        log.close()
    return 0


def _allow_descriptors(connections: int) -> None:
    """Raise the limit on open files as far as the system lets us; shells often have 1,024."""
    needed = connections + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = hard if hard != resource.RLIM_INFINITY else needed
    if needed > allowed:
        raise UserError(
            f"CONNECTIONS: {connections:,} of one process need {needed:,} open files, this system "
            f"allows {allowed:,}: raise PROCESSES, lower CONNECTIONS (or CONNECTIONS_MAX), or "
            "raise the limit (ulimit -Hn)"
        )
    if needed > soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _plan(options: argparse.Namespace, name: str) -> Plan:
    try:
        shape = parse_shape(options.shape)
    except ValueError as error:
        raise UserError(f"--shape {options.shape}: expected {error}") from error
    try:
        decrements = parse_decrements(options.decrements)
    except ValueError as error:
        raise UserError(f"--decrements {options.decrements}: expected {error}") from error
    plan = Plan(
        shape=shape,
        rate_per_s=options.rate,
        arrivals=options.arrivals,
        seed=options.seed,
        connections=options.connections,
        connections_max=options.connections_max or options.connections,
        parts=options.processes,
        index=options.process,
        timeout_s=options.timeout,
        next_kind=kind_chooser(decrements, seed=options.seed, process=name),
    )
    if not plan.own_connections:
        raise UserError(
            f"CONNECTIONS={plan.connections}: fewer than PROCESSES={plan.parts}; "
            "each process needs at least one"
        )
    return plan


def transport_of(name: str) -> type[Transport]:
    """Import the one that is asked for: aiohttp takes longer than all else of a start."""
    if name == WIRE:
        from swarm.wire import WireTransport  # noqa: PLC0415

        return WireTransport
    from swarm.aiohttp_transport import AiohttpTransport  # noqa: PLC0415

    return AiohttpTransport


async def _run(
    options: argparse.Namespace,
    plan: Plan,
    journal: Journal,
    log: HealthLog,
    gate: GeneratorGate | None,
) -> None:
    transport_type = transport_of(options.transport)
    async with transport_type(options.url, timeout_s=plan.timeout_s) as transport:
        load = pace(transport, journal, plan)
        await load.connect()
        gc.freeze()  # what is there by now stays: the collector need not walk it while we send
        try:
            window = _open_window(options, gate)
            if window is not None:
                await _send(load, Monitor(load, log, f"{SOURCE}-{plan.index}"), window, gate)
        finally:
            load.close()


async def _send(
    load: Load, monitor: Monitor, window: LoadWindow, gate: GeneratorGate | None
) -> None:
    loop = asyncio.get_running_loop()

    def unexpected(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # A callback that raises would only be logged, and the load be weaker than it says.
        error = context.get("exception")
        if isinstance(error, Exception) and not isinstance(error, OSError):
            load.fail(error)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(unexpected)

    def closed(descriptor: int) -> None:
        loop.remove_reader(descriptor)  # it stays readable
        load.stop()

    if gate is not None:
        # Nothing more is ever written there: readable means that the runner has closed it.
        loop.add_reader(gate.go_fd, closed, gate.go_fd)
    monitor.start(window)
    try:
        await load.run(window)
    finally:
        monitor.close()
        if gate is not None:
            loop.remove_reader(gate.go_fd)


def _open_window(options: argparse.Namespace, gate: GeneratorGate | None) -> LoadWindow | None:
    if gate is not None:
        return gate.wait()  # blocks the loop, which has nothing else to do yet
    now_ns = time.monotonic_ns()
    return LoadWindow(start_ns=now_ns, end_ns=now_ns + int(options.duration * NS_PER_S))


if __name__ == "__main__":
    run_main(main)
