"""One pass over the record: everything that the checks need of it, and no more. Pure.

What is kept grows with the values that were returned (20 bytes each), the requests that went
unanswered and the reads, not with the record.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis import effects
from analysis.effects import Effects
from analysis.effort import Effort, EffortMeter
from analysis.record import Record
from analysis.slots import Answers, Filling
from analysis.stretch import Bools, Int64s, Stretch, Words
from analysis.verdict import EVIDENCE_CAP
from history.errors import UserError
from history.operation import Kind, Outcome

RESENDS_MAX = 10_000_000
"""Each re-send is an effect that is kept: more than any client makes must not fill memory."""

_COLUMNS = (*effects.COLUMNS, "source", "process")


@dataclass(slots=True)
class Rows:
    """How many rows there are of some kind, and the positions of the first of them."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def take(self, stretch: Stretch, selected: Bools) -> None:
        """Count the selected rows of a stretch."""
        count = int(np.count_nonzero(selected))
        self.count += count
        room = EVIDENCE_CAP - len(self.first)
        if count and room > 0:
            self.first += (stretch.first_row + np.flatnonzero(selected)[:room]).tolist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many operations of a kind returned a value, and between which these lie."""

    count: int = 0
    low: int | None = None
    high: int | None = None

    def with_values(self, value: Int64s) -> "Extent":
        """Give the extent with more operations in it."""
        if not len(value):
            return self
        low, high = int(value.min()), int(value.max())
        return Extent(
            count=self.count + len(value),
            low=low if self.low is None else min(low, self.low),
            high=high if self.high is None else max(high, self.high),
        )


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What one pass found.

    `by_source` counts operations by source and outcome, `by_process` by process; a blank is "".
    `extents` are of the values after each operation. `answers` are those of increments and
    reads, without decrements; `unseen` are the increments that perhaps happened, and
    `unseen_decrements` how many decrements, `resends` how often a request was sent again.
    `deltas` counts operations of which only that column says what they added: `untold_up` and
    `untold_down` are what those that happened moved the counter by, `unseen_up` and
    `unseen_down` what all that perhaps happened would.
    """

    rows: int
    by_source: Mapping[str, Mapping[Outcome, int]]
    by_process: Mapping[str, int]
    inconsistent: Rows
    beyond_64_bits: Rows
    extents: Mapping[Kind, Extent]
    answers: Answers
    unseen: Effects
    unseen_decrements: int
    deltas: int
    resends: int
    untold_up: int
    untold_down: int
    unseen_up: int
    unseen_down: int
    effort: Effort

    @property
    def is_mixed(self) -> bool:
        """Whether numbers may legally come back, or be jumped over, or are not told.

        A rejected decrement cannot have brought one back.
        """
        return self.extents[Kind.DECREMENT].count + self.unseen_decrements + self.deltas > 0

    @property
    def certainly(self) -> tuple[int, int]:
        """What the operations that happened added, and took off, as numbers of at least 0."""
        return (
            self.extents[Kind.INCREMENT].count + self.untold_up,
            self.extents[Kind.DECREMENT].count + self.untold_down,
        )

    @property
    def perhaps(self) -> tuple[int, int]:
        """What those that perhaps happened would add, and take off, if all did."""
        return self.unseen_up, self.unseen_down

    def outcomes(self) -> Counter[Outcome]:
        """Count operations by outcome."""
        of_sources = self.by_source.values()
        return Counter({o: sum(counts.get(o, 0) for counts in of_sources) for o in Outcome})


