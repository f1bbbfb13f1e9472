"""Brute force: is there any order in which a counter could have given these answers?

Exponential, and written with nothing of the product's own reasoning: the definition itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Completed:
    """An answered operation: an increment that returned `value` (after), or a read of it."""

    start: int
    end: int
    value: int
    is_read: bool = False


def linearizable(
    completed: Sequence[Completed],
    uncertain: Sequence[int],
    *,
    base: int,
    final: int | None,
) -> bool:
    """Try every order that respects real time; closed intervals, ties are concurrent.

    `uncertain` are starts of increments that took effect once at or after that time, or never.
    """
    every = (1 << len(completed)) - 1

    @cache
    def reachable(done: int, applied: int) -> bool:
        counter = (
            base
            + applied.bit_count()
            + sum(
                not operation.is_read
                for position, operation in enumerate(completed)
                if done >> position & 1
            )
        )
        if done == every and final in (None, counter):
            return True
        waiting = [op for position, op in enumerate(completed) if not done >> position & 1]
        horizon = min((op.end for op in waiting), default=None)
        for position, op in enumerate(completed):
            if done >> position & 1 or (horizon is not None and horizon < op.start):
                continue
            if op.value == counter + (not op.is_read) and reachable(done | 1 << position, applied):
                return True
        for position, start in enumerate(uncertain):
            if applied >> position & 1 or (horizon is not None and horizon < start):
                continue
            if reachable(done, applied | 1 << position):
                return True
        return False

    return reachable(0, 0)
