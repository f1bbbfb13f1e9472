"""Pre-encoded HTTP/1.1 requests on a bare connection: a client that costs and hides little.

A slow client widens every interval it records, and wide intervals hide races. Here the start
stamp is taken directly before the write and the end stamp first thing when data arrives; in
between stand one system call each and httptools. Nothing here can send a request twice: a
connection that breaks ends the operation, and the next one opens another.
"""

import asyncio
import time
from types import TracebackType
from typing import Self

from history.classify import Answer, no_answer
from history.destination import encode_request, parse_destination
from history.errors import UserError
from history.journal import Journal
from history.operation import Kind, Reason
from swarm.connection import Connection
from swarm.transport import USER_AGENT, Client, Listener, tls_context

_DECREMENT = Kind.DECREMENT


class WireTransport:
    """Increments by GET, decrements by POST; a connection for each client.

    An async context manager. `timeout_s` bounds opening a connection, TLS included, in seconds.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._destination = parse_destination(url)
        self._timeout_s = timeout_s
        self._tls = tls_context() if self._destination.scheme == "https" else None
        self.increment, self.decrement = (
            encode_request(self._destination, kind, user_agent=USER_AGENT)
            for kind in (Kind.INCREMENT, Kind.DECREMENT)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def client(self, worker: int, journal: Journal, listener: Listener) -> Client:
        """Make a client; its connection is opened by `connect`, else by its first request."""
        return WireClient(self, worker, journal, listener)

    async def connect(self, client: Client) -> None:
        """Open a client's connection before it sends; a failure shows when it does."""
        if isinstance(client, WireClient) and client.connection is None:
            client.connection = await self.open(client)

    async def open(self, client: "WireClient") -> Connection | None:
        """Open a connection for a client; None when nobody can be reached."""
        target = self._destination
        try:
            async with asyncio.timeout(self._timeout_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(client),
                    target.host,
                    target.port,
                    ssl=self._tls,
                    server_hostname=target.host if self._tls else None,
                )
        except (OSError, UnicodeError):  # time-outs and TLS failures are OSErrors
            return None
        return connection if connection.is_open else None


class WireClient:
    """One connection and the request in flight on it."""

    __slots__ = (
        "_decrement",
        "_increment",
        "_journal",
        "_listener",
        "_loop",
        "_opening",
        "_slot",
        "_transport",
        "connection",
        "since_ns",
        "worker",
    )

    def __init__(
        self, transport: WireTransport, worker: int, journal: Journal, listener: Listener
    ) -> None:
        self.worker = worker
        self.since_ns = 0
        self.connection: Connection | None = None
        self._transport = transport
        self._increment, self._decrement = transport.increment, transport.decrement
        self._journal = journal
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._slot = -1
        self._opening: asyncio.Task[None] | None = None

    def send(self, intended_ns: int, kind: Kind = Kind.INCREMENT) -> None:
        """Record and send one request; see Client."""
        connection = self.connection
        self.since_ns = start_ns = time.monotonic_ns()
        if connection is None:
            self._opening = self._loop.create_task(self._open_and_send(intended_ns, kind))
            return
        try:
            self._slot = self._journal.begin(self.worker, intended_ns, kind, start_ns)
        except UserError as error:
            self._listener.failed(error)
            return
        request = self._decrement if kind is _DECREMENT else self._increment
        if not connection.write(request):
            connection.drop()
            self._loop.call_soon(self.finish, no_answer(Reason.NEVER_SENT), time.monotonic_ns())

    async def _open_and_send(self, intended_ns: int, kind: Kind) -> None:
        try:
            self.connection = await self._transport.open(self)
            self._opening = None
            if self._listener.is_over():
                self.since_ns = 0
                self._listener.answered(self, Reason.NEVER_SENT)
            elif self.connection is not None:
                self.send(intended_ns, kind)
            else:
                self._slot = self._journal.begin(self.worker, intended_ns, kind)
                self.finish(no_answer(Reason.NEVER_SENT), time.monotonic_ns())
        except Exception as error:  # noqa: BLE001 -- nobody awaits this task: the load must hear it
            self._listener.failed(error)

    @property
    def in_flight(self) -> bool:
        """Whether a request is on the wire and unanswered."""
        return self._slot >= 0

    def finish(self, answer: Answer, end_ns: int) -> None:
        """Record what became of the request in flight; called by the connection."""
        slot, self._slot, self.since_ns = self._slot, -1, 0
        self._journal.complete(slot, answer.seen, answer.status, answer.attempts, end_ns)
        self._listener.answered(self, answer.seen.reason)

    def give_up(self) -> None:
        """Drop the connection, and with it whatever may still arrive; see Client."""
        if self.connection is not None and self.in_flight:
            self.connection.drop()
            self.finish(no_answer(Reason.TIMEOUT), time.monotonic_ns())

    def close(self) -> None:
        """Close the connection; see Client."""
        if self._opening is not None:
            self._opening.cancel()
        if self.connection is not None:
            self.connection.drop()
