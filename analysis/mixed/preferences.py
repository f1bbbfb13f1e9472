"""Rules by which a search prefers one turn to another. None decides anything; all are guesses.

Each rule is blind to something: on one history of 10,000 moves, 70 in flight, half of them
decrements, no single rule came through in 10 s, while taking them in turn took 4 s; on others one
rule was enough.
"""

from collections.abc import Callable, Mapping

from analysis.mixed.state import State

Prefer = Callable[[tuple[int, ...]], tuple[int, ...]]


def _by(key: Callable[[State], Callable[[int], int]]) -> Callable[[State], Prefer]:
    def of(state: State) -> Prefer:
        rank = key(state)
        return lambda found: tuple(sorted(found, key=rank))

    return of


def _as_given(_state: State) -> Prefer:
    return lambda found: found


def _by_turn(state: State) -> Prefer:
    """Prefer the lane whose next turn is due first.

    The k-th of a lane happens between its k-th smallest start and its k-th smallest end, so
    the middle of those is a better guess than one move's own interval.
    """
    due = {
        id(lane): [
            start + end
            for start, end in zip(
                (state.start[i] for i in lane.waiting),
                sorted(state.end[i] for i in lane.waiting),
                strict=True,
            )
        ]
        for lane in set(state.lane)
    }

    def rank(i: int) -> int:
        lane = state.lane[i]
        return due[id(lane)][lane.admitted - len(lane.free)]

    return lambda found: tuple(sorted(found, key=rank))


BY_NAME: Mapping[str, Callable[[State], Prefer]] = {
    "end": _by(lambda state: state.end.__getitem__),
    "middle": _by(lambda state: lambda i: state.start[i] + state.end[i]),
    "start": _by(lambda state: state.start.__getitem__),
    "towards what ends first": _as_given,
    "turn": _by_turn,
}
"""The first is where a search begins."""
