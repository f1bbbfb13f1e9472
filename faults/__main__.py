"""`python -m faults`: an intermediary in front of a counter, until told to stop."""

import argparse
import asyncio
import gc
import json
import os
import random
import signal
import stat
import sys
from collections.abc import Sequence

import uvloop

from faults import harmless, wrong
from faults.behaviour import Behaviour, Setting
from faults.exchange import Upstream
from faults.intermediary import serving
from history.destination import require_allowed
from history.errors import UserError, run_main
from history.fault import COUNTS_PATH, FAULTS, NONE, FaultSpec, parse_fault
from history.operation import Returns

BEHAVIOURS: dict[str, type[Behaviour]] = {
    NONE: harmless.PassOn,
    "lost-update": wrong.LostUpdate,
    "cache": wrong.Cache,
    "repeat": wrong.Repeat,
    "resend": wrong.Resend,
    "swap": wrong.Swap,
    "replica": wrong.Replica,
    "blocks": wrong.Blocks,
    "restore": wrong.Restore,
    "drop": harmless.Drop,
    "reset": harmless.Reset,
    "hang": harmless.Hang,
    "unavailable": harmless.Unavailable,
    "throttle": harmless.Throttle,
    "reorder": harmless.Reorder,
    "slow-start": harmless.SlowStart,
}
"""What behaves like each of history.fault.FAULTS."""


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {fault.name:<12} {fault.meaning}" for fault in FAULTS.values())
    parser = argparse.ArgumentParser(
        prog="python -m faults",
        description="Stand between callers and a counter, and be wrong in one known way.",
        epilog=f"faults:\n{listed}\n\nGET {COUNTS_PATH} answers how often it did so.\n\n"
        "example: python -m faults --upstream http://127.0.0.1:8000/ --fault resend:0.001",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--upstream", required=True, help="the counter, whose GET returns the next integer")
    add("--fault", default=NONE, help="NAME or NAME:AMOUNT [default: %(default)s]")
    add("--seed", type=int, default=0, help="draws which requests go wrong [default: %(default)s]")
    add("--returns", choices=[*map(str, Returns)], default="new", help="[default: %(default)s]")
    add("--host", default="127.0.0.1", help="address to listen on [default: %(default)s]")
    add("--port", type=int, default=0, help="port; 0 takes any free one [default: %(default)s]")
    add("--allow-host", action="append", default=[], help="a host besides loopback; repeatable")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM, Ctrl-C, or the end of a pipe that is standard input."""
    options = _parser().parse_args(arguments)
    try:
        spec = parse_fault(options.fault)
    except ValueError as error:
        raise UserError(f"--fault {options.fault}: expected {error}") from error
    upstream = Upstream(require_allowed(options.upstream, options.allow_host))
    try:
        uvloop.run(_serve(upstream, spec, options))
    except OSError as error:
        raise UserError(
            f"--host {options.host} --port {options.port}: cannot listen there "
            f"({error.strerror or error}); choose another"
        ) from error
    return 0


def behaviour_of(spec: FaultSpec, upstream: Upstream, *, seed: int, returns: Returns) -> Behaviour:
    """Make what behaves as a fault does, before a counter."""
    draw = random.Random(f"{seed}/{spec.text}").random  # noqa: S311 -- load, not secrets
    setting = Setting(
        counter=upstream.destination,
        send=upstream.send,
        amount=spec.amount,
        returns=returns,
        draw=draw,
    )
    return BEHAVIOURS[spec.name](setting)


async def _serve(upstream: Upstream, spec: FaultSpec, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        # Whoever started us writes nothing: readable means that it has gone.
        loop.add_reader(sys.stdin.fileno(), stop.set)
    behaviour = behaviour_of(spec, upstream, seed=options.seed, returns=Returns(options.returns))
    async with (
        upstream,
        serving(upstream, behaviour, host=options.host, port=options.port) as url,
    ):
        print(json.dumps({"url": url}), flush=True)
        gc.freeze()
        await stop.wait()


if __name__ == "__main__":
    run_main(main)
