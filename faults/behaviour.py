"""What every fault has in common: how much of it there is, and whether it is due."""

import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from faults.exchange import Asked, Outcome, Reply
from history.destination import Destination
from history.operation import Returns


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a behaviour works with.

    `send` passes a request on to `counter`; `amount` is the fault's (history/fault.py), `returns`
    says which value the counter answers with, `draw` gives numbers from 0 to 1 at random.
    """

    counter: Destination
    send: Callable[[Asked], Awaitable[Reply]]
    amount: float
    returns: Returns = Returns.NEW
    draw: Callable[[], float] = random.random

    def value_after(self, number: int, step: int) -> int:
        """Give the counter's value after an update, from the number that it answered."""
        return number if self.returns is Returns.NEW else number + step

    def number_of(self, before: int, step: int) -> int:
        """Give the number that an update of a counter that held `before` is answered with."""
        return before + step if self.returns is Returns.NEW else before


class Behaviour(ABC):
    """Answers the requests that increment or decrement; `injected` counts what it did wrong."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.injected = 0
        self.value_at_begin: int | None = None

    @abstractmethod
    async def answer(self, asked: Asked) -> Outcome:
        """Answer one request."""

    def begin(self, value: int) -> None:
        """Hear, once, what the counter holds before the first request that may go wrong."""
        self.value_at_begin = value

    def due(self) -> bool:
        """Draw whether the fault is due, for a fault whose amount is a share of the requests."""
        return self.setting.draw() < self.setting.amount

    async def pass_on(self, asked: Asked) -> Reply:
        """Ask the counter, as whoever asked us did."""
        return await self.setting.send(asked)
