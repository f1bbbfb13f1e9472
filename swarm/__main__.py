"""One process of the swarm. The runner starts it; by hand it is started with --duration."""

import argparse
import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from history.destination import require_allowed
from history.errors import UserError, run_main
from history.gate import GeneratorGate, LoadWindow
from history.journal import SUFFIX, Journal
from swarm.load import drive
from swarm.schedule import NS_PER_S, intended_times, share
from swarm.transport import AiohttpTransport

SOURCE = "swarm"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m swarm",
        description="Send GET requests to a counter from many connections and record each one.",
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
    with Journal(options.journals / f"{name}{SUFFIX}", process=name, source=SOURCE) as journal:
        uvloop.run(_run(options, journal, GeneratorGate.from_environment(os.environ)))
    return 0


async def _run(options: argparse.Namespace, journal: Journal, gate: GeneratorGate | None) -> None:
    stop = asyncio.Event()
    async with AiohttpTransport(options.url, timeout_s=options.timeout) as transport:
        window = _open_window(options, gate)
        if window is None:
            return
        if gate is not None:
            # Nothing more is ever written there: readable means that the runner has closed it.
            asyncio.get_running_loop().add_reader(gate.go_fd, stop.set)
        intended = (
            intended_times(
                rate_per_s=options.rate,
                start_ns=window.start_ns,
                end_ns=window.end_ns,
                parts=options.processes,
                index=options.process,
            )
            if options.rate > 0
            else None
        )
        connections = share(options.connections, options.processes, options.process)
        if not connections:
            raise UserError(
                f"CONNECTIONS={options.connections}: fewer than PROCESSES={options.processes}; "
                "each process needs at least one"
            )
        try:
            await drive(
                transport,
                journal,
                window=window,
                connections=connections,
                intended=intended,
                stop=stop,
                grace_s=options.timeout + 1,
            )
        finally:
            if gate is not None:
                asyncio.get_running_loop().remove_reader(gate.go_fd)


def _open_window(options: argparse.Namespace, gate: GeneratorGate | None) -> LoadWindow | None:
    if gate is not None:
        return gate.wait()  # blocks the loop, which has nothing else to do yet
    now_ns = time.monotonic_ns()
    return LoadWindow(start_ns=now_ns, end_ns=now_ns + int(options.duration * NS_PER_S))


if __name__ == "__main__":
    run_main(main)
