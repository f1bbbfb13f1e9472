"""Which moves are worth trying next. What is left out here is never needed: each rule says why.

Exchange: if an order of the rest takes z where y is free too, y has no later end, and z could
do y's work at y's later place, then y may trade places with z. Whoever stands before y's place
began by y's end, so by z's. And y began by the horizon, so nobody who must happen had ended
before it; but a move that only perhaps happened may end before y began, and can then no longer
go after y. So y must also have begun by the least end of those, or no later than z.
By the same argument a read goes at once.
"""

from typing import Protocol

from analysis.mixed.state import AFTER_ALL, EMPTY, State

_LOOK = 100
"""So many waiting moves are looked at to see whether a step loses one. A step kept is no error."""


class Choices(Protocol):
    """Gives the moves worth trying; none means that this state is a dead end."""

    def __call__(self, state: State) -> tuple[int, ...]:
        """Give their numbers, the most promising first."""


def any_moves(state: State) -> tuple[int, ...]:
    """Give choices among moves of any kind, by end.

    Of equal deltas, a told move can be replaced by a blind one or one that perhaps happened,
    and a blind one by one that perhaps happened, wherever those stand; not the other way.
    """
    spare = [free for lane in state.spare.values() if (free := state.usable(lane))]
    floor = min((free[0][0] for free in spare), default=AFTER_ALL)
    kinds = [
        [lane.free for lane in state.leaving.get(state.counter, ())],
        [lane.free for lane in state.blind.values()],
        spare,
    ]
    chosen: dict[int, list[tuple[int, int]]] = {}
    for free in (free for kind in kinds for free in kind if free):
        delta = state.delta[free[0][1]]
        if not delta and (at_once := _begun_by(state, free, floor)):
            return at_once
        _add_undominated(state, chosen.setdefault(delta, []), free, floor)
    return tuple(i for _, i in sorted(move for moves in chosen.values() for move in moves))


def _begun_by(state: State, free: list[tuple[int, int]], floor: int) -> tuple[int, ...]:
    return next(((i,) for _, i in free if state.start[i] <= floor), ())


def _add_undominated(
    state: State, chosen: list[tuple[int, int]], free: list[tuple[int, int]], floor: int
) -> None:
    """Add those of a lane, which is sorted by end, that no chosen move may trade places with.

    `chosen` are of the same delta, and of this lane or of a kind before it.
    """
    start = state.start
    for end, i in free:
        if not any(e <= end and start[y] <= max(start[i], floor) for e, y in chosen):
            chosen.append((end, i))
        if floor >= state.horizon:
            return  # every later one is beaten by this one, or by what beats it


def unit_moves(state: State) -> tuple[int, ...]:
    """Give choices where all moves told their value and none is of more than one step.

    The counter walks a line. The move that ends first must be reached by moves that are free
    already: no other becomes free before it is taken. And one may not cross a boundary when
    a move left behind ends before the first that leads back may go.
    """
    x, lanes = state.counter, state.lanes
    read = lanes.get((x, 0), EMPTY)
    if read.free:
        return (read.free[0][1],)
    if state.oldest >= state.due:
        return ()
    oldest = state.by_end[state.oldest]
    target = state.source[oldest]
    is_above = target > x or (target == x and state.delta[oldest] > 0)
    if not _reachable(state, x, target):
        return ()
    found = []
    for step in (1, -1) if is_above else (-1, 1):
        free = lanes.get((x, step), EMPTY).free
        if free and not _loses(state, x, step, free[0][1]):
            found.append(free[0][1])
    return tuple(found)


def _reachable(state: State, x: int, target: int) -> bool:
    step = 1 if target > x else -1
    lanes = state.lanes
    return all(lanes.get((at, step), EMPTY).free for at in range(x, target, step))


def _loses(state: State, x: int, step: int, crossing: int) -> bool:
    """Say whether some other move that starts on this side ends before there is a way back."""
    back = state.next_start(state.lanes.get((x + step, -step), EMPTY))
    if back <= state.horizon:
        return False
    by_end, taken, end, source = state.by_end, state.taken, state.end, state.source
    looked = 0
    for rank in range(state.oldest, state.due):
        i = by_end[rank]
        if end[i] >= back or looked > _LOOK:
            return False
        if not taken[i]:
            looked += 1
            if (x - source[i]) * step >= 0 and i != crossing:
                return True
    return False
