"""Which values have been returned: one bit each."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from runner.live.answers import Int64s

CHUNK_BITS = 16
CHUNK_VALUES = 1 << CHUNK_BITS
NEAR_VALUES = 1 << 20
FAR_CHUNKS = 256


class SeenValues:
    """Tell which values were returned before, exactly, in bounded memory.

    A bit a value, in chunks of 8 KB that are made when a value falls into them: 11 MB for
    86 million values in a row. Near values always get their chunk: those less than NEAR_VALUES
    plus twice the count of values so far above `base`. Further away (a server that answers
    nonsense) there are FAR_CHUNKS chunks, first come first served, 2 MB; `unchecked` counts
    the values beyond that, of which repeats are seen only when they come together.
    """

    def __init__(self, base: int) -> None:
        self.unchecked = 0
        self._base = np.uint64(base % 2**64)
        self._count = 0
        self._chunks: dict[int, npt.NDArray[np.uint8]] = {}
        self._far = 0

    def add(self, values: Int64s) -> npt.NDArray[np.bool_]:
        """Add values; tell which of them had been returned before, by order of the array."""
        # Modulo 2**64: differences of 64-bit integers may exceed them, and still no two values
        # meet. What is below base becomes very far.
        offsets = values.view(np.uint64) - self._base
        self._count += len(values)
        order = np.argsort(offsets, kind="stable")
        ranked = offsets[order]
        is_first = np.ones(len(values), dtype=np.bool_)
        is_first[1:] = ranked[1:] != ranked[:-1]
        again = np.zeros(len(values), dtype=np.bool_)
        again[order[~is_first]] = True
        distinct, first = ranked[is_first], order[is_first]
        numbers = distinct >> np.uint64(CHUNK_BITS)
        starts = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(distinct)]
        for start, stop in pairwise(starts if len(distinct) else ()):
            chunk = self._chunk(int(numbers[start]))
            if chunk is None:
                self.unchecked += stop - start
            else:
                again[first[start:stop]] = _take(chunk, distinct[start:stop])
        return again

    def _chunk(self, number: int) -> npt.NDArray[np.uint8] | None:
        chunk = self._chunks.get(number)
        if chunk is not None:
            return chunk
        if number << CHUNK_BITS >= NEAR_VALUES + 2 * self._count:
            if self._far == FAR_CHUNKS:
                return None
            self._far += 1
        self._chunks[number] = np.zeros(CHUNK_VALUES // 8, dtype=np.uint8)
        return self._chunks[number]


def _take(chunk: npt.NDArray[np.uint8], offsets: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Set the bits of different values; tell which were set."""
    at = (offsets & np.uint64(CHUNK_VALUES - 1)).astype(np.int64)
    bits = (1 << (at & 7)).astype(np.uint8)
    were_set: npt.NDArray[np.bool_] = (chunk[at >> 3] & bits) != 0
    np.bitwise_or.at(chunk, at >> 3, bits)
    return were_set
