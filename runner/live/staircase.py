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
        self._count = 0
        self._steps = np.zeros((2, steps_max), dtype=np.int64)  # ends, values

    def add(self, ends: Int64s, values: Int64s) -> None:
        """Add answers, in any order, also such that ended before some that are here."""
        if not len(ends):
            return
        at = int(np.searchsorted(self._steps[0, : self._count], ends.min()))
        floor = self._steps[1, at - 1] if at else INT64_MIN
        newest = np.concatenate((self._steps[:, at : self._count], (ends, values)), axis=1)
        newest = newest[:, np.lexsort((newest[1], newest[0]))]
        highest = np.maximum.accumulate(newest[1])
        before = np.empty_like(highest)
        before[0], before[1:] = floor, np.maximum(highest[:-1], floor)
        newest = newest[:, newest[1] > before]
        while at + newest.shape[1] > self._steps_max:
            at, newest = self._thin(at, newest)
        self._count = at + newest.shape[1]
        self._steps[:, at : self._count] = newest

    def before(self, times: Int64s) -> tuple[Int64s, Int64s]:
        """Give the largest value returned strictly before each time, and when that was.

        Where none was: the smallest 64-bit integer, which no value is less than.
        """
        at = np.searchsorted(self._steps[0, : self._count], times) - 1
        ends, values = self._steps[:, at]
        values[at < 0] = INT64_MIN
        return values, ends

    def _thin(self, kept: int, newest: Int64s) -> tuple[int, Int64s]:
        """Forget every second of the older half of the `kept` first steps and the newest."""
        steps = np.concatenate((self._steps[:, :kept], newest), axis=1)
        half = steps.shape[1] // 2
        return 0, np.concatenate((steps[:, 1:half:2], steps[:, half:]), axis=1)
