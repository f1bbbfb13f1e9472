"""The history as plain arrays, taken from the frame once for every table and figure."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.report import formats
from analysis.run import Run
from history.operation import Kind, Outcome

Float64s = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MAX_SOURCES = 5
"""So many generators are told apart by colour and line; the rest are counted together."""
UNNAMED = "(unnamed)"
_LABEL_LIMIT = 24


def elapsed_ns(later: Int64s, earlier: Int64s | np.int64) -> Float64s:
    """Give later - earlier for later ≥ earlier: exact below 2**53 ns, and never wrapped."""
    wrapped = later.view(np.uint64) - np.asarray(earlier).view(np.uint64)
    return wrapped.astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """One row an operation, in the frame's order.

    `start` and `end` are nanoseconds after the first start; `end` counts only where `ended`.
    `service` is end - start, `response` is end - intended (only where `timed`).
    `source` indexes `sources`, which are sorted by how many operations they have.
    """

    origin_ns: int
    start: Float64s
    end: Float64s
    ended: Bools
    response: Float64s
    timed: Bools
    ok: Bools
    rejected: Bools
    indeterminate: Bools
    decrement: Bools
    value: Int64s
    valued: Bools
    source: Int64s
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.start)

    @cached_property
    def service(self) -> Float64s:
        """Nanoseconds from send to answer; counts only where `ended`."""
        return self.end - self.start

    @property
    def last_ns(self) -> float:
        """When the last thing happened, nanoseconds after the first start."""
        return float(max(self.start.max(initial=0), self.end.max(initial=0)))

    def of_source(self, code: int) -> Bools:
        """Select the operations of one source."""
        mine: Bools = self.source == code
        return mine


def timeline(run: Run) -> Timeline:
    """Take the arrays of a run from its frame."""
    frame = run.frame
    start_ns = frame["start_ns"].to_numpy(dtype=np.int64)
    origin = start_ns.min() if len(start_ns) else np.int64(0)
    end_ns = _integers(frame["end_ns"])
    ended = frame["end_ns"].notna().to_numpy() & (end_ns >= start_ns)
    start = elapsed_ns(start_ns, origin)
    # Durations are differences of integers: floats of absolute times would round them.
    service = np.where(ended, elapsed_ns(end_ns, start_ns), 0.0)
    intended_ns = _integers(frame["intended_ns"])
    timed = ended & frame["intended_ns"].notna().to_numpy() & (intended_ns <= end_ns)
    source, sources = _sources(frame)
    valued = frame["value"].notna().to_numpy()
    return Timeline(
        origin_ns=int(origin),
        start=start,
        end=start + service,
        ended=ended,
        response=np.where(timed, elapsed_ns(end_ns, intended_ns), 0.0),
        timed=timed,
        ok=run.mask(outcome=Outcome.OK),
        rejected=run.mask(outcome=Outcome.REJECTED),
        indeterminate=run.mask(outcome=Outcome.INDETERMINATE),
        decrement=run.mask(kind=Kind.DECREMENT),
        value=_integers(frame["value"]),
        valued=valued & ~run.mask(kind=Kind.READ),
        source=source,
        sources=sources,
    )


def _integers(column: "pd.Series[int]") -> Int64s:
    return np.asarray(column.to_numpy(dtype=np.int64, na_value=0), dtype=np.int64)


def _sources(frame: pd.DataFrame) -> tuple[Int64s, tuple[str, ...]]:
    """Number the sources by size, the biggest first; those beyond the cap share a number."""
    text = frame["source"].astype("category")
    codes = text.cat.codes.to_numpy().astype(np.int64)  # -1 where blank
    names = [UNNAMED, *(str(name) or UNNAMED for name in text.cat.categories)]
    counts = np.bincount(codes + 1, minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    used = order[counts[order] > 0]
    rank: Int64s = np.zeros(len(names), dtype=np.int64)
    rank[used] = np.arange(len(used))
    labels = [formats.plain(names[at], _LABEL_LIMIT) for at in used[:MAX_SOURCES].tolist()]
    if len(used) > MAX_SOURCES:
        np.minimum(rank, MAX_SOURCES, out=rank)
        labels.append(formats.counted(len(used) - MAX_SOURCES, "other"))
    numbers: Int64s = rank[codes + 1]
    return numbers, tuple(labels)
