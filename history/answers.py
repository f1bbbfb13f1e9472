"""What comes back on one connection: bytes in, one answer to the request in flight out.

Knows nothing of sockets or event loops: the swarm's wire transport and Locust's client read
with it alike. What arrives is untrusted: an answer is read up to a bound, and one
after which nothing on the connection can be trusted says so in `keep`.
"""

import contextlib

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from history.classify import MAX_BODY_BYTES, Answer, answer_of, no_answer
from history.operation import Reason

MAX_ANSWER_BYTES = MAX_BODY_BYTES + 64 * 1024
"""Head and body together; chunk extensions and trailers count as well."""

_SWITCHING_PROTOCOLS = 101
_FINAL = 200


class AnswerReader:
    """The answers of one connection, one request after another."""

    __slots__ = ("_body", "_complete", "_parser", "_raw", "_status", "keep")

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._body = self._raw = b""
        self._status = 0
        self._complete = False
        self.keep = True
        """Whether the next request may be sent on this connection."""

    def feed(self, data: bytes) -> Answer | None:
        """Take bytes that arrived; give the answer once it is complete, or cannot be."""
        malformed = False
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self.keep = False
        except HttpParserError:
            malformed = True
            self.keep = False
        if self._complete:
            answer = answer_of(self._status, self._body)
            self._body = self._raw = b""
            self._complete = False
            return answer
        if malformed:
            return no_answer(Reason.MALFORMED_ANSWER)
        if len(self._body) > MAX_BODY_BYTES:
            self.keep = False
            return answer_of(self._parser.get_status_code(), self._body)
        self._raw += data
        if len(self._raw) > MAX_ANSWER_BYTES:
            self.keep = False
            return no_answer(Reason.MALFORMED_ANSWER)
        return None

    def end(self, *, orderly: bool) -> Answer:
        """Take the connection's end, which may be what ends an answer (RFC 9112, 6.3)."""
        self.keep = False
        head = _Head(self._raw)
        if not head.complete:
            return no_answer(Reason.CONNECTION_LOST)
        if head.framed or not orderly:
            return no_answer(Reason.TRUNCATED)
        return answer_of(head.status, self._body)

    # -- called by the parser

    def on_message_begin(self) -> None:
        """Notice a second answer to one request: the next one's must not be taken for it."""
        if self._complete:
            self.keep = False

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
            self.keep = self.keep and self._parser.should_keep_alive()


class _Head:
    """The head of an answer that was cut off, read again: did it say where its body ends?

    Looking at every header of every answer would cost more than the rest of the reading.
    """

    def __init__(self, raw: bytes) -> None:
        self.complete = self.framed = False
        self.status = 0
        self._parser = HttpResponseParser(self)
        with contextlib.suppress(HttpParserError, HttpParserUpgrade):
            self._parser.feed_data(raw)

    def on_message_begin(self) -> None:
        """Start over: interim answers come before the final one."""
        self.complete = self.framed = False

    def on_header(self, name: bytes, _: bytes) -> None:
        """Look for what frames a body."""
        if name.lower() in {b"content-length", b"transfer-encoding"}:
            self.framed = True

    def on_headers_complete(self) -> None:
        """Know that the head was whole, if it is the final one."""
        self.status = self._parser.get_status_code()
        self.complete = self.status >= _FINAL
