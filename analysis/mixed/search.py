"""Find an order in which a counter can have made these moves, or prove that there is none.

Depth first: take one of the few moves worth trying (choices), go on, come back from dead ends.
A state in which everything was tried is remembered, and never entered again. Iterative.

Hard places are rare and local: one bad turn, and all that follows is in vain for thousands of
states. So when a place resists, the search steps back a random way (seeded: it does the same
every time), prefers turns by another rule, and gives each such attempt its patience (Luby,
Sinclair, Zuckerman 1993). Nothing is lost by it: what lies beyond the place stepped back to is
tried again in full, and what was proven in vain stays so.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.mixed.choices import Choices, any_moves, unit_moves
from analysis.mixed.crossings import uncoverable
from analysis.mixed.history import Int64s, Moves
from analysis.mixed.narrow import Contradiction, narrow
from analysis.mixed.preferences import BY_NAME, Prefer
from analysis.mixed.spread import with_spares_placed
from analysis.mixed.state import State

ASK_EVERY = 1024
"""So many steps between two questions whether to give up."""
ASK_EVERY_CHOICES = 100_000
"""And so many choices: a step takes as long as there are moves to choose from."""
MEMORY_BYTES = 2 * 2**30
"""For remembered states; beyond it the search gives up."""
PATIENCE = 50
"""So many dead ends at one place, times Luby's sequence, before the search steps back."""
_PROGRESS = 50
"""So many moves deeper is another place."""
_WITNESS = 12
_KEY_BYTES = 200
"""What remembering a state costs besides its bytes: tuple, set entry, integers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An order of positions in the moves; those that perhaps happened and did not are left out."""

    order: Int64s


@dataclass(frozen=True, slots=True, kw_only=True)
class Deepest:
    """As far as any order got: after `taken` moves the counter held `counter`.

    `waiting` are positions of moves that could go next in time, the first of which must go
    before all that are not listed; `last` those taken last.
    """

    taken: int
    counter: int
    waiting: tuple[int, ...]
    last: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Impossible:
    """No order exists: either every one was tried, or a contradiction says so at once."""

    deepest: Deepest | None = None
    contradiction: Contradiction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """Not decided."""

    deepest: Deepest
    states: int
    out_of_memory: bool


Result = Found | Impossible | GaveUp


def search(
    moves: Moves,
    give_up: Callable[[], bool],
    *,
    memory_bytes: int = MEMORY_BYTES,
    patience: int = PATIENCE,
) -> Result:
    """Decide whether any order of the moves is possible; ties of closed intervals are concurrent.

    Moves that perhaps happened are first put where the numbers need them and nowhere else;
    only when that leads to no order are all their uses tried.
    """
    if moves.must.all() and moves.final not in (None, moves.initial + sum(moves.delta.tolist())):
        return Impossible()
    if moves.is_unit and (x := uncoverable(moves)) is not None:
        return Impossible(contradiction=Contradiction(x=x))
    placed = with_spares_placed(moves) if moves.is_unit else None
    if placed is not None:
        result = _of_units(placed.moves, give_up, memory_bytes, patience)
        if isinstance(result, Found):
            return replace(result, order=placed.positions[result.order])
        if moves.must.all() or isinstance(result, GaveUp):
            return _in_terms_of(result, placed.positions)
    return _Search(moves, any_moves, give_up, memory_bytes, patience).run()


def _in_terms_of(result: Result, positions: Int64s) -> Result:
    """Say a result of moves picked out of others in terms of those."""

    def of(picked: Sequence[int]) -> tuple[int, ...]:
        return tuple(positions[list(picked)].tolist())

    if isinstance(result, Impossible) and result.contradiction:
        found = result.contradiction
        where = None if found.position is None else int(positions[found.position])
        return replace(result, contradiction=replace(found, position=where))
    if isinstance(result, Impossible | GaveUp) and result.deepest:
        deepest = result.deepest
        deepest = replace(deepest, waiting=of(deepest.waiting), last=of(deepest.last))
        return replace(result, deepest=deepest)
    return result


def _of_units(
    moves: Moves, give_up: Callable[[], bool], memory_bytes: int, patience: int
) -> Result:
    """Search where each move is one step at most and told its value; intervals are narrowed."""
    windows = narrow(moves)
    if isinstance(windows, Contradiction):
        return Impossible(contradiction=windows)
    order = np.argsort(windows.start, kind="stable")
    narrowed = replace(
        moves,
        **{name: getattr(moves, name)[order] for name in ("delta", "value", "told", "must", "row")},
        start=windows.start[order],
        end=windows.end[order],
    )
    result = _Search(narrowed, unit_moves, give_up, memory_bytes, patience).run()
    if isinstance(result, Found):
        return Found(order=order[result.order])
    return _in_terms_of(result, order)


