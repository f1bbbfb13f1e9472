"""Crossings of one boundary alternate: up, down, up... Does that agree with real time?

CHECKERS B, N2; for moves of one step at most that told their value where they certainly
happened. Decided for each boundary alone, by taking again and again, of those crossings in
the wanted direction that no other crossing left precedes, the one with the earliest end.

Exact where nothing is uncertain. If an order of the rest exists that takes b where a, of the
same direction and free to go, has no later end, then b may trade places with a: a may go now,
and b at a's place, for all that stand before it there began by a's end, so by b's. If no
crossing of the wanted direction is free, none ever will be before the one that blocks it.

Never a false FAIL: moves that perhaps happened may have crossed here or anywhere else, so
each boundary may use all of them, from their start on without end. That permits more than
can have been. Told crossings go first where they can: by the same trade one without end is
never needed before them. Of those without end the one sent first is as good as any other.
"""

from bisect import bisect_right
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from analysis.mixed.crossings import crossed
from analysis.mixed.history import Moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A boundary (x, x+1) whose crossings cannot alternate. Positions in the moves.

    `waiting` must be the next or later, and is answered before any of `too_late` was sent;
    `taken` are the last crossings before it that alternated. `up` is the direction wanted.
    """

    x: int
    up: bool
    waiting: int
    taken: tuple[int, ...]
    too_late: tuple[int, ...]

    @property
    def positions(self) -> tuple[int, ...]:
        """Every move it speaks of, in that order."""
        return (*self.taken, self.waiting, *self.too_late)


def stuck_boundaries(moves: Moves, limit: int) -> list[Stuck]:
    """Give the boundaries, at most so many, whose crossings cannot alternate; [] is no proof."""
    at, x = crossed(moves)
    order = np.argsort(x, kind="stable")
    numbers, first = np.unique(x[order], return_index=True)
    groups = np.split(at[order], first[1:])
    spare = {step: moves.start[~moves.must & (moves.delta == step)].tolist() for step in (1, -1)}
    found = []
    for number, group in zip(numbers.tolist(), groups, strict=False):
        stuck = _walk(moves, number, group.tolist(), spare)
        if stuck:
            found.append(stuck)
            if len(found) >= limit:
                break
    return found


def _walk(moves: Moves, x: int, group: list[int], spare: dict[int, list[int]]) -> Stuck | None:
    """Take the crossings of one boundary in turn; `group` is sorted by start."""
    starts, ends, ups = (
        moves.start[group].tolist(),
        moves.end[group].tolist(),
        (moves.delta[group] > 0).tolist(),
    )
    by_end = sorted(range(len(group)), key=ends.__getitem__)
    free: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    used = {1: 0, -1: 0}
    taken: list[int] = []
    done = [False] * len(group)
    admitted, oldest, up = 0, 0, moves.initial <= x
    while len(taken) < len(group):
        while done[by_end[oldest]]:
            oldest += 1
        blocker = by_end[oldest]
        while admitted < len(group) and starts[admitted] <= ends[blocker]:
            heappush(free[ups[admitted]], (ends[admitted], admitted))
            admitted += 1
        step = 1 if up else -1
        if free[up]:
            taken.append(heappop(free[up])[1])
            done[taken[-1]] = True
        elif used[step] < bisect_right(spare[step], ends[blocker]):
            used[step] += 1
        else:
            late = [i for i in range(admitted, len(group)) if ups[i] == up][:1]
            return Stuck(
                x=x,
                up=up,
                waiting=group[blocker],
                taken=tuple(group[i] for i in taken[-2:]),
                too_late=tuple(group[i] for i in late),
            )
        up = not up
    return None
