"""The largest value that had been returned at a time, for any time so far."""

import numpy as np

from history.operation import INT64_MIN
from runner.live.answers import Int64s

STEPS_MAX = 1 << 17


class Staircase:
    """Answer "what was the largest value returned before t?", never with too large a one.

    Only answers that raised the maximum are kept: steps of (end, value), both rising; 16 bytes
    each, at most `steps_max` of them. When there are more, every second of the older half is
    forgotten: of times that far back it may then answer with a smaller value than the true one.
    """

    def __init__(self, steps_max: int = STEPS_MAX) -> None:
        self._steps_max = steps_max
        self._ends: Int64s = np.zeros(0, dtype=np.int64)
        self._values: Int64s = np.zeros(0, dtype=np.int64)

    def add(self, ends: Int64s, values: Int64s) -> None:
        """Add answers, in any order, also such that ended before some that are here."""
        if not len(ends):
            return
        at = int(np.searchsorted(self._ends, ends.min()))
        floor = self._values[at - 1] if at else INT64_MIN
        ends = np.concatenate((self._ends[at:], ends))
        values = np.concatenate((self._values[at:], values))
        order = np.lexsort((values, ends))
        ends, values = ends[order], values[order]
        highest = np.maximum.accumulate(np.r_[floor, values])
        raises = values > highest[:-1]
        self._ends = np.concatenate((self._ends[:at], ends[raises]))
        self._values = np.concatenate((self._values[:at], values[raises]))
        while len(self._ends) > self._steps_max:
            self._thin()

    def before(self, times: Int64s) -> tuple[Int64s, Int64s]:
        """Give the largest value returned strictly before each time, and when that was.

        Where none was: the smallest 64-bit integer, which no value is less than.
        """
        at = np.searchsorted(self._ends, times) - 1
        there = at >= 0
        values = np.full(len(times), INT64_MIN)
        ends = np.zeros(len(times), dtype=np.int64)
        values[there], ends[there] = self._values[at[there]], self._ends[at[there]]
        return values, ends

    def _thin(self) -> None:
        half = len(self._ends) // 2
        self._ends = np.concatenate((self._ends[:half:2], self._ends[half:]))
        self._values = np.concatenate((self._values[:half:2], self._values[half:]))