class _Pass:
    """What a pass has collected so far."""

    def __init__(self, *, initial: int, shift: int, window_ns: int | None, slots: int) -> None:
        self.shift, self.window_ns = shift, window_ns
        self.by_source: dict[str, Counter[Outcome]] = {}
        self.by_process: Counter[str] = Counter()
        self.inconsistent, self.beyond = Rows(), Rows()
        self.extents = {kind: Extent() for kind in Kind}
        self.filling = Filling(initial=initial, expected=slots)
        self.unseen: list[Effects] = []
        self.unseen_decrements = 0
        self.deltas = self.resends = 0
        self.untold = {1: 0, -1: 0}
        self.perhaps = {1: 0, -1: 0}
        self.effort = EffortMeter()

    def take(self, stretch: Stretch) -> None:
        sources, processes = stretch.words("source"), stretch.words("process")
        self._count(stretch, sources, processes)
        self.effort.take(stretch, sources, processes)
        self.inconsistent.take(stretch, stretch.inconsistent)
        self.beyond.take(stretch, stretch.beyond_64_bits(self.shift))
        done = {
            kind: effects.completed(stretch, kind, shift=self.shift)
            for kind in Kind
            if kind is Kind.INCREMENT or stretch.has("kind")
        }
        for kind, operations in done.items():
            self.extents[kind] = self.extents[kind].with_values(operations.value)
        ups = done[Kind.INCREMENT]
        self.filling.add_increments(ups.value, ups.start, ups.end)
        if reads := done.get(Kind.READ):
            self.filling.add_reads(reads.value, reads.start, reads.end, reads.row)
        if stretch.has("delta"):
            self.deltas += int(np.count_nonzero(stretch.present("delta")))
            for step, moved in _by_sign(effects.untold(stretch).delta):
                self.untold[step] += moved
        self._take_unseen(stretch)

    def _count(self, stretch: Stretch, sources: Words, processes: Words) -> None:
        codes, words = sources
        named = ["", *words]
        for outcome in Outcome:
            counted = np.bincount(codes[stretch.is_outcome(outcome)] + 1, minlength=len(named))
            for code in np.flatnonzero(counted).tolist():
                self.by_source.setdefault(named[code], Counter())[outcome] += int(counted[code])
        codes, words = processes
        for word, count in zip(["", *words], np.bincount(codes + 1).tolist(), strict=False):
            self.by_process[word] += count

    def _take_unseen(self, stretch: Stretch) -> None:
        if stretch.has("attempts"):
            self.resends += int(np.maximum(stretch.attempts - 1, 0).sum())
            if self.resends > RESENDS_MAX:
                raise UserError(
                    f"found {self.resends:,} re-sends in column attempts up to row "
                    f"{stretch.first_row + len(stretch):,}, expected at most {RESENDS_MAX:,} in a "
                    "history: correct the column, or judge the history in parts"
                )
        for kind, step in ((Kind.INCREMENT, 1), (Kind.DECREMENT, -1)):
            if kind is Kind.DECREMENT and not stretch.has("kind"):
                continue
            unseen = effects.uncertain(stretch, kind, shift=self.shift, window_ns=self.window_ns)
            if not len(unseen):
                continue
            if kind is Kind.INCREMENT:
                self.unseen.append(unseen)
            else:
                self.unseen_decrements += len(unseen)
            steps = np.where(unseen.delta == 0, step, unseen.delta)
            for sign, moved in _by_sign(steps):
                self.perhaps[sign] += moved


def _by_sign(deltas: Int64s) -> list[tuple[int, int]]:
    """Sum what goes up and what goes down, each as a number of at least 0 and of any size."""
    if not len(deltas):
        return []
    # Not by absolute values: that of the least integer is itself.
    if deltas.min() >= -1 and deltas.max() <= 1:
        return [(1, int((deltas > 0).sum())), (-1, int((deltas < 0).sum()))]
    whole = deltas.tolist()
    return [(1, sum(d for d in whole if d > 0)), (-1, -sum(d for d in whole if d < 0))]


def scan(record: Record, *, initial: int, shift: int, window_ns: int | None) -> Scan:
    """Go through a record once.

    `initial` is the counter before the first increment, `shift` what to add to an increment's
    answer to get the value after it, `window_ns` how long an unanswered request can act (None:
    for ever). Raises UserError when the record cannot be read, or tells of absurdly many re-sends.
    """
    found = _Pass(initial=initial, shift=shift, window_ns=window_ns, slots=record.rows)
    for first_row, batch in record.batches(_COLUMNS):
        found.take(Stretch(first_row, batch))
    return Scan(
        rows=record.rows,
        by_source=found.by_source,
        by_process=found.by_process,
        inconsistent=found.inconsistent,
        beyond_64_bits=found.beyond,
        extents=found.extents,
        answers=found.filling.close(),
        unseen=effects.joined(Effects, found.unseen),
        unseen_decrements=found.unseen_decrements,
        deltas=found.deltas,
        resends=found.resends,
        untold_up=found.untold[1],
        untold_down=found.untold[-1],
        unseen_up=found.perhaps[1],
        unseen_down=found.perhaps[-1],
        effort=found.effort.close(record),
    )
