"""Put moves that perhaps happened where the numbers need one, and nowhere else.

A guess, and a good one: a boundary that does not balance needs just that many crossings more.
There may be other ways (two of them may cancel where nobody saw it), which the search tries
when this one leads to nothing. For moves of one step at most.
"""

from dataclasses import dataclass

import numpy as np

from analysis.mixed.crossings import balance, likeliest_final
from analysis.mixed.history import ARRAYS, NEVER, Int64s, Moves, sorted_moves
from analysis.mixed.narrow import Windows, narrow


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Moves that all happened and tell their value; `positions` of them in the history."""

    moves: Moves
    positions: Int64s


def with_spares_placed(moves: Moves) -> Placed | None:
    """Give the moves that happened and those that must have; None when the guess fails."""
    happened = np.flatnonzero(moves.must)
    spares = {
        step: np.flatnonzero(~moves.must & (moves.delta == step) & (moves.end == NEVER))
        for step in (1, -1)
    }
    final = likeliest_final(moves) if moves.final is None else moves.final
    if moves.must.all():
        return Placed(moves=moves, positions=happened)
    found = balance(moves, final, limit=len(moves) - len(happened) + 1)
    needed = {step: np.repeat(found.x, np.maximum(-step * found.surplus, 0)) for step in (1, -1)}
    if found.uncrossed or any(len(needed[step]) > len(spares[step]) for step in (1, -1)):
        return None
    # First all could be the earliest: which tells until when each is needed at the latest.
    earliest = {step: np.repeat(spares[step][:1], len(needed[step])) for step in (1, -1)}
    guess = _joined(moves, happened, earliest, needed, final)
    windows = narrow(guess.moves)
    if not isinstance(windows, Windows):
        return None
    latest = np.empty(len(guess.moves), dtype=np.int64)
    latest[guess.moves.row] = windows.end  # `row` is where each stood before it was sorted
    offset, chosen = len(happened), {}
    for step in (1, -1):
        order = np.argsort(latest[offset : offset + len(needed[step])], kind="stable")
        needed[step] = needed[step][order]
        chosen[step] = spares[step][: len(needed[step])]
        offset += len(needed[step])
    return _joined(moves, happened, chosen, needed, final)


def _joined(
    moves: Moves,
    happened: Int64s,
    spares: dict[int, Int64s],
    boundaries: dict[int, Int64s],
    final: int,
) -> Placed:
    """Let these spares cross these boundaries. The new `row` is the place before sorting."""
    positions = np.concatenate([happened, spares[1], spares[-1]])
    columns = {name: getattr(moves, name)[positions] for name in ARRAYS}
    columns["value"][len(happened) :] = np.concatenate([boundaries[1] + 1, boundaries[-1]])
    columns["told"] = columns["must"] = np.ones(len(positions), dtype=bool)
    columns["row"] = np.arange(len(positions))
    joined = sorted_moves(columns, initial=moves.initial, final=final)
    return Placed(moves=joined, positions=positions[joined.row])
