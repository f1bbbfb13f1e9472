"""When a free connection sends its next request: closed loop, open loop, volleys."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator

from history.journal import Journal
from history.shape import BURST, clients_at, requests_due, volley_interval_ns
from swarm.load import Load, Plan
from swarm.schedule import NS_PER_S, intended_times, share
from swarm.transport import Client, Transport

RESHAPE_NS = 100_000_000
"""How often a closed loop looks at its shape."""


def pace(transport: Transport, journal: Journal, plan: Plan) -> Load:
    """Give the load that a plan asks for."""
    if plan.shape.name == BURST:
        return Volleys(transport, journal, plan)
    if plan.rate_per_s > 0:
        return OpenLoop(transport, journal, plan)
    return ClosedLoop(transport, journal, plan)


class ClosedLoop(Load):
    """Each connection sends as soon as its last request is answered.

    The shape's level is the share of the connections that do; the others pause.
    """

    def start(self) -> None:
        """Begin with the window."""
        self._active = 0
        self._paused = dict.fromkeys(self.clients)
        self.alarm.set(self.window.start_ns)

    def ring(self) -> None:
        """Let as many connections send as the shape says by now."""
        plan, window = self.plan, self.window
        now_ns = time.monotonic_ns()
        elapsed = (now_ns - window.start_ns) / (window.end_ns - window.start_ns)
        active = clients_at(plan.shape, plan.connections, elapsed)
        self._active = share(active, plan.parts, plan.index)
        woken = [client for client in self._paused if client.worker < self._active]
        for client in woken:
            del self._paused[client]
            self.send(client)
        if not plan.shape.is_constant:
            self.alarm.set(now_ns + RESHAPE_NS)

    def free(self, client: Client) -> None:
        """Send again at once, unless the shape has sunk below this connection."""
        if client.worker < self._active:
            self.send(client)
        else:
            self._paused[client] = None


class OpenLoop(Load):
    """Requests are sent when the schedule says, whatever became of the ones before.

    A request that finds every connection busy has one opened for it, up to a bound; beyond, it
    waits for the first that is free. Its intended time is in the record, so the wait is too.
    """

    def start(self) -> None:
        """Begin with the schedule's first request."""
        self._idle = deque(self.clients)
        self._schedule = self._times()
        self._due_ns = next(self._schedule, None)
        self._blocked = False
        if self._due_ns is not None:
            self.alarm.set(self._due_ns)

    def _times(self) -> Iterator[int]:
        plan = self.plan
        return intended_times(
            shape=plan.shape,
            rate_per_s=plan.rate_per_s,
            start_ns=self.window.start_ns,
            end_ns=self.window.end_ns,
            arrivals=plan.arrivals,
            seed=plan.seed,
            parts=plan.parts,
            index=plan.index,
        )

    def ring(self) -> None:
        """Send everything that is due."""
        now_ns = time.monotonic_ns()
        while self._due_ns is not None and self._due_ns <= now_ns:
            client = self._take()
            self._blocked = client is None
            if client is None:
                return  # the next connection that is free goes on from here
            due_ns, self._due_ns = self._due_ns, next(self._schedule, None)
            self.send(client, due_ns)
        if self._due_ns is not None:
            self.alarm.set(self._due_ns)

    def _take(self) -> Client | None:
        if self._idle:
            return self._idle.popleft()
        if len(self.clients) < self.plan.own_connections_max:
            return self.add_client()
        return None

    def free(self, client: Client) -> None:
        """Wait for the next request, or send the one that has waited longest."""
        self._idle.append(client)
        if self._blocked:
            self.ring()

    def queued(self, now_ns: int) -> int:
        """Count the requests that were due by now and wait for a connection.

        From the shape's integral, since walking the schedule would hold up the loop that sends:
        of random arrivals it is what is expected.
        """
        if not self._blocked or self._due_ns is None:
            return 0
        plan, window = self.plan, self.window
        length_ns = window.end_ns - window.start_ns
        yet_to_come = [
            requests_due(
                plan.shape,
                rate_per_s=plan.rate_per_s / plan.parts,
                duration_s=length_ns / NS_PER_S,
                after=min(1.0, (at_ns - window.start_ns) / length_ns),
            )
            for at_ns in (self._due_ns, now_ns)
        ]
        return 1 + int(yet_to_come[0] - yet_to_come[1])


class Volleys(Load):
    """All connections fire at the same instant; when all are answered, they do so again.

    The instants lie on a grid that all processes share, so that their volleys meet.
    """

    def start(self) -> None:
        """Begin with the window."""
        self._at_barrier = 0
        self._coming: set[asyncio.Task[None]] = set()
        self._interval_ns = volley_interval_ns(
            connections=self.plan.connections, rate_per_s=self.plan.rate_per_s
        )
        self._tick_ns = self.window.start_ns
        self.alarm.set(self._tick_ns)

    def ring(self) -> None:
        """Fire."""
        self._at_barrier = 0
        for client in self.clients:
            self.send(client, self._tick_ns)

    def free(self, client: Client) -> None:
        """Come to the barrier with an open connection: no volley waits for a handshake."""
        task = self.loop.create_task(self._come_to_barrier(client))
        self._coming.add(task)
        task.add_done_callback(self._came)

    async def _come_to_barrier(self, client: Client) -> None:
        """Let the last one to come set the time of the next volley."""
        await self.connect_one(client)
        self._at_barrier += 1
        if self._at_barrier == len(self.clients):
            past_ns = time.monotonic_ns() - self.window.start_ns
            self._tick_ns = self.window.start_ns + (
                (past_ns // self._interval_ns + 1) * self._interval_ns
            )
            if self._tick_ns < self.window.end_ns:
                self.alarm.set(self._tick_ns)

    def _came(self, task: asyncio.Task[None]) -> None:
        self._coming.discard(task)
        self.hear(task)
