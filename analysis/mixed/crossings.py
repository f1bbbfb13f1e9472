"""Boundaries (x, x+1) between numbers, and who crossed them. For moves of one step at most."""

from dataclasses import dataclass

import numpy as np

from analysis.mixed.history import Int64s, Moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Each boundary that was or should have been crossed, by its lower number `x`, ascending.

    `surplus` is by how many the crossings up exceed what they should be, negative for too few.
    `uncrossed` boundaries are not listed: nobody crossed them, though each should have been.
    """

    x: Int64s
    surplus: Int64s
    uncrossed: int


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
    due = np.where((every >= low) & (every < high), 1 if final > moves.initial else -1, 0)
    within = int(((every >= low) & (every < high)).sum())
    return Balance(x=every, surplus=net - due, uncrossed=(high - low) - within)


def likeliest_final(moves: Moves) -> int:
    """Give the final value that leaves the fewest crossings unexplained."""
    if moves.must.all():
        return moves.initial + int(moves.delta.sum())
    found = balance(moves, moves.initial, limit=0)
    net = dict(zip(found.x.tolist(), found.surplus.tolist(), strict=True))
    best, best_gain = moves.initial, 0
    for step in (1, -1):
        gain, at = 0, moves.initial
        while (x := at if step > 0 else at - 1) in net:
            gain += abs(net[x]) - abs(net[x] - step)
            at += step
            if gain > best_gain:
                best, best_gain = at, gain
    return best
