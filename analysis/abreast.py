"""Which operations overlap one of another generator: closed intervals, nanoseconds. Pure."""

from dataclasses import dataclass

import numpy as np

from analysis.stretch import Bools, Int64s
from history.operation import INT64_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Abreast:
    """How much generators pressed at the same time.

    Of `operations` of `generators` generators `overlapping` overlap at least one of another
    generator; `highest_share` is the share of its own operations for which that is so, of the
    generator of which it is highest: beside a slow one it is low for a fast one, by rights.
    """

    generators: int
    operations: int
    overlapping: int
    highest_share: float

    @property
    def share(self) -> float:
        """The share of all operations that overlap one of another generator."""
        return self.overlapping / self.operations if self.operations else 0.0


class AbreastMeter:
    """Measures it of operations that come sorted by start, of however many generators.

    Of those sent before an operation the latest end decides and, where its own generator holds
    it, the latest end among all others': two times, however many generators there are. Of those
    sent after it the first of another generator decides; operations wait for that, but no
    longer than they last.
    """

    def __init__(self) -> None:
        self._operations = np.zeros(0, dtype=np.int64)
        self._overlapping = np.zeros(0, dtype=np.int64)
        self._latest_end_ns = self._others_end_ns = INT64_MIN
        self._latest_of = self._last_of = -1
        self._waiting = np.zeros(0, dtype=np.int64)

    def add(self, start: Int64s, end: Int64s, generator: Int64s) -> None:
        """Add operations; generators are numbers from 0 on, as few as there are."""
        if not len(start):
            return
        count = max(len(self._operations), int(generator.max()) + 1)
        self._operations = _grown(self._operations, count)
        self._overlapping = _grown(self._overlapping, count)
        self._operations += np.bincount(generator, minlength=count)
        self._take(start, end, generator)

    def _take(self, start: Int64s, end: Int64s, generator: Int64s) -> None:
        switches = np.flatnonzero(generator[1:] != generator[:-1]) + 1
        only = self._last_of in (-1, generator[0]) and not len(switches)
        if only and self._latest_of in (-1, generator[0]) and self._others_end_ns == INT64_MIN:
            # One generator so far: nobody to overlap.
            self._latest_of, self._latest_end_ns = (
                int(generator[0]),
                max(self._latest_end_ns, int(end.max())),
            )
            overlaps = np.zeros(len(start), dtype=bool)
        else:
            overlaps = self._others_end(end, generator) >= start
        self._meet(start, end, generator, switches, overlaps)
        self._overlapping += np.bincount(generator[overlaps], minlength=len(self._overlapping))

    def _others_end(self, end: Int64s, generator: Int64s) -> Int64s:
        """Give the latest end among what other generators sent before each."""
        latest = np.maximum.accumulate(np.concatenate(([self._latest_end_ns], end)))
        leads = end > latest[:-1]
        leader = np.maximum.accumulate(np.where(leads, np.arange(1, len(end) + 1), 0))
        latest_of = np.concatenate(([self._latest_of], generator))[np.concatenate(([0], leader))]
        # Who is overtaken by another generator is the latest of its others; who does not lead,
        # and is not of the leader's generator, may be.
        overtaken = leads & (generator != latest_of[:-1])
        trailing = generator != latest_of[1:]
        none = np.int64(INT64_MIN)
        other = np.where(overtaken, latest[:-1], np.where(trailing, end, none))
        others = np.maximum.accumulate(np.concatenate(([self._others_end_ns], other)))
        self._latest_end_ns, self._latest_of = int(latest[-1]), int(latest_of[-1])
        self._others_end_ns = int(others[-1])
        return np.where(generator == latest_of[:-1], others[:-1], latest[:-1])

    def _meet(
        self, start: Int64s, end: Int64s, generator: Int64s, switches: Int64s, overlaps: Bools
    ) -> None:
        """Mark what overlaps the first that another generator sends after it."""
        others = switches if generator[0] == self._last_of else np.concatenate(([0], switches))
        last_ns = start[-1]
        if len(others) and self._last_of >= 0:
            met = self._waiting >= start[others[0]]
            self._overlapping[self._last_of] += np.count_nonzero(met)
            self._waiting = self._waiting[:0]
        head = int(switches[-1]) if len(switches) else 0
        alone = np.flatnonzero(~overlaps)
        tail = int(np.searchsorted(alone, head))
        following = start[switches[np.searchsorted(switches, alone[:tail], side="right")]]
        overlaps[alone[:tail]] = end[alone[:tail]] >= following
        waiting = np.concatenate((self._waiting, end[alone[tail:]]))
        self._waiting = waiting[waiting >= last_ns]
        self._last_of = int(generator[-1])

    def close(self) -> Abreast:
        """Give what was measured."""
        some = self._operations > 0
        shares = self._overlapping[some] / self._operations[some]
        return Abreast(
            generators=int(np.count_nonzero(some)),
            operations=int(self._operations.sum()),
            overlapping=int(self._overlapping.sum()),
            highest_share=float(shares.max(initial=0.0)),
        )


def _grown(counts: Int64s, count: int) -> Int64s:
    return np.concatenate((counts, np.zeros(count - len(counts), dtype=np.int64)))
