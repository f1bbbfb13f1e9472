"""Intermediaries that make a right counter hard to use, and leave it right."""

import asyncio

from faults.behaviour import Behaviour
from faults.exchange import Asked, Broken, CutShort, Outcome, Reply, now_s

SLOWEST_S = 1.0
"""What a slow start adds to its first answer."""


class PassOn(Behaviour):
    """Passes everything on as it is."""

    async def answer(self, asked: Asked) -> Outcome:
        """Answer what the counter answers."""
        return await self.pass_on(asked)


class Drop(Behaviour):
    """Hangs up instead of giving some answers: the counter has counted, nobody knows how far."""

    async def answer(self, asked: Asked) -> Outcome:
        """Ask the counter, and hang up when the fault is due."""
        dropped = self.due()
        reply = await self.pass_on(asked)
        self.injected += dropped
        return Broken.HANG_UP if dropped else reply


class Reset(Behaviour):
    """Resets the connection in the middle of some answers."""

    async def answer(self, asked: Asked) -> Outcome:
        """Ask the counter, and let only a part of the answer through when the fault is due."""
        cut = self.due()
        reply = await self.pass_on(asked)
        self.injected += cut
        return CutShort(reply) if cut else reply


class Hang(Behaviour):
    """Never gives some answers."""

    async def answer(self, asked: Asked) -> Outcome:
        """Ask the counter, and keep silent when the fault is due."""
        silent = self.due()
        reply = await self.pass_on(asked)
        self.injected += silent
        return Broken.SILENCE if silent else reply


class Unavailable(Behaviour):
    """Answers 503 to some requests, half of which it has passed on."""

    async def answer(self, asked: Asked) -> Outcome:
        """Say that nothing can be said, when the fault is due."""
        if not self.due():
            return await self.pass_on(asked)
        if self.setting.draw() < 0.5:  # noqa: PLR2004 -- half
            await self.pass_on(asked)
        self.injected += 1
        return Reply(status=503, body=b'{"message":"Service Unavailable"}')


class Throttle(Behaviour):
    """Refuses some requests without passing them on."""

    async def answer(self, asked: Asked) -> Outcome:
        """Answer 429 when the fault is due, as API Gateway does."""
        if not self.due():
            return await self.pass_on(asked)
        self.injected += 1
        return Reply(status=429, body=b'{"message":"Too Many Requests"}')


class Reorder(Behaviour):
    """Delays each request and each answer at random, so that they overtake each other."""

    async def answer(self, asked: Asked) -> Outcome:
        """Wait, ask, and wait again."""
        longest_s = self.setting.amount / 1e3
        await asyncio.sleep(self.setting.draw() * longest_s)
        reply = await self.pass_on(asked)
        await asyncio.sleep(self.setting.draw() * longest_s)
        self.injected += 1
        return reply


class SlowStart(Behaviour):
    """Is slow at first, and less and less so for `amount` seconds."""

    _since_s: float | None = None

    async def answer(self, asked: Asked) -> Outcome:
        """Ask, and wait as long as one has to by now."""
        self._since_s = self._since_s or now_s()
        reply = await self.pass_on(asked)
        left = 1 - (now_s() - self._since_s) / self.setting.amount
        if left > 0:
            self.injected += 1
            await asyncio.sleep(SLOWEST_S * left)
        return reply
