"""Takes connections from the one socket, and lets them go in order at the end."""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from deploy.local.http1 import Connection, Service
from deploy.local.messages import Handler

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT_S = 2.0
OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
PAUSE_S = 1.0


class Acceptor:
    """Takes every connection that waits, each time there are any.

    libuv, and so uvloop's own server, takes one in each turn of the loop. With those that it has
    taken already keeping it busy for longer and longer turns, the last of 50 connections opened at
    once waited 0.3 to 0.5 s for its first answer, which a load test then takes for the counter's.
    """

    def __init__(self, listener: socket.socket, service: Service) -> None:
        self._listener = listener
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._starting: set[asyncio.Task[object]] = set()
        listener.setblocking(False)  # noqa: FBT003 (the socket module's own)
        self._resume()

    def close(self) -> None:
        """Take no more."""
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()

    def _resume(self) -> None:
        if self._listener.fileno() != -1:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in OUT_OF_DESCRIPTORS:
                    continue  # it was closed again before it was taken
                log.error("no connection can be taken for %g s: %s", PAUSE_S, error)  # noqa: TRY400
                self._loop.remove_reader(self._listener.fileno())
                self._loop.call_later(PAUSE_S, self._resume)
                return
            accepted.setblocking(False)  # noqa: FBT003
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task: asyncio.Task[object] = self._loop.create_task(
                self._loop.connect_accepted_socket(lambda: Connection(self._service), accepted)
            )
            self._starting.add(task)
            task.add_done_callback(self._started)

    def _started(self, task: asyncio.Task[object]) -> None:
        self._starting.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("a connection could not be begun: %s", task.exception())


@asynccontextmanager
async def serving(
    listener: socket.socket, handler: Handler, *, body_limit_bytes: int
) -> AsyncIterator[None]:
    """Answer requests on a listening socket until the block ends; closes it.

    Then no new connection is taken, requests under way have SHUTDOWN_TIMEOUT_S to be answered, and
    whatever is still open is closed.
    """
    service = Service(handler=handler, body_limit_bytes=body_limit_bytes)
    acceptor = Acceptor(listener, service)
    try:
        yield
    finally:
        acceptor.close()
        service.closing = True
        for connection in list(service.connections):
            if not connection.busy():
                connection.close()
        if service.connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(service.empty.wait(), SHUTDOWN_TIMEOUT_S)
        for connection in list(service.connections):
            connection.abort()
