"""What the load asks of a transport: clients that send one request at a time, and say when.

A client is one connection's worth of load. It writes the journal itself, because only it knows
the instant before the first byte and the instant after the last. One call of `send` is one
operation is at most one request on the wire: a client never sends anything twice.
"""

import ssl
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from history.journal import Journal
from history.operation import Kind, Reason

USER_AGENT = "gapless-swarm"


def tls_context() -> ssl.SSLContext:
    """Check certificates against the system's authorities, and speak HTTP/1.1 only.

    SSL_CERT_FILE names other authorities, as OpenSSL has it.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Client(Protocol):
    """One connection: at most one operation in flight."""

    worker: int
    since_ns: int
    """When the operation in flight was asked for, monotonic; 0 while there is none."""

    def send(self, intended_ns: int, kind: Kind = Kind.INCREMENT) -> None:
        """Record and send one request. Returns at once; see Listener for how it ends."""
        ...

    def give_up(self) -> None:
        """End the operation in flight as timed out, and leave its connection."""
        ...

    def close(self) -> None:
        """Close the connection; an operation in flight stays without an answer."""
        ...


class Listener(NamedTuple):
    """What a client asks of the load, and tells it: each `send` ends in one of the two.

    `answered(client, reason)`: its operation is recorded, or was never begun since the load is
    over; it may send again. Never called from within its own `send`. `failed(error)`: nothing
    can be recorded any more, the load must stop. `is_over()`: no request may be sent any more.
    """

    answered: Callable[[Client, Reason], None]
    failed: Callable[[Exception], None]
    is_over: Callable[[], bool]


class Transport(Protocol):
    """Makes clients; one instance serves a process. An async context manager.

    `timeout_s` bounds connecting; the load bounds the rest, by `give_up`.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def client(self, worker: int, journal: Journal, listener: Listener) -> Client:
        """Make a client; its connection is opened when it is first needed."""
        ...

    async def connect(self, client: Client) -> None:
        """Open a client's connection before it sends, where it has none and the transport can."""
        ...
