"""Boundaries (x, x+1) between numbers, and who crossed them. For moves of one step at most."""

from dataclasses import dataclass

import numpy as np

from analysis.mixed.history import Int64s, Moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Each boundary that was or should have been crossed, by its lower number `x`, ascending.

    `surplus` is by how many the crossings up exceed what they should be, negative for too few.
    `uncrossed` boundaries are not listed: nobody crossed them, though each should have been,
    in the direction of `step`.
    """

    x: Int64s
    surplus: Int64s
    uncrossed: int
    step: int

    def needed(self, step: int) -> int:
        """Give how many crossings more, up (1) or down (-1), would balance every boundary."""
        listed = int(np.maximum(-step * self.surplus, 0).sum())
        return listed + (self.uncrossed if step == self.step else 0)


def crossed(moves: Moves) -> tuple[Int64s, Int64s]:
    """Give the positions of the moves that crossed a boundary and told so, and its x."""
    at = np.flatnonzero(moves.told & (moves.delta != 0))
    return at, np.where(moves.delta[at] > 0, moves.value[at] - 1, moves.value[at])


def balance(moves: Moves, final: int, *, limit: int) -> Balance:
    """Compare crossings up and down of every boundary with the way from initial to final.

    Of the boundaries that nobody crossed at most `limit` are listed: an absurd final value
    must not fill memory.
    """
    at, x = crossed(moves)
    low, high = min(moves.initial, final), max(moves.initial, final)
    touched, slot = np.unique(x, return_inverse=True)
    listed = np.arange(low, min(high, low + len(touched) + limit))
    every = np.union1d(touched, listed)
    net = np.zeros(len(every), dtype=np.int64)
    np.add.at(net, np.searchsorted(every, touched)[slot], moves.delta[at])
    step = 1 if final > moves.initial else -1
    within = (every >= low) & (every < high)
    return Balance(
        x=every,
        surplus=net - np.where(within, step, 0),
        uncrossed=(high - low) - int(within.sum()),
        step=step,
    )


def uncoverable(moves: Moves) -> int | None:
    """Give a boundary that cannot balance whoever else happened; None where that is not certain.

    Moves that perhaps happened cross one boundary each, in their own direction.
    """
    final = moves.final
    if final is None:
        if not moves.must.all():
            return None
        final = moves.initial + int(moves.delta.sum())
    spare = {step: int((~moves.must & (moves.delta == step)).sum()) for step in (1, -1)}
    found = balance(moves, final, limit=1)
    for step in (1, -1):
        if found.needed(step) > spare[step]:
            short = found.x[step * found.surplus < 0]
            return int(short[0]) if len(short) else final
    return None


def likeliest_final(moves: Moves) -> int:
    """Give the final value that leaves the fewest crossings unexplained."""
    if moves.must.all():
        return moves.initial + int(moves.delta.sum())
    found = balance(moves, moves.initial, limit=0)
    lower, surplus = found.x, found.surplus
    above, below = lower >= moves.initial, lower < moves.initial
    upward = _gains(lower[above] - moves.initial, surplus[above])
    downward = _gains(moves.initial - 1 - lower[below][::-1], -surplus[below][::-1])
    way_up, way_down = (int(np.argmax(gains)) for gains in (upward, downward))
    if upward[way_up] >= downward[way_down]:
        return int(lower[above][way_up - 1]) + 1 if way_up else moves.initial
    return int(lower[below][::-1][way_down - 1])


def _gains(steps: Int64s, surplus: Int64s) -> Int64s:
    """Give how many crossings less are unexplained when the way ends beyond each boundary.

    `steps` are boundaries by their distance, `surplus` counts crossings in that direction; those
    between that nobody crossed are one more each. The first is for not going at all.
    """
    better = np.abs(surplus) - np.abs(surplus - 1)
    skipped = np.diff(steps, prepend=-1) - 1
    gains: Int64s = np.concatenate([[0], np.cumsum(better - skipped)])
    return gains
