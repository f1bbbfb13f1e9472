"""Sending one request from a Locust greenlet, once, and reading its answer.

Locust's own FastHttpUser sends a GET again by itself when the connection breaks (its client,
geventhttpclient 2.6.1, retries idempotent methods up to its pool's size plus one, and
`max_retries=0` does not reach that loop), and its client alone costs two thirds of a request.
This one has a single place that writes to the socket, called once an operation.
"""

import contextlib
import ssl
import time

import gevent
import gevent.socket
import gevent.ssl

from history.answers import AnswerReader
from history.classify import Answer, no_answer
from history.destination import Destination, encode_request
from history.operation import Kind, Outcome, Reason

USER_AGENT = "gapless-locust"
_READ_BYTES = 64 * 1024


class SendOnceClient:
    """One user's connection to the counter. Not for use by two greenlets at once.

    `timeout_s` bounds opening the connection, and one operation from its sending to its end.
    Certificates are checked against the system's authorities.
    """

    def __init__(self, destination: Destination, *, timeout_s: float) -> None:
        self._destination = destination
        self._timeout_s = timeout_s
        self._requests = {
            kind: encode_request(destination, kind, user_agent=USER_AGENT)
            for kind in (Kind.INCREMENT, Kind.DECREMENT)
        }
        self._tls = gevent.ssl.create_default_context() if destination.scheme == "https" else None
        self._socket: gevent.socket.socket | None = None
        self._reader = AnswerReader()
        self.end_ns = 0
        """When the last operation ended, monotonic: first thing after its last bytes arrived."""

    def open(self) -> gevent.socket.socket | None:
        """Make sure of a connection on which nothing has arrived unasked; None: there is none."""
        if self._socket is not None and not _is_silent(self._socket):
            self.close()
        if self._socket is None:
            self._socket = self._connect()
            self._reader = AnswerReader()
        return self._socket

    def send(self, kind: Kind = Kind.INCREMENT, *, in_volley: bool = False) -> Answer:
        """Send one request and read its answer; never raises for what a server does.

        In a volley, all that fire with it send before it looks for its answer.
        """
        connection = self._socket or self.open()
        if connection is None:
            self.end_ns = time.monotonic_ns()
            return no_answer(Reason.NEVER_SENT)
        late = gevent.Timeout.start_new(self._timeout_s)
        try:
            answer = self._exchange(connection, self._requests[kind], in_volley=in_volley)
        except gevent.Timeout as timeout:
            if timeout is not late:
                raise
            self.end_ns = time.monotonic_ns()
            self.close()
            return no_answer(Reason.TIMEOUT)
        finally:
            late.close()
        if not self._reader.keep:
            self.close()
        return answer

    def _exchange(
        self, connection: gevent.socket.socket, request: bytes, *, in_volley: bool
    ) -> Answer:
        try:
            connection.sendall(request)
            if in_volley:
                gevent.sleep(0)  # to the end of the queue in which the others stand
            while data := connection.recv(_READ_BYTES):
                self.end_ns = time.monotonic_ns()
                answer = self._reader.feed(data)
                if answer is not None:
                    return answer
        except OSError:
            self.end_ns = time.monotonic_ns()
            return self._reader.end(orderly=False)
        self.end_ns = time.monotonic_ns()
        return self._reader.end(orderly=True)

    def close(self) -> None:
        """Close the connection, and with it whatever may still arrive."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> gevent.socket.socket | None:
        target = self._destination
        # Time is up quietly: that the connection is not there says it.
        with gevent.Timeout(self._timeout_s, exception=False):
            try:
                plain = gevent.socket.create_connection((target.host, target.port))
            except (OSError, UnicodeError):
                return None
            if self._tls is None:
                return plain
            with contextlib.suppress(OSError):  # TLS failures are OSErrors
                return self._tls.wrap_socket(plain, server_hostname=target.host)
        return None


def _is_silent(connection: gevent.socket.socket) -> bool:
    """Tell whether a connection is open and nothing has arrived on it unasked.

    It may have died since its last answer; or more than that answer may have come, which must
    not be read as the next request's.
    """
    connection.settimeout(0.0)
    try:
        connection.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        connection.settimeout(None)
        return True
    except OSError:
        pass
    return False


def describe(answer: Answer) -> str:
    """Say why an answer was not ok, for Locust's table of failures."""
    status = f" (HTTP {answer.status})" if answer.status else ""
    kind = "rejected" if answer.seen.outcome is Outcome.REJECTED else "indeterminate"
    return f"{kind}: {answer.seen.reason.label}{status}"