class _Search:
    """One search: the state, the turns still to be tried, and what was proven in vain."""

    def __init__(
        self,
        moves: Moves,
        choices: Choices,
        give_up: Callable[[], bool],
        memory_bytes: int,
        patience: int,
    ) -> None:
        self.state = State(moves)
        self.choices = choices
        self.give_up = give_up
        self.memory_left = memory_bytes
        self.patience = patience
        self.turns: list[tuple[int, tuple[int, ...]]] = []
        self.in_vain: dict[int, set[tuple[int, bytes, int, bytes]]] = {}
        self.cuts = _cuts(moves)
        self.floor = 0
        self.random = random.Random(1)  # noqa: S311 -- no secret: the same search every time
        self.prefer: Prefer = BY_NAME["end"](self.state)
        self.noise = 0.0
        self.place = self.dead_ends = self.attempts = self.chosen_from = 0
        self.deepest = Deepest(taken=-1, counter=0, waiting=(), last=())

    def run(self) -> Result:
        state, steps = self.state, 0
        while not state.is_over:
            steps += 1
            if self._is_time_to_ask(steps) and (self.memory_left < 0 or self.give_up()):
                self._note_depth()
                return GaveUp(
                    deepest=self.deepest, states=steps, out_of_memory=self.memory_left < 0
                )
            move = self._next_move()
            if move is None:
                self._note_depth()
                move = self._turn_back()
            if move is None:
                return Impossible(deepest=self.deepest)
            if move >= 0:
                state.take(move)
        return Found(order=np.array([state.position[i] for i, *_ in state.trail], dtype=np.int64))

    def _is_time_to_ask(self, steps: int) -> bool:
        if self.chosen_from < ASK_EVERY_CHOICES:
            return steps % ASK_EVERY == 0
        self.chosen_from = 0
        return True

    def _next_move(self) -> int | None:
        """Choose the next move, and remember the others; None at a dead end."""
        state = self.state
        found = self.choices(state)
        self.chosen_from += len(found)
        if len(found) == 1:
            return found[0]
        if not found:
            return None
        depth = len(state.trail)
        if depth == state.low and depth > self.floor and self.cuts[depth]:
            # Every order passes here: nothing before need be tried again.
            self.turns.clear()
            self.in_vain.clear()
            self.floor = depth
        known = self.in_vain.get(depth)
        if known and state.key() in known:
            return None
        found = self.prefer(found)
        if self.noise and self.random.random() < self.noise:
            found = found[1:] + found[:1]
        self.turns.append((depth, found[1:]))
        return found[0]

    def _turn_back(self) -> int | None:
        """Go back to the latest turn with something left to try, and take it; None: no such.

        Gives -1 when it only stepped back.
        """
        self.dead_ends += 1
        if self.dead_ends > self.patience * luby(self.attempts + 1):
            self._step_back()
            return -1
        state = self.state
        while self.turns:
            depth, left = self.turns.pop()
            state.back_to(depth)
            if left:
                self.turns.append((depth, left[1:]))
                return left[0]
            key = state.key()
            self.in_vain.setdefault(depth, set()).add(key)
            self.memory_left -= _KEY_BYTES + len(key[1]) + len(key[3])
        return None

    def _step_back(self) -> None:
        """Try this place anew, from some way before it, by another preference."""
        state = self.state
        self.attempts += 1
        self.dead_ends = 0
        name = list(BY_NAME)[self.attempts % len(BY_NAME)]
        self.prefer = BY_NAME[name](state)
        self.noise = self.random.choice((0.0, 0.0, 0.05, 0.15))
        width = state.admitted - state.low
        back = 20 + int(width * self.random.choice((0.5, 1, 2, 4)))
        target = max(self.floor, min(self.place, len(state.trail)) - back)
        while self.turns and self.turns[-1][0] >= target:
            self.turns.pop()
        state.back_to(target)

    def _note_depth(self) -> None:
        depth = len(self.state.trail)
        if depth > self.place + _PROGRESS:
            self.place, self.dead_ends, self.attempts = depth, 0, 0
            self.prefer, self.noise = BY_NAME["end"](self.state), 0.0
        if depth > self.deepest.taken:
            self.deepest = Deepest(
                taken=depth,
                counter=self.state.counter,
                waiting=tuple(self.state.waiting(_WITNESS)),
                last=tuple(self.state.position[i] for i, *_ in self.state.trail[-3:]),
            )


def luby(n: int) -> int:
    """Give the n-th of 1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8, ...; n from 1."""
    while True:
        power = n.bit_length()
        if n == (1 << power) - 1:
            return 1 << (power - 1)
        n -= (1 << (power - 1)) - 1


def _cuts(moves: Moves) -> list[bool]:
    """Say for each n whether all orders take the first n moves before any other."""
    if not moves.must.all():
        return [False] * (len(moves) + 1)
    ended = np.maximum.accumulate(moves.end)
    inner = ended[:-1] < moves.start[1:]
    return [False, *inner.tolist(), False] if len(moves) else [False]
