"""Sending one increment from a Locust greenlet, once, and reading its answer.

Locust's own FastHttpUser sends a GET again by itself when the connection breaks: its HTTP
client retries idempotent methods up to its pool's size plus one, and `max_retries=0` does not
reach that loop (geventhttpclient 2.6.1, HTTPClient.request). Every send takes a socket from
the client's pool first, so a pool that gives one socket an operation cannot be re-sent over.
The pool is a private attribute: the exact pin in requirements.txt guards it, and
tests/locustfiles proves it against a server that drops answers.
"""

import gevent.socket
from geventhttpclient.client import HTTPClient
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError

from history.classify import MAX_BODY_BYTES, Answer, answer_of, no_answer
from history.destination import Destination
from history.operation import Outcome, Reason


class _SecondSendRefusedError(Exception):
    """The client was about to send a request again because its connection had broken."""


_FAILURES: tuple[tuple[type[BaseException], Reason], ...] = (
    (TimeoutError, Reason.TIMEOUT),
    (gevent.socket.timeout, Reason.TIMEOUT),
    (_SecondSendRefusedError, Reason.CONNECTION_LOST),
    (HTTPConnectionClosed, Reason.CONNECTION_LOST),
    (HTTPParseError, Reason.MALFORMED_ANSWER),
    (OSError, Reason.CONNECTION_LOST),
    (Exception, Reason.CLIENT_ERROR),
)


class SendOnceClient:
    """One user's connection to the counter. `timeout_s` bounds connecting and each wait."""

    def __init__(self, destination: Destination, *, timeout_s: float) -> None:
        self._destination = destination
        self._timeout_s = timeout_s
        self._sends = 0
        self._client = self._new_client()

    def _new_client(self) -> HTTPClient:
        client = HTTPClient(
            self._destination.host,
            port=self._destination.port,
            ssl=self._destination.scheme == "https",
            concurrency=1,
            connection_timeout=self._timeout_s,
            network_timeout=self._timeout_s,
            headers={"Accept-Encoding": "identity", "User-Agent": "gapless-locust"},
        )
        pool = client._connection_pool  # noqa: SLF001 -- see the module's docstring
        take = pool.get_socket

        def take_once() -> gevent.socket.socket:
            if self._sends:
                raise _SecondSendRefusedError
            taken = take()
            self._sends = 1
            return taken

        pool.get_socket = take_once  # type: ignore[method-assign]
        return client

    def increment(self) -> Answer:
        """Send one GET and read its answer; never raises for what a server does."""
        self._sends = 0
        try:
            response = self._client.get(self._destination.path)
            body = bytes(response.read(MAX_BODY_BYTES + 1))
        except Exception as error:  # noqa: BLE001 -- becomes the recorded reason
            self._start_over()
            return no_answer(self._reason(error), attempts=self._sends)
        complete = bool(response.message_complete)
        announced = response.get("content-length")
        framed = announced is None or not complete or str(announced).strip() == str(len(body))
        if not complete or not framed:
            self._start_over()
        if not framed:
            # More than one answer was read as one: "5" and "6" must not become 56.
            return no_answer(Reason.MALFORMED_ANSWER, attempts=self._sends)
        return answer_of(int(response.status_code), body, complete=complete, attempts=self._sends)

    def _start_over(self) -> None:
        """Leave the connection: what is still to come on it must not meet the next request.

        After an interim 1xx answer the client puts a socket back into its pool while it is
        still read, so dropping the response is not enough.
        """
        self._client.close()
        self._client = self._new_client()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _reason(self, error: Exception) -> Reason:
        if not self._sends:
            return Reason.NEVER_SENT
        return next(reason for kind, reason in _FAILURES if isinstance(error, kind))


def describe(answer: Answer) -> str:
    """Say why an answer was not ok, for Locust's table of failures."""
    status = f" (HTTP {answer.status})" if answer.status else ""
    kind = "rejected" if answer.seen.outcome is Outcome.REJECTED else "indeterminate"
    return f"{kind}: {answer.seen.reason.label}{status}"
