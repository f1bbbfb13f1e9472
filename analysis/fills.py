"""Which holes each effect that nobody saw can have filled, in real time. Pure."""

from dataclasses import dataclass

import numpy as np

from analysis.apart import answered, host_rows, widened
from analysis.effects import Completed, Effects
from analysis.holes import earliest_fill, latest_fill
from analysis.run import Run
from analysis.slots import Answers
from analysis.stretch import Bools, Int64s


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
    done = answered(run)
    host, at = host_of[done.row], host_of[unseen.row]
    fills = _held_against(done, host, holes, unseen, at)
    # Now all hosts as one, by intervals that hold the true ones for certain.
    start, end = widened(run, done.start, done.end, host)
    everyone = Completed(done.value, start, end, done.row)
    start, until = widened(run, unseen.start, unseen.until, at)
    anyone = Effects(start, until, unseen.row, unseen.delta)
    one = np.zeros(len(done), dtype=np.int64)
    return fills.within(_held_against(everyone, one, holes, anyone, np.zeros_like(at)))


def _fills(answers: Answers, holes: Int64s, start: Int64s, until: Int64s) -> Fills:
    # Both bounds never decrease from hole to hole, so that what an effect can fill is a run.
    return Fills(
        first=np.searchsorted(latest_fill(answers, holes), start, side="left"),
        last=np.searchsorted(earliest_fill(answers, holes), until, side="right") - 1,
    )


def _held_against(
    done: Completed, host: Int64s, holes: Int64s, unseen: Effects, at: Int64s
) -> Fills:
    """Hold each effect against the operations of its own host, `at`, all hosts in one go.

    Those that ended before it was sent say that it filled no hole up to their values; those
    that were sent after its window say that it filled none above theirs. (An operation's own
    value is no hole, or it is a read: which saw that value.)
    """
    seen, value = _highest_before(done.value, done.end, host, unseen.start, at)
    first = np.where(seen, np.searchsorted(holes, value, side="right"), 0)
    # The complement turns every order around, and fits 64 bits where the negative does not.
    seen, value = _highest_before(~done.value, ~done.start, host, ~unseen.until, at)
    last = np.where(seen, np.searchsorted(holes, ~value, side="right"), len(holes)) - 1
    return Fills(first=first, last=last)


def _highest_before(
    value: Int64s, time: Int64s, host: Int64s, asked: Int64s, at: Int64s
) -> tuple[Bools, Int64s]:
    """Give the highest value on host `at` before the time asked for, and whether there is one."""
    if not len(value):
        return np.zeros(len(asked), dtype=bool), np.zeros(len(asked), dtype=np.int64)
    # One host after the other: what is of a later host ranks above all that is of those before.
    times, values, size = np.unique(time), np.unique(value), len(value) + 1
    moment = np.searchsorted(times, time) + host * size
    order = np.argsort(moment, kind="stable")
    rank = (np.searchsorted(values, value) + host * size)[order]
    highest = values[np.maximum.accumulate(rank) - host[order] * size]
    before = np.searchsorted(moment[order], np.searchsorted(times, asked) + at * size) - 1
    return (before >= 0) & (host[order][before] == at), highest[before]
