"""Random small mixed histories, from a seed, and what the product says of them."""

import random
from collections.abc import Callable

from analysis.mixed.alternation import stuck_boundaries
from analysis.mixed.crossings import uncoverable
from analysis.mixed.history import NEVER
from analysis.mixed.order import verify_order
from analysis.mixed.search import Found, GaveUp, search
from analysis.verdict import Verdict
from tests.analysis.mixed_moves import ANY, BENDS, UNIT, moves_of
from tests.analysis.oracle_mixed import Move, possible

History = tuple[list[Move], int | None]

MIXED = {"decrements": UNIT, "adds of any size": ANY}
"""Kinds of mixed histories, and what their operations add."""


def any_mixed(dice: random.Random, kind: str) -> History:
    """Give a history of a kind and its final value: bent, or arbitrary."""
    return dice.choice((_bent, _arbitrary))(dice, MIXED[kind])


def owed(history: History) -> Verdict:
    """Ask brute force."""
    moves, final = history
    return Verdict.PASS if possible(moves, initial=0, final=final) else Verdict.FAIL


def given(history: History, give_up: Callable[[], bool] = lambda: False) -> Verdict:
    """Ask the search, and everything that claims to know without it."""
    listed, final = history
    moves = moves_of(listed, final=final)
    if moves.is_unit and (stuck_boundaries(moves, 1) or uncoverable(moves) is not None):
        return Verdict.FAIL
    result = search(moves, give_up, patience=1)
    if isinstance(result, Found):
        return Verdict.PASS if verify_order(moves, result.order) is None else Verdict.INCONCLUSIVE
    return Verdict.INCONCLUSIVE if isinstance(result, GaveUp) else Verdict.FAIL


def _bent(dice: random.Random, deltas: tuple[int, ...]) -> History:
    """Give a correct history in which up to two things are bent."""
    moves: list[Move] = []
    counter = 0
    for instant in sorted(dice.randrange(15) for _ in range(dice.randrange(9))):
        delta = dice.choice(deltas)
        kind = dice.choice(["told"] * 5 + ["applied", "never", _untold(deltas)])
        start, end = instant - dice.randrange(6), instant + dice.randrange(6)
        counter += delta if kind != "never" else 0
        moves.append(_move(dice, kind, (start, end), delta, counter))
    for _ in range(dice.choice((0, 1, 1, 2))):
        if moves:
            bend = BENDS[dice.choice(sorted(BENDS))]
            bend(moves, dice.randrange(len(moves)), dice.randrange(len(moves)))
    return moves, dice.choice((None, counter, counter, counter + 1))


def _arbitrary(dice: random.Random, deltas: tuple[int, ...]) -> History:
    """Give anything at all: mostly wrong."""
    moves = []
    for _ in range(dice.randrange(7)):
        start = dice.randrange(15)
        kind = dice.choice(["told"] * 4 + ["never", _untold(deltas)])
        end, delta = start + dice.randrange(9), dice.choice(deltas)
        moves.append(_move(dice, kind, (start, end), delta, dice.randrange(-2, 4)))
    return moves, dice.choice((None, *range(-2, 4)))


def _untold(deltas: tuple[int, ...]) -> str:
    return "told" if deltas == UNIT else "blind"


def _move(dice: random.Random, kind: str, during: tuple[int, int], delta: int, value: int) -> Move:
    start, end = during
    if kind in {"applied", "never"}:
        return Move(start, dice.choice([NEVER, end]), delta, None, certain=False)
    return Move(start, end, delta, value if kind == "told" else None)
