"""HTTP requests and answers as values, and an answer as the bytes of HTTP/1.1."""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TypeAlias

REASONS = {status.value: status.phrase for status in HTTPStatus}
BODILESS = frozenset({204, 304})
"""Statuses whose answers have no body and no length (RFC 9110, 6.4.1)."""


@dataclass(slots=True, kw_only=True)
class Incoming:
    """One whole request; header names as they were sent."""

    method: str
    target: bytes
    """Path and query as sent, percent-encoded."""
    headers: list[tuple[bytes, bytes]]
    peer_ip: str
    body: bytes = b""
    too_large: bool = False
    """The body passed the limit and was dropped."""
    keep_alive: bool = True
    http_1_0: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One whole answer. Its length, its date and the connection's fate are added to the headers."""

    status: int
    headers: Iterable[tuple[str, str]]
    body: bytes = b""


Handler: TypeAlias = Callable[[Incoming], Awaitable[Outgoing]]


@dataclass(slots=True)
class _Clock:
    """The Date header's value, made anew once a second."""

    second: int = 0
    text: str = ""

    def date(self) -> str:
        now = int(time.time())
        if now != self.second:
            self.second, self.text = now, formatdate(now, usegmt=True)
        return self.text


_clock = _Clock()


def encode(answer: Outgoing, request: Incoming) -> bytes:
    """Write an answer as the bytes of one HTTP/1.1 response.

    Raises ValueError if a header holds a line break: it would end the head where the sender likes.
    """
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines.append(f"Date: {_clock.date()}")
    if answer.status not in BODILESS:
        lines.append(f"Content-Length: {len(answer.body)}")
    if not request.keep_alive:
        lines.append("Connection: close")
    elif request.http_1_0:
        lines.append("Connection: keep-alive")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError(f"a line break in a header: {lines!r}")
    body = b"" if request.method == "HEAD" or answer.status in BODILESS else answer.body
    return head.encode("utf-8") + b"\r\n\r\n" + body


def plain(status: int, text: str) -> Outgoing:
    """Build an answer of one line of text."""
    return Outgoing(
        status=status, headers=(("Content-Type", "text/plain"),), body=text.encode() + b"\n"
    )
