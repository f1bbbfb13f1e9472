"""Requests by aiohttp: the client that people know, in their own words on the wire.

One operation is one request on the wire, never more: swarm/once.py.
"""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from history.classify import MAX_BODY_BYTES, Answer, answer_of, no_answer
from history.destination import METHODS, parse_destination
from history.journal import Journal
from history.operation import Kind, Reason
from swarm.once import SecondSendRefused, SendOnce, read_bounded, session
from swarm.transport import USER_AGENT, Client, Listener

_FAILURES: tuple[tuple[type[BaseException], Reason], ...] = (
    # The order matters: aiohttp's connection errors are also OSErrors and time-outs.
    (aiohttp.ConnectionTimeoutError, Reason.NEVER_SENT),
    (aiohttp.ClientConnectorError, Reason.NEVER_SENT),
    (asyncio.TimeoutError, Reason.TIMEOUT),
    (SecondSendRefused, Reason.CONNECTION_LOST),
    (aiohttp.ServerDisconnectedError, Reason.CONNECTION_LOST),
    (aiohttp.ClientPayloadError, Reason.TRUNCATED),
    (aiohttp.ClientResponseError, Reason.MALFORMED_ANSWER),
    (OSError, Reason.CONNECTION_LOST),
    (Exception, Reason.CLIENT_ERROR),
)


def failure_reason(error: BaseException) -> Reason:
    """Say why a request that raised this got no complete answer."""
    return next(reason for kind, reason in _FAILURES if isinstance(error, kind))


class AiohttpTransport:
    """Increments by GET, decrements by POST, over kept-alive connections.

    An async context manager. `timeout_s` bounds connecting, in seconds; the load bounds the rest.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._url = URL(url)
        self._decrement_url = URL(parse_destination(url).of(Kind.DECREMENT).url)
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = session(user_agent=USER_AGENT, timeout_s=self._timeout_s)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def client(self, worker: int, journal: Journal, listener: Listener) -> Client:
        """Make a client; connections are the session's, which keeps one for each."""
        return _AiohttpClient(self, worker, journal, listener)

    async def connect(self, client: Client) -> None:
        """Do nothing: aiohttp opens a connection with the request that needs it."""

    async def send(self, kind: Kind) -> Answer:
        """Send one request and read its whole answer; never raises for what a server does."""
        if self._session is None:
            msg = "use the transport as an async context manager"
            raise RuntimeError(msg)
        try:
            async with self._request(self._session, kind) as response:
                body = await read_bounded(response, MAX_BODY_BYTES)
        except Exception as error:  # noqa: BLE001 -- becomes the recorded reason
            return no_answer(failure_reason(error))
        return answer_of(response.status, body)

    def _request(
        self, own: aiohttp.ClientSession, kind: Kind
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        once = (SendOnce(),)
        if kind is not Kind.DECREMENT:
            return own.get(self._url, allow_redirects=False, middlewares=once)
        return own.request(
            METHODS[kind],
            self._decrement_url,
            allow_redirects=False,
            middlewares=once,
            # aiohttp would call the body that is not there application/octet-stream, and an API
            # that maps JSON only, as ours does, refuse it.
            skip_auto_headers=("Content-Type",),
        )


class _AiohttpClient:
    """One task at a time, which sends one request."""

    def __init__(
        self, transport: AiohttpTransport, worker: int, journal: Journal, listener: Listener
    ) -> None:
        self.worker = worker
        self.since_ns = 0
        self._transport = transport
        self._journal = journal
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._gave_up = False

    def send(self, intended_ns: int, kind: Kind = Kind.INCREMENT) -> None:
        """Record and send one request; see Client."""
        self.since_ns = time.monotonic_ns()
        self._gave_up = False
        self._task = self._loop.create_task(self._send(intended_ns, kind))

    async def _send(self, intended_ns: int, kind: Kind) -> None:
        try:
            slot = self._journal.begin(self.worker, intended_ns, kind)
            self.since_ns = time.monotonic_ns()  # a busy loop starts the task late
            try:
                answer = await self._transport.send(kind)
            except asyncio.CancelledError:
                if not self._gave_up:
                    raise
                answer = no_answer(Reason.TIMEOUT)
            self._journal.complete(slot, answer.seen, answer.status, answer.attempts)
            self.since_ns = 0
            self._listener.answered(self, answer.seen.reason)
        except Exception as error:  # noqa: BLE001 -- nobody awaits this task: the load must hear it
            self._listener.failed(error)

    def give_up(self) -> None:
        """Cancel the request, which closes its connection; see Client."""
        if self._task is not None:
            self._gave_up = True
            self._task.cancel()

    def close(self) -> None:
        """Stop sending; the session closes the connections."""
        if self._task is not None:
            self._task.cancel()
