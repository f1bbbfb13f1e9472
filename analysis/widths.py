"""How long operations took, by a histogram that never grows. Pure."""

import numpy as np

from analysis.stretch import Int64s

_KEPT_BITS = 7
"""Of the fraction of a float: buckets are 1/128 of what they hold wide."""
_DROPPED_BITS = 52 - _KEPT_BITS
_LOWEST = 1022 << _KEPT_BITS
"""The bucket below that of 1: 0 falls there."""
_BUCKETS = (1088 << _KEPT_BITS) - _LOWEST


class Widths:
    """Widths of closed intervals; percentiles of them, cut to within 1 %."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BUCKETS, dtype=np.int64)

    def add(self, start: Int64s, end: Int64s) -> None:
        """Add intervals that end no earlier than they start."""
        # Differences fit 64 unsigned bits even where they do not fit 63.
        widths = (end - start).view(np.uint64).astype(np.float64)
        buckets = np.maximum((widths.view(np.int64) >> _DROPPED_BITS) - _LOWEST, 0)
        self._counts += np.bincount(buckets, minlength=_BUCKETS)

    def percentile(self, share: float) -> int | None:
        """Give the width that at least this share of the intervals do not exceed."""
        upto = np.cumsum(self._counts)
        if not upto[-1]:
            return None
        bucket = int(np.searchsorted(upto, share * upto[-1]))
        if not bucket:
            return 0
        return int(np.array([(bucket + _LOWEST) << _DROPPED_BITS]).view(np.float64)[0])
