"""An intermediary as a process, before a counter of our own."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from history.destination import parse_destination
from history.fault import parse_fault
from history.operation import Returns
from runner.intermediary import Intermediary, standing_before

Between = Callable[[str, str], Intermediary]


@pytest.fixture
def between() -> Iterator[Between]:
    """Start intermediaries; they are gone afterwards."""
    with ExitStack() as started:

        def start(url: str, fault: str) -> Intermediary:
            return started.enter_context(
                standing_before(
                    parse_destination(url),
                    parse_fault(fault),
                    returns=Returns.NEW,
                    seed=1,
                    allowed_hosts=(),
                )
            )

        yield start


@contextmanager
def connected(url: str, *, timeout_s: float = 20) -> Iterator[http.client.HTTPConnection]:
    """Open one connection, closed afterwards."""
    own = parse_destination(url)
    connection = http.client.HTTPConnection(own.host, own.port, timeout=timeout_s)
    try:
        yield connection
    finally:
        connection.close()


def ask(url: str, method: str = "GET", below: str = "", body: str = "") -> tuple[int, bytes]:
    """Send one request on a connection of its own; give status and body."""
    with connected(url) as connection:
        path = parse_destination(url).path + below
        connection.request(method, path, body or None, {"Content-Length": str(len(body))})
        answer = connection.getresponse()
        return answer.status, answer.read()
