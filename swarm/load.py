"""Driving the connections of one process: closed loop or open loop, every request recorded."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from history.destination import REFUSED_PAUSE_S
from history.gate import LoadWindow
from history.journal import NO_TIME, Journal
from history.operation import Reason
from swarm.schedule import NS_PER_S
from swarm.transport import Transport


async def drive(
    transport: Transport,
    journal: Journal,
    *,
    window: LoadWindow,
    connections: int,
    intended: Iterator[int] | None,
    stop: asyncio.Event,
    grace_s: float,
) -> None:
    """Send until the window ends or `stop` is set; requests in flight may finish for `grace_s`.

    Closed loop when `intended` is None: each connection sends its next request as soon as the
    last one is answered. Open loop otherwise: the connections share one schedule, a request
    that finds all of them busy is sent late, and its intended time says by how much. What is
    still unanswered after the grace stays in the journal without an answer: indeterminate.
    Raises UserError when the journal cannot be written.
    """
    load = _Load(transport, journal, window, stop)
    workers = [
        asyncio.create_task(
            load.closed_loop(worker) if intended is None else load.open_loop(worker, intended)
        )
        for worker in range(connections)
    ]
    ender = asyncio.create_task(_set_at(stop, window.end_ns))
    try:
        # Ends early when a worker raises, which only a journal that cannot be written does.
        stopping = asyncio.create_task(stop.wait())
        everyone: asyncio.Future[list[None]] = asyncio.gather(*workers)
        either: set[asyncio.Future[Any]] = {stopping, everyone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.wait({everyone}, timeout=grace_s)
        if everyone.done():
            everyone.result()
    finally:
        for task in (*workers, ender, stopping):
            task.cancel()
        await asyncio.gather(*workers, ender, stopping, return_exceptions=True)


class _Load:
    """What every connection of a process needs."""

    def __init__(
        self, transport: Transport, journal: Journal, window: LoadWindow, stop: asyncio.Event
    ) -> None:
        self._transport = transport
        self._journal = journal
        self._window = window
        self._stop = stop

    async def closed_loop(self, worker: int) -> None:
        await self._wait_until(self._window.start_ns)
        while not self._stop.is_set():
            await self._send(worker, NO_TIME)

    async def open_loop(self, worker: int, intended: Iterator[int]) -> None:
        for due_ns in intended:
            await self._wait_until(due_ns)
            if self._stop.is_set():
                return
            await self._send(worker, due_ns)

    async def _send(self, worker: int, intended_ns: int) -> None:
        slot = self._journal.begin(worker, intended_ns)
        answer = await self._transport.increment()
        self._journal.complete(slot, answer.seen, answer.status, answer.attempts)
        if answer.seen.reason is Reason.NEVER_SENT:
            await asyncio.sleep(REFUSED_PAUSE_S)

    async def _wait_until(self, due_ns: int) -> None:
        # uvloop rounds timers to a millisecond and may fire early: a request is never sent
        # before its time, so what is left is waited for again.
        while (wait_ns := due_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110 -- not a poll
            await asyncio.sleep(wait_ns / NS_PER_S)


async def _set_at(stop: asyncio.Event, end_ns: int) -> None:
    await asyncio.sleep(max(0.0, (end_ns - time.monotonic_ns()) / NS_PER_S))
    stop.set()
