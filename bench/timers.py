"""Senders of an open loop that are as simple as they can be: what ours is compared with.

    python -m bench.timers HOW URL RATE ARRIVALS SECONDS SEED

HOW is `asyncio` or `uvloop` (each request by that loop's own timer, call_at) or `sleep` (a loop
that sends, and sleeps for 1/RATE). Prints, as a JSON list, how many nanoseconds late each request
was sent.
"""

import asyncio
import functools
import itertools
import json
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import cast
from urllib.parse import urlsplit

import uvloop

from history.shape import parse_shape
from swarm.schedule import NS_PER_S, intended_times

CONNECTIONS = 50
START_NS = 100_000_000
PATIENCE_S = 60.0
SLEEP = "sleep"


class Connection(asyncio.Protocol):
    """One kept-alive connection; it goes back to the idle ones when its answer has come."""

    def __init__(self, sender: "Sender") -> None:
        self._sender = sender
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport: requests are written to it as they are."""
        stream = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self.write = stream.write
        self.close = stream.close

    def data_received(self, data: bytes) -> None:
        """Wait for the end of the answer, which says how long it is."""
        self._read += data
        head, blank, body = self._read.partition(b"\r\n\r\n")
        if blank and len(body) == int(head.rpartition(b"Content-Length: ")[2].split(b"\r\n")[0]):
            self._read = b""
            self._sender.answered(self)


class Sender:
    """Sends one request when it is told to, over whichever connection is idle; keeps how late."""

    def __init__(self, host: str) -> None:
        self._request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self._idle: list[Connection] = []
        self._queued: deque[int] = deque()
        self.connections: list[Connection] = []
        self.late_ns: list[int] = []
        self.answers = 0

    async def connect(self, host: str, port: int) -> None:
        """Open every connection."""
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            _, connection = await loop.create_connection(lambda: Connection(self), host, port)
            self.connections.append(connection)
        self._idle = list(self.connections)

    def send(self, due_ns: int) -> None:
        """Send a request that was due at a time; it waits while every connection is busy."""
        if not self._idle:
            self._queued.append(due_ns)
            return
        connection = self._idle.pop()
        self.late_ns.append(time.monotonic_ns() - due_ns)
        connection.write(self._request)

    def answered(self, connection: Connection) -> None:
        """Take a connection back."""
        self.answers += 1
        self._idle.append(connection)
        if self._queued:
            self.send(self._queued.popleft())

    async def all_answered(self) -> None:
        """Wait for every answer, then hang up. Raises TimeoutError if some do not come."""
        async with asyncio.timeout(PATIENCE_S):
            while self.answers < len(self.late_ns) or self._queued:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for connection in self.connections:
            connection.close()


async def by_timers(sender: Sender, dues: Iterator[int]) -> None:
    """Let one timer after the other send what is due."""
    loop = asyncio.get_running_loop()
    fired = asyncio.Event()
    for due_ns in dues:
        # uvloop's timers may fire early, and no request may: what is left is waited for again.
        while (left_ns := due_ns - time.monotonic_ns()) > 0:
            fired.clear()
            loop.call_at(loop.time() + left_ns / NS_PER_S, fired.set)
            await fired.wait()
        sender.send(due_ns)


async def by_sleeping(sender: Sender, rate_per_s: float, *, start_ns: int, end_ns: int) -> None:
    """Send, sleep 1/rate, and so on: what each took on top of that is never made up for."""
    await asyncio.sleep((start_ns - time.monotonic_ns()) / NS_PER_S)
    for index in itertools.count():
        if time.monotonic_ns() >= end_ns:
            return
        sender.send(start_ns + int(index * NS_PER_S / rate_per_s))
        await asyncio.sleep(1 / rate_per_s)


async def run(url: str, keep: Callable[[Sender], Awaitable[None]]) -> list[int]:
    """Load a URL as `keep` keeps its schedule; give how late each request was sent, in ns."""
    where = urlsplit(url)
    assert where.hostname is not None
    assert where.port is not None
    sender = Sender(where.netloc)
    await sender.connect(where.hostname, where.port)
    await keep(sender)
    await sender.all_answered()
    return sender.late_ns


async def keep_schedule(
    sender: Sender, *, how: str, rate_per_s: float, arrivals: str, seconds: float, seed: int
) -> None:
    """Send from START_NS from now on, for seconds."""
    start_ns = time.monotonic_ns() + START_NS
    end_ns = start_ns + int(seconds * NS_PER_S)
    if how == SLEEP:
        await by_sleeping(sender, rate_per_s, start_ns=start_ns, end_ns=end_ns)
        return
    dues = intended_times(
        shape=parse_shape("constant"),
        rate_per_s=rate_per_s,
        start_ns=start_ns,
        end_ns=end_ns,
        arrivals=arrivals,
        seed=seed,
    )
    await by_timers(sender, dues)


def main() -> None:
    """Run the sender that the command line names."""
    how, url, rate, arrivals, seconds, seed = sys.argv[1:]
    keep = functools.partial(
        keep_schedule,
        how=how,
        rate_per_s=float(rate),
        arrivals=arrivals,
        seconds=float(seconds),
        seed=int(seed),
    )
    new_loop = uvloop.new_event_loop if how == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=new_loop) as runner:
        json.dump(runner.run(run(url, keep)), sys.stdout)


if __name__ == "__main__":
    main()
