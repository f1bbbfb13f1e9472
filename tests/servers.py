"""Counters over HTTP that are right, or wrong in one known way: targets for the tests.

    python -m tests.servers racy        prints the URL, serves until Ctrl-C

Written on asyncio streams, byte by byte, so that each can misbehave on the wire as it likes.
"""

import argparse
import asyncio
import contextlib
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.patience import PATIENCE_S, until

CERTIFICATE = Path(__file__).parent / "tls" / "localhost.crt"
"""Signed by itself, for localhost, until 2126; its key lies beside it and protects nothing."""

Answering = Callable[["CounterServer", int, asyncio.StreamWriter], Awaitable[bool]]
"""Answers the n-th request (from 1); gives whether the connection is kept."""

_STEP: ContextVar[int] = ContextVar("step")
"""What the request that a connection's task is answering asks to add: 1, or -1 to decrement."""


class CounterServer:
    """A server on a port of the system's choice, in a thread of its own; a context manager.

    GET increments and POST, to /decrement below any path, decrements; either way the answer is the
    new value. `received` counts requests read off the wire, `decrements` those of them that were
    POSTs, and `value` is the counter; `waiting` is for those
    that care how many they answer at once. Each is answered after `pause_s`: a closed loop then
    sends so many a second and does not take the whole machine.
    """

    def __init__(
        self,
        answering: Answering,
        *,
        value: int = 0,
        hangs_up_on_put: bool = False,
        tls: bool = False,
        pause_s: float = 0,
    ) -> None:
        self.answering = answering
        self.tls = tls
        self.pause_s = pause_s
        self.hangs_up_on_put = hangs_up_on_put
        self.value = value
        self.received = 0
        self.decrements = 0
        self.waiting = 0
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def await_received(self, count: int) -> int:
        """Wait until so many requests were read; give how many were.

        A client that gave one up may have done so before this server's thread had its turn.
        """
        until(lambda: self.received >= count, f"{count} requests received")
        return self.received

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        context = None
        if self.tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
        server = await asyncio.start_server(self._client, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{port}/"
        self._ready.set()
        await self._stop.wait()
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                step = asked(head)
                if step is None:
                    if self.hangs_up_on_put:
                        return
                    writer.write(
                        b"HTTP/1.1 405 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    )
                    await writer.drain()
                    return
                _STEP.set(step)
                self.received += 1
                self.decrements += step < 0
                number = self.received
                if self.pause_s:
                    await asyncio.sleep(self.pause_s)
                if not await self.answering(self, number, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    def increment(self) -> int:
        """Add what the request asks for, atomically (nothing is awaited in between)."""
        self.value += _STEP.get()
        return self.value


def asked(head: bytes) -> int | None:
    """Tell what a request adds; None: this is no request to a counter.

    A POST with a body is none either: its bytes would be read as the next request's.
    """
    line, *headers = head.lower().split(b"\r\n")
    method, path, _ = line.split(b" ", 2)
    if method == b"get":
        return 1
    is_decrement = path.partition(b"?")[0].endswith(b"/decrement")
    if method == b"post" and is_decrement and b"content-length: 0" in headers:
        return -1
    return None


def reply(body: bytes | str | int, *, status: int = 200, headers: str = "") -> bytes:
    """Spell a whole answer."""
    text = body if isinstance(body, bytes) else str(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n{headers}\r\n".encode() + text


async def correct(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Answer the new number."""
    writer.write(reply(server.increment()))
    return True


async def slow(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Take the next number at once and a fifth of a second to say so."""
    value = server.increment()
    await asyncio.sleep(0.2)
    writer.write(reply(value))
    return True


CROWD = 20


async def racy_in_a_crowd(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Lose updates only while CROWD requests or more are in flight: an overflowing lock table."""
    server.waiting += 1
    try:
        if server.waiting >= CROWD:
            return await racy(server, n, writer)
        value = server.increment()
        await asyncio.sleep(0.005)
        writer.write(reply(value))
        return True
    finally:
        server.waiting -= 1


async def racy(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Read, let others run, write: the textbook lost update, up and down alike."""
    changed = server.value + _STEP.get()
    await asyncio.sleep(0)
    server.value = changed
    writer.write(reply(changed))
    return True


async def dropping(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Apply every increment, and hang up instead of answering every 50th."""
    value = server.increment()
    if n % 50 == 0:
        return False
    writer.write(reply(value))
    return True


async def failing_every_tenth(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Refuse every 10th request as throttled, having done nothing."""
    writer.write(reply("slow down", status=429) if n % 10 == 0 else reply(server.increment()))
    return True


async def closing(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Close the connection after each answer."""
    writer.write(reply(server.increment(), headers="Connection: close\r\n"))
    return False


async def closing_unannounced(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Close the connection after each answer without saying so: kept-alive clients find it dead."""
    writer.write(reply(server.increment()))
    return False


async def byte_by_byte(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Send the answer in single bytes."""
    for byte in reply(server.increment()):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    return True


async def chunked(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Send the body in chunks of one byte."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for digit in str(server.increment()).encode():
        writer.write(b"1\r\n" + bytes([digit]) + b"\r\n")
    writer.write(b"0\r\n\r\n")
    return True


async def twice_at_once(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Send the answer twice in one segment: read as one body, 5 and 5 would be 55."""
    answer = reply(server.increment())
    writer.write(answer + answer)
    return True


async def again_later(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Send the answer, and once more when it has surely been read."""
    answer = reply(server.increment())
    writer.write(answer)
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.write(answer)
    return True


async def late_after_hints(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Send 103 at once and every 5th answer too late: it must not meet the next request."""
    value = server.increment()
    writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    await writer.drain()
    if n % 5 == 0:
        await asyncio.sleep(0.6)
    writer.write(reply(value))
    return True


async def until_closed(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Say nothing of the body's length; closing the connection ends it."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + str(server.increment()).encode())
    return False


async def truncated(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Announce more than is sent, and hang up."""
    value = str(server.increment()).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + value)
    return False


async def oversized(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Answer with a megabyte of digits."""
    server.increment()
    writer.write(reply(b"1" * 1_000_000))
    await writer.drain()
    return True


async def garbage(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Answer with what is not HTTP."""
    server.increment()
    writer.write(b"\x00\xff garbage \r\n\r\n")
    return False


async def endless_head(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Answer with headers and headers and nothing else."""
    server.increment()
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: yes\r\n" * 20_000)
    await writer.drain()
    return True


async def hints_then_gone(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Send an interim answer, and hang up instead of the final one."""
    server.increment()
    writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    return False


async def half_a_head(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Hang up in the middle of a header."""
    server.increment()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    return False


async def switching(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Change to a protocol that nobody asked for."""
    server.increment()
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
    return False


async def words(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Answer 200 with something that is not a number."""
    server.increment()
    writer.write(reply('{"value": 7}'))
    return True


async def erring(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Apply the increment and answer 500."""
    server.increment()
    writer.write(reply("oops", status=500))
    return True


async def redirecting(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Apply the increment and point elsewhere: a client that follows would send twice."""
    server.increment()
    writer.write(reply("", status=307, headers=f"Location: {server.url}\r\n"))
    return True


async def silent(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    """Apply the increment and never answer."""
    server.increment()
    await asyncio.Event().wait()
    return False


COUNTERS = (correct, racy, racy_in_a_crowd, dropping, failing_every_tenth, erring, closing)


def main() -> None:
    """Serve one of COUNTERS until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.servers", description="A counter over HTTP that is right or wrong."
    )
    named = {counter.__name__: counter for counter in COUNTERS}
    parser.add_argument("counter", choices=named, help="how it behaves")
    chosen = named[parser.parse_args().counter]
    with CounterServer(chosen) as server, contextlib.suppress(KeyboardInterrupt):
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
