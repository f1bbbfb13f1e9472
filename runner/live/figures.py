"""What the live view shows, as numbers: outcomes, rates and latencies by generator."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from history.journal import NO_TIME
from history.operation import Outcome
from runner.live.answers import Int64s, Rows, with_outcome

RATE_NS = 2_000_000_000
LATENCY_NS = 5_000_000_000
RECENT_MAX = 1 << 16
"""Of the last seconds' latencies the latest so many of each batch: 16 bytes each."""

RUNNER_SOURCE = "runner"
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

    `ended` says how the load ended ("" while it runs), `at_least` that the duplicates may be
    more, `violation` is the first one in a sentence.
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


@dataclass(frozen=True, slots=True)
class _Batch:
    """The numbers answered between two looks: whose they were, and how long each took."""

    at_ns: int
    source: npt.NDArray[np.int64]
    took_ns: Int64s
    took_due_ns: Int64s


class Figures:
    """Add up answers by generator; the runner's own requests are not load and left out."""

    def __init__(self) -> None:
        self._sources: list[str] = []
        self._source_of: Int64s = np.zeros(0, dtype=np.int64)
        self._counts = np.zeros((0, len(_OUTCOMES)), dtype=np.int64)
        self._rates: deque[tuple[int, Int64s]] = deque()
        self._recent: deque[_Batch] = deque()

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
        lately = slice(max(0, len(answers) - RECENT_MAX), None)
        kept = answers[lately]
        ok = with_outcome(kept, Outcome.OK)
        kept = kept[ok]
        has_due = kept["intended_ns"] != NO_TIME
        took_due_ns = np.where(has_due, kept["end_ns"] - kept["intended_ns"], NO_TIME)
        took_ns = kept["end_ns"] - kept["start_ns"]
        self._recent.append(_Batch(at_ns, source[lately][ok], took_ns, took_due_ns))
        while self._recent[0].at_ns < at_ns - LATENCY_NS:
            self._recent.popleft()
        self._rates.append((at_ns, self._counts.sum(axis=1)))
        while len(self._rates) > 1 and self._rates[1][0] <= at_ns - RATE_NS:
            self._rates.popleft()

    def by_source(self, in_flight: Sequence[int]) -> tuple[SourceFigures, ...]:
        """Give the figures of each generator, in order of name; `in_flight` is by process."""
        per_s = self._per_s()
        flying = np.zeros(len(self._sources), dtype=np.int64)
        for source, count in zip(self._source_of, in_flight, strict=True):
            if source >= 0:
                flying[source] += count
        figures = [
            self._figures(name, position, float(per_s[position]), int(flying[position]))
            for position, name in enumerate(self._sources)
        ]
        return tuple(sorted(figures, key=lambda one: one.source))

    def together(self, sources: Sequence[SourceFigures]) -> SourceFigures:
        """Add up the figures of the generators; latencies are over all their requests."""
        took_ns, took_due_ns = self._latencies(None)
        return SourceFigures(
            source="all",
            per_s=sum(one.per_s for one in sources),
            ok=sum(one.ok for one in sources),
            rejected=sum(one.rejected for one in sources),
            indeterminate=sum(one.indeterminate for one in sources),
            in_flight=sum(one.in_flight for one in sources),
            latency=_quantiles(took_ns),
            latency_due=_quantiles(took_due_ns),
        )

    def _figures(self, name: str, position: int, per_s: float, in_flight: int) -> SourceFigures:
        ok, rejected, indeterminate = self._counts[position].tolist()
        took_ns, took_due_ns = self._latencies(position)
        return SourceFigures(
            source=name,
            per_s=per_s,
            ok=ok,
            rejected=rejected,
            indeterminate=indeterminate,
            in_flight=in_flight,
            latency=_quantiles(took_ns),
            latency_due=_quantiles(took_due_ns),
        )

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

    def _latencies(self, position: int | None) -> tuple[Int64s, Int64s]:
        """Give the last seconds' latencies of one source or of all generators."""
        took_ns, took_due_ns = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for batch in self._recent:
            chosen = batch.source >= 0 if position is None else batch.source == position
            took_ns.append(batch.took_ns[chosen])
            took_due_ns.append(batch.took_due_ns[chosen & (batch.took_due_ns != NO_TIME)])
        return np.concatenate(took_ns), np.concatenate(took_due_ns)


def _quantiles(took_ns: Int64s) -> Quantiles | None:
    if not len(took_ns):
        return None
    p50_ns, p99_ns = np.percentile(took_ns, (50, 99))
    return Quantiles(p50_ms=float(p50_ns) / 1e6, p99_ms=float(p99_ns) / 1e6)
