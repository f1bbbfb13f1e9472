"""Which holes each effect that nobody saw can have filled, in real time. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.apart import host_rows, widened
from analysis.effects import Completed
from analysis.holes import earliest_fill, latest_fill
from analysis.run import Run
from analysis.slots import Answers, Filling
from analysis.stretch import Int64s


@dataclass(frozen=True, slots=True, kw_only=True)
class Fills:
    """For each effect the first and the last hole that it can have filled, as positions.

    Where `first` > `last` it can have filled none.
    """

    first: Int64s
    last: Int64s

    def within(self, other: "Fills") -> "Fills":
        """Give what both allow."""
        return Fills(
            first=np.maximum(self.first, other.first), last=np.minimum(self.last, other.last)
        )


def fillable(run: Run, holes: Int64s) -> Fills:
    """Find which of these holes each of run.scan.unseen can have filled; `holes` are sorted.

    With several hosts an effect is held against the operations of its own host exactly, and
    against those of all hosts as far as their clocks are known (CHECKERS C).
    """
    unseen = run.scan.unseen
    if len(run.hosts) <= 1:
        return _fills(run.scan.answers, holes, unseen.start, unseen.until)
    host_of = host_rows(run)
    fills = Fills(
        first=np.zeros(len(unseen), dtype=np.int64),
        last=np.full(len(unseen), len(holes) - 1, dtype=np.int64),
    )
    first, last = fills.first, fills.last
    for host in range(len(run.hosts)):
        own = host_of[unseen.row] == host
        if own.any():
            answers = _answers(run, partial(_of_host, host, host_of))
            found = _fills(answers, holes, unseen.start[own], unseen.until[own])
            first[own], last[own] = found.first, found.last
    everyone = _answers(run, partial(_widened, run, host_of))
    start, until = widened(run, unseen.start, unseen.until, host_of[unseen.row])
    return fills.within(_fills(everyone, holes, start, until))


def _fills(answers: Answers, holes: Int64s, start: Int64s, until: Int64s) -> Fills:
    # Both bounds never decrease from hole to hole, so that what an effect can fill is a run.
    return Fills(
        first=np.searchsorted(latest_fill(answers, holes), start, side="left"),
        last=np.searchsorted(earliest_fill(answers, holes), until, side="right") - 1,
    )


def _answers(run: Run, told: Callable[[Completed], Completed]) -> Answers:
    """Give the answers of what remains of the operations, each as it is told."""
    filling = Filling(initial=run.initial, expected=0)
    ups, reads = told(run.increments), told(run.reads)
    filling.add_increments(ups.value, ups.start, ups.end)
    filling.add_reads(reads.value, reads.start, reads.end, reads.row)
    return filling.close()


def _of_host(host: int, host_of: Int64s, done: Completed) -> Completed:
    own = host_of[done.row] == host
    return Completed(done.value[own], done.start[own], done.end[own], done.row[own])


def _widened(run: Run, host_of: Int64s, done: Completed) -> Completed:
    start, end = widened(run, done.start, done.end, host_of[done.row])
    return Completed(done.value, start, end, done.row)
