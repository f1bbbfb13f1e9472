"""Sending one increment and reading its answer, with aiohttp.

One call is one request on the wire, never more. aiohttp sends a GET again by itself when a
kept-alive connection breaks (client.py, `retry_persistent_connection`; asked to be optional
in aio-libs/aiohttp#10790): the counter would be incremented twice and one number lost.
Client middlewares are called once for every send, so one that refuses the second is a
switch made of public parts; tests/swarm proves it against a server that drops answers.
"""

import asyncio
from types import TracebackType
from typing import Protocol, Self

import aiohttp
from yarl import URL

from history.classify import MAX_BODY_BYTES, Answer, answer_of, no_answer
from history.operation import Reason


class Transport(Protocol):
    """Sends increments; one instance serves every connection of a process."""

    async def increment(self) -> Answer:
        """Send one request and read its whole answer; never raises for what a server does."""
        ...


class _SecondSendRefused(aiohttp.ClientError):
    """aiohttp was about to send a request again because its connection had broken."""


class _SendOnce:
    """A middleware for one request that lets it onto the wire once."""

    __slots__ = ("sends",)

    def __init__(self) -> None:
        self.sends = 0

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self.sends:
            raise _SecondSendRefused
        self.sends = 1
        return await handler(request)


_FAILURES: tuple[tuple[type[BaseException], Reason], ...] = (
    # The order matters: aiohttp's connection errors are also OSErrors and time-outs.
    (aiohttp.ConnectionTimeoutError, Reason.NEVER_SENT),
    (aiohttp.ClientConnectorError, Reason.NEVER_SENT),
    (asyncio.TimeoutError, Reason.TIMEOUT),
    (_SecondSendRefused, Reason.CONNECTION_LOST),
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
    """Increments by GET over kept-alive connections. An async context manager.

    `timeout_s` bounds connecting and each wait for more of an answer, in seconds.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._url = URL(url)
        self._timeout = aiohttp.ClientTimeout(
            # No total: its timer costs 14 % of a request, and an answer is bounded in size.
            total=None,
            sock_connect=timeout_s,
            sock_read=timeout_s,
        )
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3600),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "gapless-swarm"},
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def increment(self) -> Answer:
        """Send one GET and read its answer; see Transport."""
        if self._session is None:
            msg = "use the transport as an async context manager"
            raise RuntimeError(msg)
        try:
            async with self._session.get(
                self._url, allow_redirects=False, middlewares=(_SendOnce(),)
            ) as response:
                body = await _read_bounded(response)
        except Exception as error:  # noqa: BLE001 -- becomes the recorded reason
            return no_answer(failure_reason(error))
        return answer_of(response.status, body)


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """Read a whole body, or one byte more than we accept and close the connection."""
    body = await response.content.readany()
    while len(body) <= MAX_BODY_BYTES and not response.content.at_eof():
        body += await response.content.readany()
    if len(body) > MAX_BODY_BYTES:
        response.close()
        return body[: MAX_BODY_BYTES + 1]
    return body
