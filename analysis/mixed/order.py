"""Is this an order in which a counter can have made these moves? The definition, in one pass.

Exact and O(n): it needs nothing of how the order was found, be it by a search or from an
audit trail of the service (CHECKERS B). So a search that errs can never give a false PASS.
"""

from itertools import accumulate

import numpy as np

from analysis.mixed.history import Bools, Int64s, Moves

_EXACT = 2.0**62


def verify_order(moves: Moves, order: Int64s) -> str | None:
    """Say what is wrong with an order of positions in `moves`; None when nothing is.

    Every move that must have happened stands in it once, one that perhaps happened at most
    once. There are instants in that order within all the intervals exactly when no move ends
    before the latest start of those that stand before it.
    """
    order = np.asarray(order, dtype=np.int64)
    if ((order < 0) | (order >= len(moves))).any():
        return "it names a move that is not in the history"
    times = np.bincount(order, minlength=len(moves))
    after = _running(moves, order)
    last = int(after[-1]) if len(order) else moves.initial
    wrong: tuple[tuple[Bools, str], ...] = (
        (times > 1, "move {} stands in it twice"),
        (moves.must & (times == 0), "move {} is missing from it"),
        (
            _marked(order, moves.end[order] < np.maximum.accumulate(moves.start[order])),
            "move {} had ended before one before it began",
        ),
        (
            _marked(order, moves.told[order] & (after != moves.value[order])),
            "move {} would have been told another value",
        ),
    )
    for found, words in wrong:
        if found.any():
            return words.format(int(np.argmax(found)))
    if moves.final not in (None, last):
        return f"it ends at {last}, not at {moves.final}"
    return None


def _marked(order: Int64s, at: Bools) -> Bools:
    """Mark, by position in the history, those that are so in the order."""
    found = np.zeros(int(order.max(initial=-1)) + 1, dtype=bool)
    found[order[at]] = True
    return found


def _running(moves: Moves, order: Int64s) -> Int64s:
    """Give the counter after each move; of Python integers where 64 bits might not do."""
    delta = moves.delta[order]
    if np.abs(delta.astype(float)).sum() + abs(float(moves.initial)) < _EXACT:
        return moves.initial + np.cumsum(delta)
    exact = list(accumulate(delta.tolist(), initial=moves.initial))[1:]
    return np.array(exact, dtype=object)
