"""`python -m deploy.local`: run the local cloud in this process until told to stop."""

import argparse
import asyncio
import errno
import gc
import json
import logging
import os
import secrets
import signal
import socket
from pathlib import Path

import uvloop

from deploy.local import server
from deploy.local.flood import FloodFilter
from deploy.local.holding import hold, holder_of, sign, unusable
from deploy.local.options import add_arguments, from_arguments
from history.errors import UserError, run_main

log = logging.getLogger("gapless.local")

PORT_MAX = 65_535


def main() -> int:
    """Parse the arguments, serve, and report readiness on a file descriptor if one was given."""
    options = parse_arguments()
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(FloodFilter())
    log.setLevel(logging.INFO)
    try:
        listener = prepared(options)
        uvloop.run(serve(listener, options))
    except UserError as error:
        report(options, {"error": str(error)})
        raise
    return 0


def prepared(options: argparse.Namespace) -> socket.socket:
    """Take the folder and the port. Raises UserError if either is somebody else's or unusable."""
    if hold(options.state_dir) is None:  # never closed: ours until this process ends
        holder = holder_of(options.state_dir)
        by = f" (process {holder})" if holder is not None else ""
        raise UserError(
            f"another local cloud{by} keeps its state in {options.state_dir}: stop it first"
        )
    sign(options.state_dir)
    try:
        return server.bind(options.port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise UserError(
                f"port {options.port} on 127.0.0.1 cannot be used ({error.strerror}); choose "
                "another one with LOCAL_PORT=<port> (0: any free port)"
            ) from error
        raise UserError(
            f"port {options.port} on 127.0.0.1 is taken by another program; "
            "choose another one with LOCAL_PORT=<port> (0: any free port)"
        ) from None


def port_of(text: str) -> int:
    """Read a port number. Raises argparse's error."""
    if not text.isascii() or not text.isdigit() or int(text) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text} is no port: expected 0 (any free) to {PORT_MAX}")
    return int(text)


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description="The embedded local cloud: CloudFormation, IAM, API Gateway and DynamoDB "
        "on one port of 127.0.0.1, in memory.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--port", type=port_of, default=4566, help="port; 0 takes any free one")
    add_arguments(parser)
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=Path(".local/state"),
        help="where emulated services may write",
    )
    parser.add_argument(
        "--state-file", type=Path, help="say here, in JSON, where this cloud serves while it does"
    )
    parser.add_argument("--instance", default=secrets.token_hex(8), help="id in the health answer")
    parser.add_argument("--ready-fd", type=int, help="write one line of JSON here once serving")
    parser.add_argument("--parent-fd", type=int, help="stop when this pipe's other end closes")
    return parser.parse_args()


async def serve(listener: socket.socket, options: argparse.Namespace) -> None:
    """Serve until SIGTERM, SIGINT or the parent's end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if options.parent_fd is not None:
        # The parent writes nothing: the pipe is readable only once it closes, by its death too.
        loop.add_reader(options.parent_fd, stop.set)
    async with server.serving(
        listener,
        instance=options.instance,
        state_dir=options.state_dir,
        options=from_arguments(options),
    ):
        spare_the_collector()
        port = listener.getsockname()[1]
        log.info("serving on http://127.0.0.1:%d as process %d", port, os.getpid())
        if options.state_file is not None:
            write_state(options, port)
        started_by_hand = options.ready_fd is None
        report(options, {"port": port, "instance": options.instance})
        if started_by_hand:
            print(f"local cloud on http://127.0.0.1:{port}, Ctrl-C stops it", flush=True)
        await stop.wait()
    if options.state_file is not None:
        options.state_file.unlink(missing_ok=True)
    log.info("stopped")
    # Everything is in memory and the clients are gone. Leaving the ordinary way would wait for
    # MiniStack's worker threads, one of which may be waiting for minutes (a WaitCondition).
    logging.shutdown()
    os._exit(0)


def spare_the_collector() -> None:
    """Keep Python's garbage collector from going over all of MiniStack again and again.

    What is loaded now stays for good, and an update leaves a hundred young objects: with Python's
    own thresholds the collector took a fifth of every GET, and the pauses made its p99.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def write_state(options: argparse.Namespace, port: int) -> None:
    """Say where and as what this cloud serves, in a file that is there whole or not at all."""
    state = {
        "pid": os.getpid(),
        "endpoint_url": f"http://127.0.0.1:{port}",
        "instance": options.instance,
        "variables": from_arguments(options).variables(),
    }
    half = options.state_file.with_suffix(".half")
    try:
        half.write_text(json.dumps(state) + "\n")
        half.replace(options.state_file)
    except OSError as error:
        raise unusable(options.state_file.parent, error) from error


def report(options: argparse.Namespace, state: dict[str, str | int]) -> None:
    """Tell whoever started this process how that went, once, and close the descriptor."""
    ready_fd, options.ready_fd = options.ready_fd, None
    if ready_fd is not None:
        with os.fdopen(ready_fd, "w") as ready:
            ready.write(json.dumps(state) + "\n")


if __name__ == "__main__":
    run_main(main)
