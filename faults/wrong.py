"""Intermediaries that make a counter wrong: numbers given twice, skipped, or out of order."""

import asyncio
from collections import deque
from itertools import cycle

from faults.behaviour import Behaviour, Setting
from faults.exchange import Asked, Outcome, Reply, now_s
from history.destination import UNSAFE_PATH

SWAP_AFTER_S = 0.025
"""So much later must the request come that gets the earlier number: other requests have been sent
and answered in between, so that it is wrong and not only unusual."""

SWAP_PATIENCE_S = 1.0
ALLOCATORS = 2
_HTTP_OK = 200


class LostUpdate(Behaviour):
    """Reads the counter, adds one and writes it back: others may do so in between."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._path = setting.counter.below(UNSAFE_PATH).path

    async def answer(self, asked: Asked) -> Outcome:
        """Answer the number that was written, or why there is none."""
        if not self.due():
            return await self.pass_on(asked)
        read = await self.pass_on(Asked(method="GET", path=self._path))
        before = read.number
        if before is None:
            return read
        written = await self.pass_on(put(self._path, before + asked.step))
        if written.status != _HTTP_OK:
            return written
        self.injected += 1
        return read.with_number(self.setting.number_of(before, asked.step))


class Cache(Behaviour):
    """Answers GET from its cache, for `amount` ms after the answer it keeps."""

    _kept: Reply | None = None
    _kept_at_s = 0.0

    async def answer(self, asked: Asked) -> Outcome:
        """Answer with what is kept, while it is fresh."""
        if asked.step < 0:
            return await self.pass_on(asked)
        fresh_s = self.setting.amount / 1e3
        if self._kept is not None and now_s() - self._kept_at_s <= fresh_s:
            self.injected += 1
            return self._kept
        reply = await self.pass_on(asked)
        if reply.number is not None:
            self._kept, self._kept_at_s = reply, now_s()
        return reply


class Repeat(Behaviour):
    """Answers some requests with the number that was given last."""

    _last: Reply | None = None

    async def answer(self, asked: Asked) -> Outcome:
        """Answer with the last number when the fault is due, else with a new one."""
        if self._last is not None and asked.step > 0 and self.due():
            self.injected += 1
            return self._last
        reply = await self.pass_on(asked)
        if reply.number is not None and asked.step > 0:
            self._last = reply
        return reply


class Resend(Behaviour):
    """Sends some requests on twice, as clients do whose first answer was lost."""

    async def answer(self, asked: Asked) -> Outcome:
        """Answer with the second number when the fault is due: the first is nobody's."""
        twice = self.due()
        reply = await self.pass_on(asked)
        if twice and reply.number is not None:
            self.injected += 1
            return await self.pass_on(asked)
        return reply


class Swap(Behaviour):
    """Lets two answers change places: every number is given once, and two in the wrong order."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._held: deque[tuple[float, Reply, asyncio.Future[Reply]]] = deque()

    async def answer(self, asked: Asked) -> Outcome:
        """Hold an answer back when the fault is due, else exchange with one that is held."""
        hold = self.due()
        reply = await self.pass_on(asked)
        if reply.number is None or asked.step < 0:
            return reply
        if hold:
            return await self._exchanged(reply)
        while self._held and self._held[0][2].done():
            self._held.popleft()
        if self._held and asked.arrived_s >= self._held[0][0] + SWAP_AFTER_S:
            _, earlier, waiting = self._held.popleft()
            waiting.set_result(reply)
            self.injected += 1
            return earlier
        return reply

    async def _exchanged(self, reply: Reply) -> Reply:
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._held.append((now_s(), reply, waiting))
        try:
            async with asyncio.timeout(SWAP_PATIENCE_S):
                return await waiting
        except TimeoutError:
            return reply  # nobody came: it keeps its own


class Replica(Behaviour):
    """Sends some requests to a second counter, which was a copy of the first once."""

    _ahead = 0
    """How far the copy is ahead of what it was copied from, as that was then."""

    async def answer(self, asked: Asked) -> Outcome:
        """Answer from the copy when the fault is due, else from the counter."""
        if self.value_at_begin is None or not self.due():
            return await self.pass_on(asked)
        number = self.setting.number_of(self.value_at_begin + self._ahead, asked.step)
        self._ahead += asked.step
        self.injected += 1
        return Reply(status=_HTTP_OK, body=str(number).encode())


class Blocks(Behaviour):
    """Takes numbers ahead, a block at a time, for allocators that hand them out on their own."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._size = int(setting.amount)
        self._stocks: list[deque[Reply]] = [deque() for _ in range(ALLOCATORS)]
        self._at_work = [asyncio.Lock() for _ in range(ALLOCATORS)]
        self._counter = asyncio.Lock()
        self._turns = cycle(range(ALLOCATORS))

    async def answer(self, asked: Asked) -> Outcome:
        """Answer with the next number of an allocator's block; they take turns."""
        if asked.step < 0:
            return await self.pass_on(asked)
        own = next(self._turns)
        stock = self._stocks[own]
        async with self._at_work[own]:
            if not stock:
                trouble = await self._fill(stock, asked)
                if trouble is not None:
                    return trouble
            return stock.popleft()

    async def _fill(self, stock: deque[Reply], asked: Asked) -> Reply | None:
        """Take a block of consecutive numbers; give the answer that tells why there is none."""
        async with self._counter:
            replies = await asyncio.gather(*(self.pass_on(asked) for _ in range(self._size)))
        numbered = [(reply.number, reply) for reply in replies if reply.number is not None]
        stock.extend(reply for _, reply in sorted(numbered, key=lambda pair: pair[0]))
        self.injected += bool(stock)
        return None if stock else replies[0]


class Restore(Behaviour):
    """Puts the counter back to an older state once, as a restored backup does.

    That it was put back is counted when a number shows it: not every server's PUT sets its counter.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._given = 0
        self._older: int | None = None
        self._put_back = False

    async def answer(self, asked: Asked) -> Outcome:
        """Answer from the counter, and see whether it is time."""
        reply = await self.pass_on(asked)
        number = reply.number
        if number is None:
            return reply
        self._given += 1
        if self._older is None:
            if self._given >= self.setting.amount:
                self._older = self.setting.value_after(number, asked.step)
        elif self._put_back:
            # Halfway: requests that were under way still bring numbers from just before.
            self.injected = self.injected or int(number - self._older <= self.setting.amount / 2)
        elif self._given >= 2 * self.setting.amount:
            self._put_back = True  # at once: nobody else may begin to do so meanwhile
            await self.pass_on(put(self.setting.counter.path, self._older))
        return reply


def put(path: str, value: int) -> Asked:
    """Ask a counter to hold a value."""
    body = f'{{"value": {value}}}'.encode()
    return Asked(method="PUT", path=path, content_type="application/json", body=body)
