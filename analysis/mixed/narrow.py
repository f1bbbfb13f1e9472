"""Narrow each move's interval to when it can have happened, from what crossed around it.

For moves of one step at most that all happened and told their value. A linearization exists
exactly when instants t_i in [start_i, end_i] exist in an order in which the values fit, and
each of these follows for every such choice of instants, so no choice is lost:

- Crossings of a boundary alternate, and which way the first goes is known. So the k-th
  upward crossing is at the (2k-1)-th or 2k-th place among all of that boundary. The k-th of
  n instants is not before the k-th smallest start, nor after the k-th smallest end; places
  follow each other, so the bounds of one are bounds of those after and before it.
- A move can only be at places of its direction whose bounds its interval meets: it is not
  before the first such place can be, nor after the last such can be.
- Between two neighbouring places the side on which the counter is, is known. A move on the
  other side cannot be between the latest instant of one and the earliest of the next.
- A move on one side happens in one of the stays there that its interval meets: after the
  crossing that begins the first of them, and before the one that ends the last.

Times are ranks: only their order matters.
"""

from dataclasses import dataclass

import numpy as np

from analysis.mixed.crossings import crossed
from analysis.mixed.history import Bools, Int64s, Moves
from history.operation import INT64_MIN

ROUNDS = 30
"""Each can only narrow; what a later one would find, the search finds too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """When each move can have happened: ranks of times, one a move."""

    start: Int64s
    end: Int64s


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """No instant is left: at the boundary (x, x+1), or for the move at `position`."""

    x: int | None = None
    position: int | None = None


class _ContradictionError(Exception):
    def __init__(self, found: Contradiction) -> None:
        super().__init__(found)
        self.found = found


def narrow(moves: Moves, rounds: int = ROUNDS) -> Windows | Contradiction:
    """Give the narrowed intervals, or where none is left."""
    times, ranks = np.unique(np.concatenate([moves.start, moves.end]), return_inverse=True)
    start, end = ranks[: len(moves)].astype(np.int64), ranks[len(moves) :].astype(np.int64)
    try:
        places = _Places(moves, len(times) + 2)
        for _ in range(rounds):
            before = start, end, places.not_before.copy(), places.not_after.copy()
            start, end = places.narrow_once(start, end)
            after = start, end, places.not_before, places.not_after
            if all(map(np.array_equal, before, after)):
                break
    except _ContradictionError as error:
        return error.found
    return Windows(start=start, end=end)


class _Places:
    """The places of all crossings, boundary after boundary, in the order they must alternate.

    A `lane` is one boundary in one direction: 2 * boundary + 0 for the direction that comes
    first there. `span` exceeds every rank: rank + span * boundary keeps boundaries apart.
    """

    def __init__(self, moves: Moves, span: int) -> None:
        self.span = span
        self.at, x = crossed(moves)
        self.x, of = np.unique(x, return_inverse=True)
        self.first_up = moves.initial <= self.x
        self.lane = 2 * of + ((moves.delta[self.at] > 0) != self.first_up[of])
        per_lane = np.bincount(self.lane, minlength=2 * len(self.x)).reshape(-1, 2)
        ahead = per_lane[:, 0] - per_lane[:, 1]
        if ((ahead < 0) | (ahead > 1)).any():
            raise _ContradictionError(
                Contradiction(x=int(self.x[np.argmax((ahead < 0) | (ahead > 1))]))
            )
        self.offset = np.concatenate([[0], np.cumsum(per_lane.sum(axis=1))])
        self.boundary = np.repeat(np.arange(len(self.x)), per_lane.sum(axis=1))
        self.slot_lane = np.sort(self.lane)
        first_slot = np.searchsorted(self.slot_lane, np.arange(2 * len(self.x)))
        nth = np.arange(len(self.at)) - first_slot[self.slot_lane]
        self.place = self.offset[self.slot_lane // 2] + 2 * nth + self.slot_lane % 2
        self.not_before = np.full(len(self.at), -1, dtype=np.int64)
        self.not_after = np.full(len(self.at), span, dtype=np.int64)
        self.sides = [self._side(moves, need_above=True), self._side(moves, need_above=False)]

    def _side(self, moves: Moves, *, need_above: bool) -> tuple[Int64s, Int64s, bool]:
        """Give the moves next to a boundary, and that boundary, on whose one side they are."""
        lower = np.minimum(moves.value - moves.delta, moves.value)
        inside = np.ones(len(moves), dtype=bool)
        if need_above:
            inside = lower > INT64_MIN  # nothing is below the least
            x = np.where(inside, lower, 0) - 1
            wrong = inside & (moves.initial <= x)
        else:
            x = np.where(moves.delta != 0, lower + 1, lower)
            wrong = moves.initial > x
        slot = np.minimum(np.searchsorted(self.x, x), max(len(self.x) - 1, 0))
        found = inside & (self.x[slot] == x) if len(self.x) else np.zeros(len(x), dtype=bool)
        if (~found & wrong).any():
            # Nobody ever crossed to where this move was.
            raise _ContradictionError(Contradiction(position=int(np.argmax(~found & wrong))))
        return np.flatnonzero(found), slot[found], need_above

    def narrow_once(self, start: Int64s, end: Int64s) -> tuple[Int64s, Int64s]:
        earliest, latest = self._bounds(start, end)
        start, end = start.copy(), end.copy()
        start[self.at], end[self.at] = self._own(start[self.at], end[self.at], earliest, latest)
        for side in self.sides:
            self._keep_side(side, start, end, earliest, latest)
        if (start > end).any():
            raise _ContradictionError(Contradiction(position=int(np.argmax(start > end))))
        return start, end

    def _bounds(self, start: Int64s, end: Int64s) -> tuple[Int64s, Int64s]:
        """Give each place's earliest and latest instant."""
        apart = self.boundary * self.span
        earliest = np.empty(len(self.at), dtype=np.int64)
        latest = np.empty_like(earliest)
        earliest[self.place] = _sorted_within(self.lane, start[self.at])
        latest[self.place] = _sorted_within(self.lane, end[self.at])
        earliest, latest = np.maximum(earliest, self.not_before), np.minimum(latest, self.not_after)
        earliest = np.maximum.accumulate(earliest + apart) - apart
        latest = np.minimum.accumulate((latest + apart)[::-1])[::-1] - apart
        if (earliest > latest).any():
            x = self.x[self.boundary[np.argmax(earliest > latest)]]
            raise _ContradictionError(Contradiction(x=int(x)))
        return earliest, latest

    def _own(
        self, start: Int64s, end: Int64s, earliest: Int64s, latest: Int64s
    ) -> tuple[Int64s, Int64s]:
        """Narrow crossings to the places of their lane."""
        apart, own = self.slot_lane * self.span, self.lane * self.span
        lane_earliest, lane_latest = earliest[self.place], latest[self.place]
        first = np.searchsorted(lane_latest + apart, start + own, side="left")
        last = np.searchsorted(lane_earliest + apart, end + own, side="right") - 1
        size = len(self.at)
        none = (first >= size) | (last < 0)
        first, last = np.minimum(first, size - 1), np.maximum(last, 0)
        none |= (self.slot_lane[first] != self.lane) | (self.slot_lane[last] != self.lane)
        if none.any():
            raise _ContradictionError(Contradiction(position=int(self.at[np.argmax(none)])))
        return np.maximum(start, lane_earliest[first]), np.minimum(end, lane_latest[last])

    def _keep_side(
        self,
        side: tuple[Int64s, Int64s, bool],
        start: Int64s,
        end: Int64s,
        earliest: Int64s,
        latest: Int64s,
    ) -> None:
        """Move starts and ends out of where the counter certainly is on the other side."""
        at, boundary, need_above = side
        if not len(at):
            return
        apart = self.boundary * self.span
        first, stop = self.offset[boundary], self.offset[boundary + 1]
        over = np.searchsorted(latest + apart, start[at] + boundary * self.span, side="left")
        wrong = self._is_above(over, boundary) != need_above
        following = np.where(over >= stop, self.span, earliest[np.minimum(over, len(earliest) - 1)])
        start[at] = np.where(wrong, np.maximum(start[at], following), start[at])
        begun = np.searchsorted(earliest + apart, end[at] + boundary * self.span, side="right")
        too_far = self._is_above(begun, boundary) != need_above
        preceding = np.where(begun == first, -1, latest[np.maximum(begun - 1, 0)])
        end[at] = np.where(too_far, np.minimum(end[at], preceding), end[at])
        # The first and the last stay on the right side: what begins one, and ends the other.
        into, out_of = over + wrong - 1, begun - too_far
        has = (into >= first) & (into < stop)
        np.minimum.at(self.not_after, into[has], end[at][has])
        has = (out_of >= first) & (out_of < stop)
        np.maximum.at(self.not_before, out_of[has], start[at][has])

    def _is_above(self, place: Int64s, boundary: Int64s) -> Bools:
        """Say on which side the counter is before this place of the boundary."""
        is_first_side = (place - self.offset[boundary]) % 2 == 0
        above: Bools = is_first_side != self.first_up[boundary]
        return above


def _sorted_within(group: Int64s, value: Int64s) -> Int64s:
    return value[np.lexsort((value, group))]
