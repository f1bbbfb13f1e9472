"""A swarm's connection whose process is killed at a step of sending and of being answered.

    python -m tests.swarm.killed wire URL FOLDER

For each number on standard input: forks a process that sends two requests, the second one step
by step until that step, recording in FOLDER/<n>.journal. Prints whether it was killed.
"""

import asyncio
import sys
from functools import partial
from pathlib import Path
from types import CodeType

import uvloop

import swarm
from history.journal import NO_TIME, Journal
from history.operation import Reason
from swarm.__main__ import transport_of
from swarm.transport import Client, Listener
from tests.killing import Steps, Tell, killed_at

_SWARM = tuple(swarm.__path__)
REQUESTS = 2
"""The last one is sent step by step: what is done once has been done by then."""


def sends(code: CodeType) -> bool:
    """Tell whether a function is one of the swarm's."""
    return code.co_filename.startswith(_SWARM)


async def _send(transport: str, url: str, journal: Journal, steps: Steps) -> None:
    over = asyncio.get_running_loop().create_future()
    left = REQUESTS

    def answered(client: Client, _: Reason) -> None:
        nonlocal left
        left -= 1
        if left == 1:
            steps.begin()
        if left:
            asyncio.get_running_loop().call_soon(client.send, NO_TIME)
        else:
            steps.pause()
            over.set_result(None)

    async with transport_of(transport)(url, timeout_s=60) as open_transport:
        client = open_transport.client(0, journal, Listener(answered, over.set_exception, bool))
        await open_transport.connect(client)
        client.send(NO_TIME)
        await over


def send(transport: str, url: str, folder: Path, last: int, _: Tell) -> None:
    """Send requests until the last step."""
    steps = Steps(last, watched=sends)
    name = f"{last:04}"
    with Journal(folder / f"{name}.journal", process=name, source="swarm") as journal:
        uvloop.run(_send(transport, url, journal, steps))


def main() -> None:
    """Do as told, line by line."""
    transport, url, folder = sys.argv[1:]
    transport_of(transport)  # imported once, not in every fork
    for line in sys.stdin:
        _, killed = killed_at(int(line), partial(send, transport, url, Path(folder)))
        print(int(killed), flush=True)


if __name__ == "__main__":
    main()
