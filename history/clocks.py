"""How far another host's clock is from ours: from messages there and back to a bound. Pure.

A message leaves us at t0, is stamped r by the other host's clock, and its answer is here at t1. At
whatever time of ours within [t0, t1] the stamp was taken, remote minus local was within
[r - t1, r - t0]. Nothing is assumed of how the way there and back share the time. Both clocks are
monotonic and count whole nanoseconds, so that what they say is up to one behind what they mean;
their rates differ by no more than is given.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil, floor

from history.errors import UserError
from history.manifest import ClockBound

MILLION = 1_000_000
_TICK_NS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One message there and back: sent and received by our clock, stamped by the other host's."""

    sent_ns: int
    remote_ns: int
    received_ns: int


def clock_bound(
    host: str, exchanges: Sequence[Exchange], *, first_ns: int, last_ns: int, drift_ppm: float
) -> ClockBound:
    """Bound a host's clock over the whole of [first, last] of ours, the common time.

    The two clocks' rates differ at most by `drift_ppm`, which must also cover that time's being
    steered by NTP. Exchanges from before and after, or all along, bound the drift between them;
    those from before alone let it run. Raises UserError when there are none, or when no clock
    that drifts so little can have stamped all of them.
    """
    if not exchanges:
        raise UserError(
            f"the clock of {host} cannot be bounded: there is no exchange with it; record one or "
            "more before and after the run"
        )
    if not 0 <= drift_ppm < MILLION:
        raise UserError(
            f"a clock's drift of {drift_ppm} ppm is none: expected a number from 0 to less than "
            "1,000,000 (quartz drifts by 10 to 100, NTP steers by up to 500)"
        )
    if last_ns < first_ns:
        raise UserError(
            f"the clock of {host} cannot be bounded from {first_ns} to {last_ns}: a run ends after "
            "it begins"
        )
    for number, exchange in enumerate(exchanges, start=1):
        if exchange.received_ns < exchange.sent_ns:
            raise UserError(
                f"exchange {number} with {host} was received at {exchange.received_ns}, before it "
                f"was sent at {exchange.sent_ns}: both are to be times of one monotonic clock"
            )
    rate = Fraction(drift_ppm) / MILLION
    # r - x and less by the drift since x, for every x that the stamp can be of: the least of all
    # those is x = t1, the greatest x = t0, since no clock drifts as fast as time itself.
    low = _Peaks(
        ((e.received_ns + _TICK_NS, e.remote_ns - e.received_ns - _TICK_NS) for e in exchanges),
        rate,
    )
    high = _Peaks(((e.sent_ns, e.sent_ns - e.remote_ns - _TICK_NS) for e in exchanges), rate)
    _require_consistent(host, exchanges, low, high)
    until_ns = last_ns + _TICK_NS
    lowest, highest = floor(low.least(first_ns, until_ns)), ceil(-high.least(first_ns, until_ns))
    middle = (lowest + highest) // 2
    return ClockBound(host=host, offset_ns=-middle, error_ns=highest - middle + _TICK_NS)


def _require_consistent(
    host: str, exchanges: Sequence[Exchange], low: "_Peaks", high: "_Peaks"
) -> None:
    # Where any two contradict each other they do so at the first one's own time too.
    for number, exchange in enumerate(exchanges, start=1):
        at_ns = exchange.received_ns + _TICK_NS
        gap_ns = low.at(at_ns) + high.at(at_ns)
        if gap_ns > 0:
            raise UserError(
                f"exchange {number} with {host} contradicts another by {ceil(gap_ns):,} ns: no one "
                "clock can have stamped both; allow for more drift, or look whether the clock was "
                "set, or the host restarted, in between"
            )


class _Peaks:
    """The highest of several tents, each with a peak (at, height) and falling by `rate` from it."""

    def __init__(self, peaks: Iterable[tuple[int, int]], rate: Fraction) -> None:
        self._rate = rate
        ordered = sorted(peaks)
        self._at = [at for at, _ in ordered]
        # What the tents on the left of a place give there is this less rate times the place...
        self._left = list(accumulate((height + rate * at for at, height in ordered), max))
        # ...and what those on its right give, this and rate times the place.
        falling = (height - rate * at for at, height in reversed(ordered))
        self._right = list(accumulate(falling, max))[::-1]

    def at(self, time: int | Fraction) -> Fraction:
        """Give the height at a time."""
        left, right = bisect_right(self._at, time), bisect_left(self._at, time)
        heights = []
        if left:
            heights.append(self._left[left - 1] - self._rate * time)
        if right < len(self._at):
            heights.append(self._right[right] + self._rate * time)
        return max(heights)

    def least(self, first: int, last: int) -> Fraction:
        """Give the least height within [first, last]: at its ends, or in a valley between peaks."""
        inside = self._at[bisect_left(self._at, first) : bisect_right(self._at, last)]
        valleys: list[int | Fraction] = [first, last]
        for start, end in pairwise((first, *inside, last)):
            left, right = bisect_right(self._at, start), bisect_left(self._at, end)
            if self._rate and left and right < len(self._at):
                lowest = (self._left[left - 1] - self._right[right]) / (2 * self._rate)
                valleys.append(min(max(lowest, Fraction(start)), Fraction(end)))
        return min(self.at(time) for time in valleys)
