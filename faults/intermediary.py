"""The reverse proxy: aiohttp's server in front, one behaviour in between, aiohttp's client behind.

Only requests that increment or decrement go wrong, and only from the second on: the first tells
what the counter holds, and a load that cannot begin shows nothing.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import web

from faults.behaviour import Behaviour
from faults.exchange import Asked, Broken, CutShort, Outcome, Reply, Upstream, now_s
from history.fault import COUNTS_PATH

BODY_LIMIT_BYTES = 64 * 1024
SILENCE_S = 600.0
_POLL_S = 0.05
_LINGER_NOT = struct.pack("ii", 1, 0)  # close() sends RST and drops what was not sent


class Intermediary:
    """Handles every request, and counts.

    `received` are requests that increment or decrement, `answered` those of them that were
    answered in full, `upstream.sent` what was sent on for them or for anything else.
    """

    def __init__(self, upstream: Upstream, behaviour: Behaviour) -> None:
        self.received = self.answered = 0
        self._upstream = upstream
        self._behaviour = behaviour
        self._begun = False

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened so far."""
        return {
            "received": self.received,
            "sent": self._upstream.sent,
            "answered": self.answered,
            "injected": self._behaviour.injected,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, or not."""
        if request.path == COUNTS_PATH:
            return web.json_response(dict(self.counts))
        if not request.raw_path.startswith("/") or request.raw_path.startswith("//"):
            # A whole URL, or //host: it would be sent there, and only the counter may be loaded.
            return web.Response(status=400)
        asked = Asked(
            method=request.method,
            path=request.raw_path,
            content_type=request.headers.get("Content-Type", ""),
            body=await request.content.read(BODY_LIMIT_BYTES) if request.can_read_body else b"",
            arrived_s=now_s(),
        )
        if not asked.step or not self._is_counters(asked.path):
            return _response(await self._upstream.send(asked))
        self.received += 1
        outcome = await self._outcome(asked)
        if isinstance(outcome, Reply):
            self.answered += 1
            return _response(outcome)
        await _break(request, outcome)
        return web.Response()  # goes nowhere: the connection is gone

    def _is_counters(self, path: str) -> bool:
        own = self._upstream.destination
        return path in (own.path, own.below("decrement").path)

    async def _outcome(self, asked: Asked) -> Outcome:
        if self._begun:
            return await self._behaviour.answer(asked)
        reply = await self._upstream.send(asked)
        number = reply.number
        if number is not None and not self._begun:
            self._begun = True
            self._behaviour.begin(self._behaviour.setting.value_after(number, asked.step))
        return reply


def _response(reply: Reply) -> web.Response:
    response = web.Response(status=reply.status, body=reply.body)
    response.headers.setdefault("Cache-Control", "no-store")
    for name, value in reply.headers:
        response.headers[name] = value
    return response


async def _break(request: web.BaseRequest, outcome: Broken | CutShort) -> None:
    """End an exchange without an answer, or with a part of one."""
    transport = request.transport
    if transport is None:
        return
    if isinstance(outcome, CutShort):
        body = outcome.reply.body or b"0"
        head = f"HTTP/1.1 {outcome.reply.status} OK\r\nContent-Length: {len(body)}\r\n\r\n"
        transport.write(head.encode() + body[: len(body) // 2])
        await asyncio.sleep(_POLL_S)  # or the reset would overtake what was written
        _reset_on_close(transport)
    elif outcome is Broken.SILENCE:
        until_s = now_s() + SILENCE_S
        while not transport.is_closing() and now_s() < until_s:  # noqa: ASYNC110 -- nobody tells us
            await asyncio.sleep(_POLL_S)
    transport.abort()


def _reset_on_close(transport: asyncio.WriteTransport) -> None:
    descriptor = transport.get_extra_info("socket").fileno()
    if descriptor < 0:
        return  # who asked has gone meanwhile
    # uvloop shows a socket that cannot be told anything: a second handle on the same one can.
    with socket.socket(fileno=socket.dup(descriptor)) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)


@asynccontextmanager
async def serving(
    upstream: Upstream, behaviour: Behaviour, *, host: str, port: int
) -> AsyncIterator[str]:
    """Serve for the length of the block; gives the URL that stands for the counter's.

    Raises OSError when it cannot listen there.
    """
    intermediary = Intermediary(upstream, behaviour)
    runner = web.ServerRunner(web.Server(intermediary.handle, access_log=None))
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, shutdown_timeout=0.5, backlog=4096).start()
        bound: int = runner.addresses[0][1]
        yield replace(upstream.destination, scheme="http", host=host, port=bound).url
    finally:
        await runner.cleanup()
