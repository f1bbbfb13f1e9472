"""Where a search stands: the moves taken so far, what the counter holds, who may go next.

A move may go next when no move that must happen and was not taken ended before it began.
Of those the one with the least end is the `horizon`'s: whoever starts by then may go. So the
state moves forward and back in steps that touch only few moves.
"""

from bisect import bisect_left, insort

from analysis.mixed.history import NEVER, Moves

AFTER_ALL = NEVER + 1
"""The horizon when every move that must happen was taken."""


class Lane:
    """Moves that do the same: `source` -> source + delta, or anywhere when they told nothing.

    `free` holds (end, move) of those that may go next, by end; `waiting` all of its moves by
    start, of which the first `admitted` started by the horizon.
    """

    __slots__ = ("admitted", "delta", "free", "source", "waiting")

    def __init__(self, source: int | None, delta: int) -> None:
        self.source = source
        self.delta = delta
        self.free: list[tuple[int, int]] = []
        self.waiting: list[int] = []
        self.admitted = 0


EMPTY = Lane(None, 0)


class State:
    """Moves taken, and back. Moves are numbered: those that must happen by start, then others.

    `lanes` are told moves by (source, delta); `blind` those that must happen and told nothing,
    `spare` those that perhaps happened, both by delta; `leaving` the told ones by source.
    """

    def __init__(self, moves: Moves) -> None:
        must = [int(i) for i in moves.must.nonzero()[0]]
        spare = [int(i) for i in (~moves.must & (moves.delta != 0)).nonzero()[0]]
        self.position = must + spare
        self.due = len(must)
        self.start: list[int] = moves.start[self.position].tolist()
        self.end: list[int] = moves.end[self.position].tolist()
        self.delta: list[int] = moves.delta[self.position].tolist()
        value: list[int] = moves.value[self.position].tolist()
        self.source = [v - d for v, d in zip(value, self.delta, strict=True)]
        self.told: list[bool] = moves.told[self.position].tolist()
        self.counter, self.final = moves.initial, moves.final
        self.lanes: dict[tuple[int, int], Lane] = {}
        self.blind: dict[int, Lane] = {}
        self.spare: dict[int, Lane] = {}
        self.leaving: dict[int, list[Lane]] = {}
        self.lane = [self._lane_of(i) for i in range(len(self.position))]
        self.by_end = sorted(range(self.due), key=self.end.__getitem__)
        self.rank = [0] * self.due
        for rank, i in enumerate(self.by_end):
            self.rank[i] = rank
        self.taken = bytearray(len(self.position) + 1)  # one more, never taken: a fence
        self.trail: list[tuple[int, int, int, int]] = []
        self.low = self.oldest = 0
        self.admitted, self.admitted_spare = 0, self.due
        self.latest_start = -NEVER
        self._look_ahead()

    def _lane_of(self, i: int) -> Lane:
        delta = self.delta[i]
        if self.told[i]:
            source = self.source[i]
            lane = self.lanes.get((source, delta), EMPTY)
            if lane is EMPTY:
                lane = self.lanes[source, delta] = Lane(source, delta)
                self.leaving.setdefault(source, []).append(lane)
        else:
            lanes = self.blind if i < self.due else self.spare
            lane = lanes.setdefault(delta, Lane(None, delta))
        lane.waiting.append(i)
        return lane

    @property
    def is_over(self) -> bool:
        """Whether all that must happen has, and the counter holds what it should."""
        return self.oldest >= self.due and self.final in (None, self.counter)

    def take(self, i: int) -> None:
        """Let a free move happen."""
        lane = self.lane[i]
        if lane.free[0][1] == i:
            del lane.free[0]
        else:
            lane.free.remove((self.end[i], i))
        self.trail.append((i, self.admitted, self.admitted_spare, self.latest_start))
        taken = self.taken
        taken[i] = 1
        self.counter += lane.delta
        self.latest_start = max(self.latest_start, self.start[i])
        if i >= self.due:
            return
        if i == self.low:
            low = i + 1
            while taken[low] and low < self.due:
                low += 1
            self.low = low
        if self.rank[i] == self.oldest:
            self._look_ahead()

    def _look_ahead(self) -> None:
        """Find the horizon, and free those that started by it."""
        oldest, by_end, taken = self.oldest, self.by_end, self.taken
        while oldest < self.due and taken[by_end[oldest]]:
            oldest += 1
        self.oldest = oldest
        self.horizon = self.end[by_end[oldest]] if oldest < self.due else AFTER_ALL
        self.admitted = self._admit(self.admitted, self.due)
        self.admitted_spare = self._admit(self.admitted_spare, len(self.position))

    def _admit(self, i: int, stop: int) -> int:
        start, horizon = self.start, self.horizon
        while i < stop and start[i] <= horizon:
            lane = self.lane[i]
            insort(lane.free, (self.end[i], i))
            lane.admitted += 1
            i += 1
        return i

    def back_to(self, depth: int) -> None:
        """Take moves back until only so many are taken."""
        while len(self.trail) > depth:
            i, admitted, spare, self.latest_start = self.trail.pop()
            self._dismiss(self.admitted, admitted)
            self._dismiss(self.admitted_spare, spare)
            self.admitted, self.admitted_spare = admitted, spare
            lane = self.lane[i]
            insort(lane.free, (self.end[i], i))
            self.taken[i] = 0
            self.counter -= lane.delta
            if i < self.due:
                self.low = min(self.low, i)
                if self.rank[i] < self.oldest:
                    self.oldest = self.rank[i]
                    self.horizon = self.end[i]

    def _dismiss(self, stop: int, first: int) -> None:
        for i in range(first, stop):
            lane = self.lane[i]
            lane.free.remove((self.end[i], i))
            lane.admitted -= 1

    def key(self) -> tuple[int, bytes, int, bytes]:
        """Give what the future depends on: equal keys have equal futures.

        All below the low-water mark was taken, and nothing that is not admitted. Of the moves
        that perhaps happened only those count that may still go; of those without end, which
        go in order of start, the taken ones tell how late the next may be sent.
        """
        spare = self.taken[self.due : self.admitted_spare]
        for i in range(self.due, self.admitted_spare):
            if self.end[i] < self.latest_start:
                spare[i - self.due] = 1
        return self.low, bytes(self.taken[self.low : self.admitted]), self.counter, bytes(spare)

    def waiting(self, limit: int) -> list[int]:
        """Give the positions of moves that may go next and must, by end, at most so many."""
        open_now = (i for i in range(self.low, self.admitted) if not self.taken[i])
        return [self.position[i] for i in sorted(open_now, key=self.end.__getitem__)[:limit]]

    def next_start(self, lane: Lane) -> int:
        """Give when the next of a lane may go: by the horizon when one is free."""
        if lane.free:
            return self.horizon
        if lane.admitted < len(lane.waiting):
            return self.start[lane.waiting[lane.admitted]]
        return AFTER_ALL

    def usable(self, lane: Lane) -> list[tuple[int, int]]:
        """Give the (end, move) of a lane that may go and are not past, by end.

        A move that must happen is never past: its end is not before the horizon.
        """
        return lane.free[bisect_left(lane.free, (self.latest_start, -1)) :]
