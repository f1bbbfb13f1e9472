"""Brute force: is there any order in which a counter can have made these moves?

Exponential, and written with nothing of the product's own reasoning: the definition itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Move:
    """What was added within [start, end], and the value after it, None when not told.

    Not `certain`: it happened at most once within the interval, perhaps never.
    """

    start: int
    end: int
    delta: int
    value: int | None
    certain: bool = True


def possible(moves: Sequence[Move], *, initial: int, final: int | None) -> bool:
    """Try every order of all certain and any others; closed intervals, ties are concurrent.

    One after the other: whoever comes later may not have ended before an earlier one began.
    """
    everyone = range(len(moves))
    certain = {position for position in everyone if moves[position].certain}

    @cache
    def reachable(before: frozenset[int]) -> bool:
        counter = initial + sum(moves[position].delta for position in before)
        if certain <= before and final in (None, counter):
            return True
        return any(
            reachable(before | {position})
            for position in everyone
            if position not in before
            and all(moves[position].end >= moves[other].start for other in before)
            and moves[position].value in (None, counter + moves[position].delta)
        )

    return reachable(frozenset())
