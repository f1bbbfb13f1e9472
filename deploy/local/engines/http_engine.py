"""Any DynamoDB endpoint, over HTTP: a client of our own, since every GET goes through it.

Each call is sent once, as one POST on one connection, and never again: a second one would count
twice. Connections stay open and are used again, as many as there are calls under way.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from http import HTTPStatus
from typing import cast
from urllib.parse import SplitResult, urlsplit

import httptools

from deploy.local.engines.engine import (
    CONTENT_TYPE,
    SIGNED_AT,
    TARGET_PREFIX,
    Call,
    EngineAnswer,
    authorization,
)

ANSWER_LIMIT_BYTES = 32 * 1024 * 1024
"""Twice the largest answer that DynamoDB gives (AWS: "BatchGetItem", 16 MB)."""


class Connection(asyncio.Protocol):
    """One connection, with at most one call under way."""

    def __init__(self, idle: list["Connection"]) -> None:
        self._idle = idle
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[EngineAnswer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._received_bytes = 0

    def send(self, request: bytes) -> asyncio.Future[EngineAnswer]:
        """Send one whole request; the connection is idle again once the answer is there."""
        if self._transport is None:
            raise ConnectionError("the connection was closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._headers, self._chunks, self._received_bytes = {}, [], 0
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        """Close it, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a call under way has no answer."""
        self._transport = None
        if self in self._idle:
            self._idle.remove(self)
        self._fail(f"the connection was closed before an answer ({exc or 'end of stream'})")

    def data_received(self, data: bytes) -> None:
        """Take the next bytes of an answer."""
        self._received_bytes += len(data)
        try:
            if self._received_bytes > ANSWER_LIMIT_BYTES:
                raise httptools.HttpParserError("the answer is too long")  # noqa: TRY301
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"the answer is not HTTP/1.1 ({type(error).__name__}: {error})")
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header of the answer (a name of httptools')."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Take a part of the answer's body."""
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        """Give the whole answer to the caller, if it still waits."""
        status = self._parser.get_status_code()
        if HTTPStatus.CONTINUE <= status < HTTPStatus.OK and self._waiting is not None:
            self._headers, self._chunks = {}, []
            return  # an interim answer, asked for or not (RFC 9110, 15.2): the answer follows
        waiting, self._waiting = self._waiting, None
        answer = EngineAnswer(
            status=status,
            headers=self._headers,
            body=b"".join(self._chunks),
        )
        if waiting is None or not self._parser.should_keep_alive():
            self.close()
        else:
            self._idle.append(self)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _fail(self, why: str) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(ConnectionError(why))


class HttpEngine:
    """Any DynamoDB endpoint over HTTP.

    `url` is asked for each new connection: a database that was started again may be elsewhere.
    """

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._idle: list[Connection] = []

    async def call(self, call: Call, *, timeout_s: float) -> EngineAnswer:
        """Run one action once; after the time-out it is left to finish by itself."""
        started_s = time.monotonic()
        url = self._url()
        connection = self._idle.pop() if self._idle else await self._connect(url, timeout_s)
        answer = connection.send(head_of(url, call) + call.body)
        left_s = timeout_s - (time.monotonic() - started_s)
        done, _ = await asyncio.wait((answer,), timeout=max(0.0, left_s))
        if not done:
            answer.add_done_callback(unasked)
            raise TimeoutError
        return answer.result()

    def close(self) -> None:
        """Close every idle connection."""
        for connection in list(self._idle):
            connection.close()

    async def _connect(self, url: str, timeout_s: float) -> Connection:
        place = split(url)
        tls = place.scheme == "https"
        port = place.port or (443 if tls else 80)
        try:
            async with asyncio.timeout(timeout_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self._idle), place.hostname or "", port, ssl=tls or None
                )
        except TimeoutError:
            raise
        except OSError as error:
            raise ConnectionError(f"{place.netloc}: {error}") from error
        return connection


def unasked(answer: asyncio.Future[EngineAnswer]) -> None:
    """Take note of an answer that came too late for anyone to ask for it."""
    if not answer.cancelled():
        answer.exception()


@lru_cache(maxsize=8)
def split(url: str) -> SplitResult:
    """Take an address apart, once."""
    return urlsplit(url)


def head_of(url: str, call: Call) -> bytes:
    """Build the head of a request."""
    start = head_start(url, call.action, call.account, call.region)
    return b"%bContent-Length: %d\r\n\r\n" % (start, len(call.body))


@lru_cache(maxsize=256)
def head_start(url: str, action: str, account: str, region: str) -> bytes:
    """Build what is the same for every call of an action."""
    return (
        "POST / HTTP/1.1\r\n"
        f"Host: {split(url).netloc}\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\n"
        f"X-Amz-Target: {TARGET_PREFIX}{action}\r\n"
        f"X-Amz-Date: {SIGNED_AT}\r\n"
        f"Authorization: {authorization(account, region, 'dynamodb')}\r\n"
    ).encode("latin-1")


@asynccontextmanager
async def http_engine(url: Callable[[], str]) -> AsyncIterator[HttpEngine]:
    """Reach an endpoint for the length of the block."""
    engine = HttpEngine(url)
    try:
        yield engine
    finally:
        engine.close()
