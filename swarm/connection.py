"""One HTTP/1.1 connection of the wire transport: at most one request in flight, none sent twice."""

import asyncio
import os
import time
from typing import Protocol, cast

from history.answers import AnswerReader
from history.classify import Answer


class Owner(Protocol):
    """Whose connection it is."""

    connection: "Connection | None"

    @property
    def in_flight(self) -> bool:
        """Whether a request is on the wire and unanswered."""
        ...

    def finish(self, answer: Answer, end_ns: int) -> None:
        """Take what became of the request in flight."""
        ...


class Connection(asyncio.Protocol):
    """The protocol that asyncio calls: it stamps, reads, and hands answers over."""

    __slots__ = ("_fd", "_owner", "_reader", "_transport", "is_open")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._reader = AnswerReader()
        self._transport: asyncio.Transport | None = None
        self._fd = -1
        self.is_open = False

    # -- called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what writes: for plain TCP the descriptor itself, see `write`."""
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("ssl_object") is None:
            self._fd = transport.get_extra_info("socket").fileno()
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Stamp, read, and hand over an answer that is complete."""
        end_ns = time.monotonic_ns()
        if not self.is_open:
            return
        if not self._owner.in_flight:
            # Nobody asked: whatever it is, it must not be read as the next request's answer.
            self.drop()
            return
        answer = self._reader.feed(data)
        if answer is not None:
            if not self._reader.keep:
                self.drop()
            self._owner.finish(answer, end_ns)

    def connection_lost(self, error: Exception | None) -> None:
        """End a request in flight: its answer may be ended by just this."""
        end_ns = time.monotonic_ns()
        if not self.is_open:
            return
        self.drop()
        if self._owner.in_flight:
            self._owner.finish(self._reader.end(orderly=error is None), end_ns)

    # -- called by the client

    def write(self, request: bytes) -> bool:
        """Put a whole request on the wire now; False when the system took no byte of it.

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
            except OSError:
                return False
        if written < len(request) and self._transport is not None:
            # From here on a failure shows as the connection's loss: perhaps it was sent.
            self._transport.write(request[written:])
        return True

    def drop(self) -> None:
        """Leave this connection at once: nothing of it is looked at any more."""
        if self.is_open:
            self.is_open = False
            self._owner.connection = None
            if self._transport is not None:
                self._transport.abort()
