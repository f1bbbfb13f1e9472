"""A correct counter that keeps the book which the record is held against."""

import asyncio

from tests.servers import CounterServer, reply

PAUSE_S = 0.004
LATE_EVERY = 40
LATE_S = 0.15
"""Every so many answers come so late: there is something to wait for when the load is over."""


class BookkeepingCounter(CounterServer):
    """Counts up by one for each request that it reads, and writes down every value it gave.

    Between reading a request and applying it, and between that and answering, it pauses: a
    client that is killed leaves requests behind in each of these states.
    """

    def __init__(self) -> None:
        super().__init__(_with_pauses)
        self.applied: list[int] = []

    def increment(self) -> int:
        """Take the next number, and note it."""
        self.applied.append(super().increment())
        return self.applied[-1]


async def _with_pauses(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(PAUSE_S)
    value = server.increment()
    await asyncio.sleep(LATE_S if n % LATE_EVERY == 0 else PAUSE_S)
    writer.write(reply(value))
    return True
