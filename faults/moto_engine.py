"""`python -m faults.moto_engine`: moto's DynamoDB, which is not atomic, to be used as an ENGINE.

moto 5.2.5 answers each request in a thread of its own and updates an item without a lock. With
Python's usual switch interval its threads interrupt each other too rarely to be relied on; with a
short one they lose updates every time (measured: 57 to 84 duplicates in 3,000 to 4,000 updates).
"""

import argparse
import json
import sys
from collections.abc import Sequence

from history.errors import UserError, run_main

SWITCH_INTERVAL_S = 1e-5


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until standard input ends."""
    argparse.ArgumentParser(
        prog="python -m faults.moto_engine",
        description="Serve moto's DynamoDB on a free port of 127.0.0.1; prints its URL.",
    ).parse_args(arguments)
    try:
        from moto.moto_server.threaded_moto_server import ThreadedMotoServer  # noqa: PLC0415
    except ImportError as error:
        raise UserError(f"moto is not installed ({error}); make controls installs it") from error
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    print(json.dumps({"url": f"http://{host}:{port}"}), flush=True)
    sys.stdin.read()  # ends when whoever started us does
    server.stop()
    return 0


if __name__ == "__main__":
    run_main(main)
