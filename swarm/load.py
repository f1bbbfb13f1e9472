"""Driving one process's connections, from the window's start to its end; everything recorded.

What all ways of sending have in common: who is in flight, what has timed out, when it is over.
When a free connection sends next is swarm/pacing.py.
"""

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from history.destination import REFUSED_PAUSE_S
from history.gate import LoadWindow
from history.journal import NO_TIME, Journal
from history.operation import Kind, Reason
from history.shape import LoadShape
from swarm.alarm import Alarm
from swarm.schedule import NS_PER_S, share
from swarm.transport import Client, Listener, Transport

GRACE_S = 1.0
"""After the last request's time-out, what it may take to say that it timed out."""

CONNECTING_S = 10.0
"""What opening connections ahead of the load may take; the others are opened when they send."""

_CONNECTING_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What process `index` of `parts` is to do; `connections` and `rate_per_s` are of all.

    `next_kind` says of each request in turn whether it increments or decrements.
    """

    shape: LoadShape
    rate_per_s: float
    arrivals: str
    seed: int
    connections: int
    connections_max: int
    parts: int
    index: int
    timeout_s: float
    next_kind: Callable[[], Kind]

    @property
    def own_connections(self) -> int:
        """This process's part of the connections."""
        return share(self.connections, self.parts, self.index)

    @property
    def own_connections_max(self) -> int:
        """How many this process may open in an open loop, at least its part."""
        return max(self.own_connections, share(self.connections_max, self.parts, self.index))


class Load(ABC):
    """The connections of one process under one plan. Made and run within an event loop."""

    def __init__(self, transport: Transport, journal: Journal, plan: Plan) -> None:
        self.plan = plan
        self.clients: list[Client] = []
        self.in_flight = 0
        self.window = LoadWindow(start_ns=0, end_ns=0)
        self.alarm = Alarm(asyncio.get_running_loop(), self.ring)
        self.loop = asyncio.get_running_loop()
        self._transport = transport
        self._next_kind = plan.next_kind
        self._journal = journal
        self._listener = Listener(self._answered, self._failed, lambda: self._stopping)
        self._stopping = False
        self._over: asyncio.Future[None] = self.loop.create_future()
        self._drained: asyncio.Future[None] = self.loop.create_future()
        for _ in range(plan.own_connections):
            self.add_client()

    # -- what a way of pacing decides

    @abstractmethod
    def start(self) -> None:
        """Begin: the window has been set, its start is yet to come."""

    @abstractmethod
    def ring(self) -> None:
        """Do what the alarm was set for."""

    @abstractmethod
    def free(self, client: Client) -> None:
        """Decide what a client does whose operation is recorded."""

    def queued(self, now_ns: int) -> int:  # noqa: ARG002 -- only an open loop has a queue
        """Count the requests that were due by now and wait for a connection."""
        return 0

    # -- what they share

    def add_client(self) -> Client:
        """Make one more client, with the next worker number."""
        client = self._transport.client(len(self.clients), self._journal, self._listener)
        self.clients.append(client)
        return client

    def send(self, client: Client, intended_ns: int = NO_TIME) -> None:
        """Let a client send one request."""
        self.in_flight += 1
        client.send(intended_ns, self._next_kind())

    async def connect(self) -> None:
        """Open the connections ahead of the load, as far as the transport can within a while."""
        turns = asyncio.Semaphore(_CONNECTING_AT_ONCE)

        async def one(client: Client) -> None:
            async with turns:
                await self.connect_one(client)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECTING_S):
                await asyncio.gather(*(one(client) for client in self.clients))

    async def connect_one(self, client: Client) -> None:
        """Open one client's connection where it has none and the transport can."""
        await self._transport.connect(client)

    async def run(self, window: LoadWindow) -> None:
        """Send until the window ends or `stop` is called; requests in flight may finish.

        What is still unanswered after its time-out and a grace stays in the journal without an
        answer: indeterminate. Raises UserError when the journal cannot be written.
        """
        self.window = window
        sweeper = self.loop.create_task(self._sweep())
        sweeper.add_done_callback(self.hear)
        self.start()
        try:
            left_s = (window.end_ns - time.monotonic_ns()) / NS_PER_S
            await asyncio.wait({self._over}, timeout=max(0.0, left_s))
            self._stopping = True
            self.alarm.close()
            if self.in_flight > 0:
                await asyncio.wait({self._drained}, timeout=self.plan.timeout_s + GRACE_S)
            if self._over.done():
                self._over.result()
        finally:
            sweeper.cancel()

    def close(self) -> None:
        """Close every connection; what is in flight stays without an answer."""
        self.alarm.close()
        for client in self.clients:
            client.close()

    def stop(self) -> None:
        """Send nothing more."""
        if not self._over.done():
            self._over.set_result(None)

    def fail(self, error: Exception) -> None:
        """Send nothing more, since nothing can be recorded: `run` raises this."""
        if not self._over.done():
            self._over.set_exception(error)

    def hear(self, task: asyncio.Task[None]) -> None:
        """Hear of what a task that nobody awaits has raised."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self.fail(error)

    def _failed(self, error: Exception) -> None:
        self.fail(error)
        self._ended()

    def _answered(self, client: Client, reason: Reason) -> None:
        if self._stopping:
            self._ended()
            return
        self.in_flight -= 1
        if reason is Reason.NEVER_SENT:
            self.loop.call_later(REFUSED_PAUSE_S, self._free_unless_stopping, client)
        else:
            self.free(client)

    def _free_unless_stopping(self, client: Client) -> None:
        if not self._stopping:
            self.free(client)

    def _ended(self) -> None:
        self.in_flight -= 1
        if self._stopping and self.in_flight <= 0 and not self._drained.done():
            self._drained.set_result(None)

    async def _sweep(self) -> None:
        """Give up what has waited too long: one look at all, no timer for each request."""
        timeout_ns = int(self.plan.timeout_s * NS_PER_S)
        pause_s = min(0.5, max(0.02, self.plan.timeout_s / 20))
        while True:
            await asyncio.sleep(pause_s)
            latest_ns = time.monotonic_ns() - timeout_ns
            for client in tuple(self.clients):
                if 0 < client.since_ns <= latest_ns:
                    client.give_up()
