"""How hard the completed operations of a record pressed the counter together. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.abreast import Abreast, AbreastMeter
from analysis.overlap import Concurrency, Meter, UnsortedError
from analysis.record import BATCH_ROWS, Record
from analysis.sent import RUNNER
from analysis.stretch import Bools, Int64s, Stretch, Words
from analysis.widths import Widths

_OF_OPERATION = ("kind", "start_ns", "end_ns", "outcome", "value", "delta", "source")
_NO_GENERATOR = -1

_FEW = 1 << 15
"""Operations that stay in the processor's cache while they are worked on: half the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What completed operations did at the same time.

    `abreast` and `processes` are without the runner's few; `processes` completed some, None where
    the record names none. The widths of their intervals are within 1 %, None of no operation.
    """

    concurrency: Concurrency
    abreast: Abreast
    processes: int | None
    width_ns_p01: int | None
    width_ns_p50: int | None


class _Timed:
    """What has to come sorted by start."""

    def __init__(self) -> None:
        self.meter = Meter()
        self.abreast = AbreastMeter()

    def add(self, start: Int64s, end: Int64s, generator: Int64s) -> None:
        """Add operations; raises UnsortedError."""
        first = 0
        while first < len(start):
            # Never fewer than are in flight, which are looked at each time.
            some = slice(first, first + max(_FEW, self.meter.in_flight))
            self._add(start[some], end[some], generator[some])
            first = some.stop

    def _add(self, start: Int64s, end: Int64s, generator: Int64s) -> None:
        self.meter.add(start, end)
        of_one = generator != _NO_GENERATOR
        if not of_one.all():
            start, end, generator = start[of_one], end[of_one], generator[of_one]
        self.abreast.add(start, end, generator)


class EffortMeter:
    """Measures effort, stretch by stretch; those of a record should be sorted by start."""

    def __init__(self) -> None:
        self._timed: _Timed | None = _Timed()
        self._widths = Widths()
        self._generators: dict[str, int] = {RUNNER: _NO_GENERATOR}
        self._processes: set[str] = set()

    def take(self, stretch: Stretch, sources: Words, processes: Words) -> None:
        """Add the completed operations of a stretch; its words are looked up already."""
        whole, start, end, generator = self._completed(stretch, sources)
        self._take_widths(start, end)
        codes, words = processes
        if words:
            some = np.bincount(codes[whole][generator != _NO_GENERATOR] + 1)
            self._processes.update(
                words[code - 1] for code in np.flatnonzero(some).tolist() if code
            )
        if self._timed is None:
            return
        try:
            self._timed.add(start, end, generator)
        except UnsortedError:
            self._timed = None

    def _take_widths(self, start: Int64s, end: Int64s) -> None:
        for first in range(0, len(start), _FEW):
            some = slice(first, first + _FEW)
            self._widths.add(start[some], end[some])

    def _completed(self, stretch: Stretch, sources: Words) -> tuple[Bools, Int64s, Int64s, Int64s]:
        """Say which rows completed, and give start, end and generator of those."""
        whole = stretch.ok & ~stretch.inconsistent
        generator = self._numbered(*sources)[whole]
        return whole, stretch.start[whole], stretch.end[whole], generator

    def _numbered(self, codes: npt.NDArray[np.integer], words: list[str]) -> Int64s:
        """Give the generator of each row as a number, the same in every stretch."""
        named = [*words, ""]  # a blank, code -1, is the last
        numbers = np.zeros(len(named), dtype=np.int64)
        known = self._generators
        for code in np.flatnonzero(np.bincount(codes + 1, minlength=len(named))).tolist():
            # The runner has no number of its own.
            numbers[code - 1] = known.setdefault(named[code - 1], len(known) - 1)
        numbered: Int64s = numbers[codes]
        return numbered

    def close(self, record: Record) -> Effort:
        """Give what was measured; a record that is not sorted is gone through again."""
        timed = self._timed or self._sorted(record)
        return Effort(
            concurrency=timed.meter.close(),
            abreast=timed.abreast.close(),
            processes=len(self._processes) or None,
            width_ns_p01=self._widths.percentile(0.01),
            width_ns_p50=self._widths.percentile(0.5),
        )

    def _sorted(self, record: Record) -> _Timed:
        parts = [(np.zeros(0, dtype=np.int64),) * 3]
        for first_row, batch in record.batches(_OF_OPERATION):
            stretch = Stretch(first_row, batch)
            parts.append(self._completed(stretch, stretch.words("source"))[1:])
        start, end, generator = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(start, kind="stable")
        timed = _Timed()
        for first in range(0, len(order), BATCH_ROWS):
            some = order[first : first + BATCH_ROWS]
            timed.add(start[some], end[some], generator[some])
        return timed
