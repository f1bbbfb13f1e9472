"""How many operations were in flight at once: closed intervals, nanoseconds. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.stretch import Int64s
from history.operation import INT64_MIN

Float64s = npt.NDArray[np.float64]
Times = Int64s | Float64s

_LATEST_NS = 2.0**62
"""As floats, later times need not fit into 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """How much of a history happened at once.

    `overlapping` operations overlap at least one other, in `pairs` pairs; `in_flight_peak` were in
    flight at one instant, `in_flight_mean` on average from the first start to the last end.
    """

    operations: int
    overlapping: int
    pairs: int
    in_flight_peak: int
    in_flight_mean: float

    @property
    def overlapping_share(self) -> float:
        """The share of operations that overlap at least one other."""
        return self.overlapping / self.operations if self.operations else 0.0


class UnsortedError(ValueError):
    """Operations came out of the order of their starts."""


class Meter:
    """Measures concurrency of operations that come sorted by start, however many.

    When operation i starts, i less those that ended before are in flight; and what ended before
    has started before, so that ends are remembered only while operations may still start before
    them. One overlaps nothing exactly if nothing is in flight when it starts, nor when the next
    one does.
    """

    def __init__(self) -> None:
        self._operations = 0
        self._pairs = 0
        self._ended = 0
        self._open = np.zeros(0, dtype=np.int64)
        self._alone = 0
        self._last_began_alone = False
        self._peak = 0
        self._busy_ns = 0.0
        self._first_ns: int | None = None
        self._last_start_ns = self._last_end_ns = INT64_MIN

    def add(self, start: Int64s, end: Int64s) -> None:
        """Add operations; raises UnsortedError when one started before the last of those before."""
        if not len(start):
            return
        if start[0] < self._last_start_ns or (start[1:] < start[:-1]).any():
            raise UnsortedError
        open_ends = np.sort(np.concatenate((self._open, end)))
        ended = self._ended + np.searchsorted(open_ends, start, side="left")
        in_flight = self._operations + np.arange(len(start)) - ended
        # Whoever is in flight when another starts overlaps it: each pair once.
        self._pairs += int(in_flight.sum())
        began_alone = in_flight == 0
        stayed_alone = np.concatenate(([self._last_began_alone], began_alone[:-1])) & began_alone
        self._alone += int(stayed_alone.sum())
        self._last_began_alone = bool(began_alone[-1])
        self._peak = max(self._peak, int(in_flight.max()) + 1)
        self._operations += len(start)
        self._open = open_ends[int(ended[-1]) - self._ended :]
        self._ended = int(ended[-1])
        self._first_ns = int(start[0]) if self._first_ns is None else self._first_ns
        self._last_start_ns = int(start[-1])
        self._last_end_ns = max(self._last_end_ns, int(end.max()))
        self._busy_ns += float((end - start).sum(dtype=np.float64))

    @property
    def in_flight(self) -> int:
        """How many operations are still in flight: what each further addition has to look at."""
        return len(self._open)

    def close(self) -> Concurrency:
        """Give what was measured."""
        span_ns = float(self._last_end_ns - (self._first_ns or 0)) if self._operations else 0.0
        return Concurrency(
            operations=self._operations,
            overlapping=self._operations - self._alone - self._last_began_alone,
            pairs=self._pairs,
            in_flight_peak=self._peak,
            in_flight_mean=self._busy_ns / span_ns if span_ns > 0 else 0.0,
        )


def concurrency(start: Int64s, end: Int64s) -> Concurrency:
    """Measure the concurrency of operations in any order."""
    meter = Meter()
    order = np.argsort(start, kind="stable")
    meter.add(start[order], end[order])
    return meter.close()


def open_time(start: Times, end: Times, at: Times) -> Int64s:
    """Give for how long intervals have been open by each time, all together.

    The integral of "how many are open" up to t: the sum of (t - s)+ less that of (t - e)+.
    Times are whole nanoseconds. The two sums may leave 64 bits behind; they wrap around, and
    their difference is exact all the same, where floats would lose what is small beside them.
    """
    return _time_since(start, at) - _time_since(end, at)


def _time_since(times: Times, at: Times) -> Int64s:
    """Give sum((t - time)+) over times, for every t, modulo 2**64."""
    ordered = np.sort(_whole(times))
    moments = _whole(at)
    totals = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(ordered, dtype=np.int64)))
    before = np.searchsorted(ordered, moments, side="right")
    since: Int64s = before * moments - totals[before]
    return since


def _whole(times: Times) -> Int64s:
    if times.dtype.kind == "f":
        times = np.rint(np.clip(times, -_LATEST_NS, _LATEST_NS))
    return times.astype(np.int64)
