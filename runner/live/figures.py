"""What the live view shows, as numbers: outcomes, rates and latencies by generator."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from history.journal import KINDS, NO_TIME
from history.operation import Kind, Outcome
from runner.live.answers import Int64s, Rows, chosen, joined, with_outcome

RATE_NS = 2_000_000_000
LATENCY_NS = 5_000_000_000
RECENT_MAX = 1 << 16
"""Of the last seconds' latencies the latest so many of each batch: 24 bytes each."""

RUNNER_SOURCE = "runner"
_TOOK_DTYPE = np.dtype([("source", "<i8"), ("took_ns", "<i8"), ("took_due_ns", "<i8")])
"""A number lately answered: whose it was, how long it took, and that from when it was due."""

_OUTCOMES = (Outcome.OK, Outcome.REJECTED, Outcome.INDETERMINATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Latency of the last seconds' numbers, in milliseconds."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFigures:
    """How one generator fares, or all of them together.

    `latency` is None when no number was answered lately, `latency_due` (from when each request
    was due) when none of those had a schedule.
    """

    source: str
    per_s: float
    ok: int
    rejected: int
    indeterminate: int
    in_flight: int
    latency: Quantiles | None
    latency_due: Quantiles | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that a view shows, at one moment.

    `duration_s` is 0 where nobody knows it before the end. `ended` says how the load ended (""
    while it runs), `at_least` that the duplicates may be more, `violation` is the first one in a
    sentence. `decrements` counts the answered ones of a mixed load, of which the values say nothing
    yet; None: there are to be none.
    """

    elapsed_s: float
    duration_s: float
    ended: str
    sources: tuple[SourceFigures, ...]
    together: SourceFigures
    duplicates: int
    inversions: int
    at_least: bool
    violation: str
    decrements: int | None = None


class Figures:
    """Add up answers by generator; the runner's own requests are not load and left out."""

    def __init__(self) -> None:
        self.decrements = 0
        """Those of the load that were answered a number."""
        self._sources: list[str] = []
        self._source_of: Int64s = np.zeros(0, dtype=np.int64)
        self._counts = np.zeros((0, len(_OUTCOMES)), dtype=np.int64)
        self._rates: deque[tuple[int, Int64s]] = deque()
        self._recent: deque[tuple[int, Rows]] = deque()

    def begin(self, at_ns: int) -> None:
        """Say when the load begins: no rate is reckoned from before."""
        self._rates.append((at_ns, self._counts.sum(axis=1)))

    def add(self, answers: Rows, names: Sequence[str], *, at_ns: int, running: bool) -> None:
        """Add what was answered by now; once the load is over, only outcomes still change."""
        self._learn(names)
        source = self._source_of[answers["process"]]
        for column, outcome in enumerate(_OUTCOMES):
            of = source[with_outcome(answers, outcome) & (source >= 0)]
            self._counts[:, column] += np.bincount(of, minlength=len(self._sources))
        is_decrement = answers["kind"] == KINDS.index(Kind.DECREMENT)
        self.decrements += int(
            (is_decrement & with_outcome(answers, Outcome.OK) & (source >= 0)).sum()
        )
        if running:
            self._remember(answers, source, at_ns)

    def _learn(self, names: Sequence[str]) -> None:
        """Know each process's source: journals are named after both, `swarm-0`."""
        for name in names[len(self._source_of) :]:
            source = name.rpartition("-")[0]
            if source != RUNNER_SOURCE and source not in self._sources:
                self._sources.append(source)
                self._counts = np.vstack((self._counts, np.zeros(len(_OUTCOMES), dtype=np.int64)))
            position = -1 if source == RUNNER_SOURCE else self._sources.index(source)
            self._source_of = np.r_[self._source_of, position]

    def _remember(self, answers: Rows, source: Int64s, at_ns: int) -> None:
        of_load = with_outcome(answers, Outcome.OK) & (source >= 0)
        numbers, source = chosen(answers, of_load)[-RECENT_MAX:], source[of_load][-RECENT_MAX:]
        took = np.empty(len(numbers), dtype=_TOOK_DTYPE)
        took["source"], took["took_ns"] = source, numbers["end_ns"] - numbers["start_ns"]
        due_ns = numbers["intended_ns"]
        took["took_due_ns"] = np.where(due_ns == NO_TIME, NO_TIME, numbers["end_ns"] - due_ns)
        self._recent.append((at_ns, took))
        while self._recent[0][0] < at_ns - LATENCY_NS:
            self._recent.popleft()
        self._rates.append((at_ns, self._counts.sum(axis=1)))
        while len(self._rates) > 1 and self._rates[1][0] <= at_ns - RATE_NS:
            self._rates.popleft()

    def by_source(self, in_flight: Sequence[int]) -> tuple[SourceFigures, ...]:
        """Give the figures of each generator, in order of name; `in_flight` is by process."""
        flying = np.zeros(len(self._sources), dtype=np.int64)
        for source, count in zip(self._source_of, in_flight, strict=True):
            if source >= 0:
                flying[source] += count
        lately, per_s = self._lately(), self._per_s()
        figures = [
            _figures(
                name,
                counts=self._counts[position],
                per_s=float(per_s[position]),
                in_flight=int(flying[position]),
                lately=chosen(lately, lately["source"] == position),
            )
            for position, name in enumerate(self._sources)
        ]
        return tuple(sorted(figures, key=lambda one: one.source))

    def together(self, sources: Sequence[SourceFigures]) -> SourceFigures:
        """Add up the figures of the generators; latencies are over all their numbers."""
        return _figures(
            "all",
            counts=self._counts.sum(axis=0),
            per_s=sum(one.per_s for one in sources),
            in_flight=sum(one.in_flight for one in sources),
            lately=self._lately(),
        )

    def _lately(self) -> Rows:
        return joined([batch for _, batch in self._recent], _TOOK_DTYPE)

    def _per_s(self) -> npt.NDArray[np.float64]:
        """Reckon answers a second over the last RATE_NS, by source."""
        per_s = np.zeros(len(self._sources))
        if len(self._rates) > 1:
            (from_ns, before), (to_ns, after) = self._rates[0], self._rates[-1]
            before = np.pad(before, (0, len(self._sources) - len(before)))
            after = np.pad(after, (0, len(self._sources) - len(after)))
            if to_ns > from_ns:
                per_s = (after - before) * 1e9 / (to_ns - from_ns)
        return per_s


def _figures(
    name: str, *, counts: Int64s, per_s: float, in_flight: int, lately: Rows
) -> SourceFigures:
    ok, rejected, indeterminate = counts.tolist()
    took_due_ns = lately["took_due_ns"]
    return SourceFigures(
        source=name,
        per_s=per_s,
        ok=ok,
        rejected=rejected,
        indeterminate=indeterminate,
        in_flight=in_flight,
        latency=_quantiles(lately["took_ns"]),
        latency_due=_quantiles(took_due_ns[took_due_ns != NO_TIME]),
    )


def _quantiles(took_ns: Int64s) -> Quantiles | None:
    if not len(took_ns):
        return None
    median, late = (len(took_ns) - 1) // 2, (len(took_ns) - 1) * 99 // 100
    ranked = np.partition(took_ns, (median, late))
    return Quantiles(p50_ms=float(ranked[median]) / 1e6, p99_ms=float(ranked[late]) / 1e6)
