"""When a free connection sends its next request: closed loop, open loop, volleys."""

import time
from collections import deque
from collections.abc import Iterator

from history.journal import Journal
from history.shape import BURST, clients_at, volley_interval_ns
from swarm.load import Load, Plan
from swarm.schedule import intended_times, share
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
        self._sent = 0
        self._blocked = False
        # The same schedule once more, to count what is due without keeping a queue of it.
        self._counted = self._times()
        self._counted_ns = next(self._counted, None)
        self._count = 0
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
            self._sent += 1
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
        """Count the requests that were due by now and wait for a connection."""
        while self._counted_ns is not None and self._counted_ns <= now_ns:
            self._count += 1
            self._counted_ns = next(self._counted, None)
        return max(0, self._count - self._sent)


class Volleys(Load):
    """All connections fire at the same instant; when all are answered, they do so again.

    The instants lie on a grid that all processes share, so that their volleys meet.
    """

    def start(self) -> None:
        """Begin with the window."""
        self._answered_clients: list[Client] = []
        self._interval_ns = volley_interval_ns(
            connections=self.plan.connections, rate_per_s=self.plan.rate_per_s
        )
        self._tick_ns = self.window.start_ns
        self.alarm.set(self._tick_ns)

    def ring(self) -> None:
        """Fire."""
        self._answered_clients.clear()
        for client in self.clients:
            self.send(client, self._tick_ns)

    def free(self, client: Client) -> None:
        """Wait at the barrier; the last one to come sets the time of the next volley."""
        self._answered_clients.append(client)
        if len(self._answered_clients) == len(self.clients):
            past_ns = time.monotonic_ns() - self.window.start_ns
            self._tick_ns = self.window.start_ns + (
                (past_ns // self._interval_ns + 1) * self._interval_ns
            )
            self.alarm.set(self._tick_ns)
