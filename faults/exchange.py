"""One request and its answer, as an intermediary handles them; and sending on to the counter."""

import asyncio
import time
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from history.classify import MAX_BODY_BYTES, classify_answer
from history.destination import DECREMENT_PATH, Destination
from swarm.once import SendOnce, read_bounded, session

USER_AGENT = "gapless-intermediary"
UPSTREAM_TIMEOUT_S = 35.0
"""Longer than API Gateway waits for its backend (29 s): whoever answers late is heard."""

CONNECT_TIMEOUT_S = 5.0
_HTTP_OK = 200
_PASSED = ("Content-Type", "Cache-Control")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came in; `path` with its query, `arrived_s` monotonic seconds."""

    method: str
    path: str
    content_type: str = ""
    body: bytes = b""
    arrived_s: float = 0.0

    @property
    def step(self) -> int:
        """What it asks the counter to add: 1 (GET), -1 (POST to /decrement), or 0."""
        if self.method == "GET":
            return 1
        is_decrement = self.path.partition("?")[0].endswith("/" + DECREMENT_PATH)
        return -1 if self.method == "POST" and is_decrement else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, with those of its headers that are passed on."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def number(self) -> int | None:
        """The integer that it answers, None if it answers none."""
        return classify_answer(self.status, self.body).value if self.status == _HTTP_OK else None

    def with_number(self, number: int) -> "Reply":
        """Give the same answer with another number in it."""
        return Reply(status=self.status, body=str(number).encode(), headers=self.headers)


class Broken(Enum):
    """Ways of not answering."""

    HANG_UP = auto()
    """The connection is closed."""
    SILENCE = auto()
    """The connection stays open."""


@dataclass(frozen=True, slots=True)
class CutShort:
    """An answer of which only a part is sent before the connection is reset."""

    reply: Reply


Outcome = Reply | Broken | CutShort


class Upstream:
    """The counter behind the intermediary. An async context manager; counts what it sends."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.sent = 0
        self._origin = URL(destination.url).origin()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = session(user_agent=USER_AGENT, timeout_s=CONNECT_TIMEOUT_S)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, asked: Asked) -> Reply:
        """Send a request on, once, and read its answer.

        What breaks on the way is answered as gateways do: 502, or 504 when it took too long. That
        says nothing of whether the counter did what it was asked for.
        """
        if self._session is None:
            raise RuntimeError(self.destination)
        self.sent += 1
        headers = {"Content-Type": asked.content_type} if asked.content_type else {}
        try:
            async with (
                asyncio.timeout(UPSTREAM_TIMEOUT_S),
                self._session.request(
                    asked.method,
                    self._origin.join(URL(asked.path, encoded=True)),
                    data=asked.body or None,
                    headers=headers,
                    skip_auto_headers=("Content-Type",),
                    allow_redirects=False,
                    middlewares=(SendOnce(),),
                ) as response,
            ):
                body = await read_bounded(response, MAX_BODY_BYTES)
        except TimeoutError:
            return Reply(status=504, body=b'{"message":"the counter did not answer in time"}')
        except (aiohttp.ClientError, OSError) as error:
            return Reply(status=502, body=f'{{"message":"{type(error).__name__}"}}'.encode())
        if len(body) > MAX_BODY_BYTES:
            return Reply(status=502, body=b'{"message":"the answer was too long"}')
        passed = tuple(
            (name, response.headers[name]) for name in _PASSED if name in response.headers
        )
        return Reply(status=response.status, body=body, headers=passed)


def now_s() -> float:
    """Give the time of the monotonic clock, seconds."""
    return time.monotonic()
