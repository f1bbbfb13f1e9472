"""Whether effects that nobody saw can have filled every hole. Pure.

Each effect can fill a run of consecutive holes (analysis.holes). So the eligible pairs form a
convex bipartite graph, and taking for each hole in order, among the effects that can fill it,
the one whose run ends first, finds a complete matching if there is one (Glover 1967). Where it
fails, the holes reached by alternating paths from the failing one are a Hall set: more holes
than there are effects that can have filled any of them.
"""

import heapq
from dataclasses import dataclass

import numpy as np

from analysis.stretch import Int64s


@dataclass(frozen=True, slots=True, kw_only=True)
class HallSet:
    """Holes of which there are more than effects that can have filled any of them.

    Both are positions, sorted: in the holes and in the effects.
    """

    holes: Int64s
    effects: Int64s


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """For each hole the position of an effect that can have filled it, each another one.

    `lacking` proves that there are too few; `taker` then ends before the first hole that is
    left over.
    """

    taker: Int64s
    lacking: HallSet | None


def match(first: Int64s, last: Int64s, holes: int) -> Matching:
    """Find out whether every hole can have been filled by an effect of its own.

    `first` and `last` are, for each effect, the first and last hole that it can have filled, as
    positions; one of which `first` > `last` can have filled none.
    """
    order = np.lexsort((last, first))
    usable = order[first[order] <= last[order]]
    if (last[usable] >= holes - 1).all():
        return _nested(first, usable, holes)
    return _convex(first, last, usable, holes)


def _nested(first: Int64s, usable: Int64s, holes: int) -> Matching:
    """Match effects of which each can fill every hole from its first on."""
    paired = min(len(usable), holes)
    late = np.flatnonzero(first[usable[:paired]] > np.arange(paired))
    filled = int(late[0]) if len(late) else paired
    lacking = HallSet(holes=np.arange(filled + 1), effects=np.sort(usable[:filled]))
    return Matching(taker=usable[:filled], lacking=lacking if filled < holes else None)


def _convex(first: Int64s, last: Int64s, usable: Int64s, holes: int) -> Matching:
    waiting: list[tuple[int, int]] = []
    taken: list[int] = []
    position = 0
    firsts, lasts = first[usable].tolist(), last[usable].tolist()
    for hole in range(holes):
        while position < len(firsts) and firsts[position] <= hole:
            heapq.heappush(waiting, (lasts[position], position))
            position += 1
        while waiting and waiting[0][0] < hole:
            heapq.heappop(waiting)
        if not waiting:
            taker = usable[np.array(taken, dtype=np.int64)]
            return Matching(taker=taker, lacking=_hall_set(first, last, taker))
        taken.append(heapq.heappop(waiting)[1])
    return Matching(taker=usable[np.array(taken, dtype=np.int64)], lacking=None)


def _hall_set(first: Int64s, last: Int64s, taker: Int64s) -> HallSet:
    """Close the failing hole under "an effect that can fill it, and the hole that one took".

    Holes are gone through downwards and upwards in turn, each time with the nearest one reached
    so far on the way: chains of however many holes are followed in one go.
    """
    failing = len(taker)
    firsts, lasts = first[taker].tolist(), last[taker].tolist()
    reached = [False] * failing + [True]
    fresh = True
    while fresh:
        fresh, nearest = False, failing
        for hole in range(failing - 1, -1, -1):
            if not reached[hole] and lasts[hole] >= nearest:
                reached[hole] = fresh = True
            if reached[hole]:
                nearest = hole
        nearest = -1
        for hole in range(failing):
            if not reached[hole] and firsts[hole] <= nearest:
                reached[hole] = fresh = True
            if reached[hole]:
                nearest = hole
    holes = np.flatnonzero(reached)
    return HallSet(holes=holes, effects=np.sort(taker[holes[:-1]]))
