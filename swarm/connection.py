"""One HTTP/1.1 connection: bytes in, answers out, at most one request in flight.

What arrives is untrusted: an answer is read up to a bound, one that cannot be trusted to belong
to the request in flight closes the connection, and nothing is ever sent again.
"""

import asyncio
import contextlib
import os
import time
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from history.classify import MAX_BODY_BYTES, Answer, answer_of, no_answer
from history.operation import Reason

MAX_ANSWER_BYTES = MAX_BODY_BYTES + 64 * 1024
"""Head and body together; chunk extensions and trailers count as well."""

_SWITCHING_PROTOCOLS = 101
_FINAL = 200


class Owner(Protocol):
    """Whose connection it is."""

    connection: "Connection | None"

    @property
    def in_flight(self) -> bool:
        """Whether a request is on the wire and unanswered."""
        ...

    def answered(self, status: int, body: bytes, end_ns: int) -> None:
        """Take a complete answer."""
        ...

    def finish(self, answer: Answer, end_ns: int) -> None:
        """Take any other end of the request in flight."""
        ...


class Connection(asyncio.Protocol):
    """The protocol that asyncio calls and, for what it feeds it, the parser as well."""

    __slots__ = (
        "_body",
        "_complete",
        "_extra",
        "_fd",
        "_keep_alive",
        "_owner",
        "_parser",
        "_raw",
        "_status",
        "_transport",
        "is_open",
    )

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._fd = -1
        self._body = b""
        self._raw = b""
        self._status = 0
        self._complete = False
        self._extra = False
        self._keep_alive = True
        self.is_open = False

    # -- called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what writes: for plain TCP the descriptor itself, see `write`."""
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("ssl_object") is None:
            self._fd = transport.get_extra_info("socket").fileno()
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Stamp, parse, and hand over an answer that is complete."""
        end_ns = time.monotonic_ns()
        if not self.is_open:
            return
        if not self._owner.in_flight:
            # Nobody asked: whatever it is, it must not be read as the next request's answer.
            self.drop()
            return
        malformed = False
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._keep_alive = False
        except HttpParserError:
            malformed = True
        if self._complete:
            self._hand_over(end_ns, malformed=malformed)
        elif malformed:
            self._fail(no_answer(Reason.MALFORMED_ANSWER), end_ns)
        elif len(self._body) > MAX_BODY_BYTES:
            self._fail(answer_of(self._parser.get_status_code(), self._body), end_ns)
        elif len(self._raw) + len(data) > MAX_ANSWER_BYTES:
            self._fail(no_answer(Reason.MALFORMED_ANSWER), end_ns)
        else:
            self._raw += data

    def eof_received(self) -> bool:
        """Let the transport close; `connection_lost` says what that meant."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """End a request in flight: its answer may be ended by just this (RFC 9112, 6.3)."""
        end_ns = time.monotonic_ns()
        if not self.is_open:
            return
        self.drop()
        if not self._owner.in_flight:
            return
        head = _Head(self._raw)
        if not head.complete:
            answer = no_answer(Reason.CONNECTION_LOST)
        elif head.ends_with_connection and error is None:
            answer = answer_of(head.status, self._body)
        else:
            answer = no_answer(Reason.TRUNCATED)
        self._owner.finish(answer, end_ns)

    # -- called by the parser

    def on_message_begin(self) -> None:
        """Notice a second answer to one request."""
        if self._complete:
            self._extra = True

    def on_body(self, body: bytes) -> None:
        """Gather the body, to one byte more than is accepted."""
        if not self._complete:
            self._body = (self._body + body)[: MAX_BODY_BYTES + 1] if self._body else body

    def on_message_complete(self) -> None:
        """Take the status of a final answer; an interim one (1xx) is passed over."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        if status >= _FINAL or status == _SWITCHING_PROTOCOLS:
            self._status = status
            self._complete = True
            self._keep_alive = self._parser.should_keep_alive()

    # -- called by the client

    def write(self, request: bytes) -> None:
        """Put a whole request on the wire now; raises OSError when no byte of it was taken.

        Straight to the descriptor: uvloop's own write waits for the end of the loop's turn,
        so that with many connections the start stamp would be too early by all the others'
        work. Nothing else writes there, and uvloop closes it only after `connection_lost`.
        """
        written = 0
        if self._fd >= 0:
            try:
                written = os.write(self._fd, request)
            except BlockingIOError:
                written = 0
        if written < len(request) and self._transport is not None:
            self._transport.write(request[written:])

    def drop(self) -> None:
        """Leave this connection at once: nothing of it is looked at any more."""
        if self.is_open:
            self.is_open = False
            self._owner.connection = None
            if self._transport is not None:
                self._transport.abort()

    # -- its own

    def _hand_over(self, end_ns: int, *, malformed: bool) -> None:
        body = self._body
        self._complete, self._body, self._raw = False, b"", b""
        if malformed or self._extra or not self._keep_alive:
            self.drop()
        self._owner.answered(self._status, body, end_ns)

    def _fail(self, answer: Answer, end_ns: int) -> None:
        self.drop()
        self._owner.finish(answer, end_ns)


class _Head:
    """The head of an answer that was cut off, read again: did it say where its body ends?"""

    def __init__(self, raw: bytes) -> None:
        self.complete = False
        self.status = 0
        self._framed = False
        self._parser = HttpResponseParser(self)
        with contextlib.suppress(HttpParserError, HttpParserUpgrade):
            self._parser.feed_data(raw)

    @property
    def ends_with_connection(self) -> bool:
        """Whether only the connection's end ends the body."""
        return self.complete and not self._framed

    def on_message_begin(self) -> None:
        """Start over: interim answers come before the final one."""
        self.complete = self._framed = False

    def on_header(self, name: bytes, _: bytes) -> None:
        """Look for what frames a body."""
        if name.lower() in {b"content-length", b"transfer-encoding"}:
            self._framed = True

    def on_headers_complete(self) -> None:
        """Know that the head was whole, if it is the final one."""
        self.status = self._parser.get_status_code()
        self.complete = self.status >= _FINAL
