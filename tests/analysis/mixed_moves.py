"""Small histories of moves: literal ones, and strategies for right, bent and absurd ones."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from analysis.mixed.history import NEVER, Moves, sorted_moves
from tests.analysis.oracle_mixed import Move

TIMES = st.integers(0, 14)
UNIT = (1, 1, -1, -1, 0)
ANY = (1, 1, -1, -1, 0, 2, -3)


def moves_of(moves: Sequence[Move], *, initial: int = 0, final: int | None = None) -> Moves:
    """The product's form of these; `row` is the place in the list."""
    return sorted_moves(
        {
            "start": np.array([move.start for move in moves], dtype=np.int64),
            "end": np.array([move.end for move in moves], dtype=np.int64),
            "delta": np.array([move.delta for move in moves], dtype=np.int64),
            "value": np.array([move.value or 0 for move in moves], dtype=np.int64),
            "told": np.array([move.value is not None for move in moves], dtype=bool),
            "must": np.array([move.certain for move in moves], dtype=bool),
            "row": np.arange(len(moves)),
        },
        initial=initial,
        final=final,
    )


@st.composite
def arbitrary(draw: st.DrawFn, *, unit: bool) -> list[Move]:
    """Anything at all: mostly wrong."""
    moves = []
    for start in draw(st.lists(TIMES, max_size=6)):
        delta = draw(st.sampled_from(UNIT if unit else ANY))
        end = start + draw(st.integers(0, 8))
        kind = draw(st.sampled_from(["told"] * 4 + ["unsure", "told" if unit else "blind"]))
        if kind == "unsure":
            moves.append(
                Move(start, draw(st.sampled_from([NEVER, end])), delta, None, certain=False)
            )
        else:
            value = None if kind == "blind" else draw(st.integers(-2, 3))
            moves.append(Move(start, end, delta, value))
    return moves


@st.composite
def nearly_right(draw: st.DrawFn, *, unit: bool) -> list[Move]:
    """A correct history: effects at instants within intervals; then one or two things are bent."""
    moves, counter = [], 0
    for instant in sorted(draw(st.lists(TIMES, max_size=8))):
        start, end = instant - draw(st.integers(0, 5)), instant + draw(st.integers(0, 5))
        delta = draw(st.sampled_from(UNIT if unit else ANY))
        kind = draw(
            st.sampled_from(["told"] * 5 + ["applied", "never", "told" if unit else "blind"])
        )
        counter += delta if kind != "never" else 0
        if kind in ("applied", "never"):
            moves.append(
                Move(start, draw(st.sampled_from([NEVER, end])), delta, None, certain=False)
            )
        else:
            moves.append(Move(start, end, delta, counter if kind == "told" else None))
    for bend in draw(st.lists(st.sampled_from(sorted(BENDS)), max_size=2)):
        if moves:
            at, other = (draw(st.integers(0, len(moves) - 1)) for _ in range(2))
            BENDS[bend](moves, at, other)
    return moves


def _swap(moves: list[Move], at: int, other: int) -> None:
    a, b = moves[at], moves[other]
    if a.value is not None and b.value is not None:
        moves[at], moves[other] = replace(a, value=b.value), replace(b, value=a.value)


def _duplicate(moves: list[Move], at: int, _other: int) -> None:
    moves.append(moves[at])


def _gap(moves: list[Move], at: int, _other: int) -> None:
    del moves[at]


def _shift(moves: list[Move], at: int, other: int) -> None:
    """One value too many or too few from some move on: a lost or an invented update."""
    for later in range(at, len(moves)):
        value = moves[later].value
        if value is not None:
            moves[later] = replace(moves[later], value=value + (1 if other % 2 else -1))


def _late(moves: list[Move], at: int, _other: int) -> None:
    move = moves[at]
    if move.end != NEVER:
        moves[at] = replace(move, start=move.end)


def _early(moves: list[Move], at: int, _other: int) -> None:
    moves[at] = replace(moves[at], end=moves[at].start)


BENDS = {
    "swap": _swap,
    "duplicate": _duplicate,
    "gap": _gap,
    "shift": _shift,
    "late": _late,
    "early": _early,
}
