"""A run cut by value into windows, each a history of its own: what a shorter run would have found.

A window holds the requests that a run would have seen that began when the counter held `low` and
ended when it reached `high`: those that were answered with a number in (low, high], as long as they
were sent before anyone had been answered with more than `high`; and the unanswered ones that can
have taken such a number, which are those sent by then. Of a correct counter the first condition
says it all: whoever was sent after more than `high` had been answered got more than that.

So windows of a correct counter never fail. A number in (low, high] that nobody was answered with
was taken by a request without an answer; that one was sent before more had been answered, and is
in the window. Everything else that the judge looks at is a part of what it sees of the whole.

Pure.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.completeness import missing_records
from analysis.effects import Completed
from analysis.record import TableRecord, whole
from analysis.run import Run
from analysis.stretch import NEVER_NS, Int64s
from history.operation import Kind

_LADDER = (1, 2.5, 5)
LEAST = 250
"""Numbers in the shortest window: some times more than are in flight at once, so that little of
what belongs together is cut apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuttable:
    """A run ready to be cut: its answered increments by value, and its unanswered ones.

    `passed` says for each position in `done`, and for the end, when the first answer with that
    value or a larger one had come.
    """

    run: Run
    table: pa.Table
    final: int
    done: Completed
    passed: Int64s
    unseen_row: Int64s
    unseen_start: Int64s

    @property
    def numbers(self) -> int:
        """How many numbers the run handed out, if all is well."""
        return self.final - self.run.initial


def why_whole(run: Run) -> str:
    """Say why a run cannot be cut by value; empty if it can."""
    reasons = {
        "numbers come back in it": run.is_mixed,
        "its final value is not known": run.final is None or run.final <= run.initial,
        "records of it are missing": bool(missing_records(run)),
        "records of it contradict themselves": bool(run.scan.inconsistent.count),
        "requests were sent again": bool(run.scan.resends),
        "times of several hosts do not compare": len(run.hosts) > 1,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def cuttable(run: Run) -> Cuttable:
    """Prepare a run that nothing keeps whole (`why_whole`)."""
    done, unseen = run.increments, run.unseen(Kind.INCREMENT)
    reversed_ends = np.concatenate([done.end, [NEVER_NS]])[::-1]
    assert run.final is not None  # noqa: S101 -- why_whole says so
    return Cuttable(
        run=run,
        table=whole(run.record),
        final=run.final,
        done=done,
        passed=np.minimum.accumulate(reversed_ends)[::-1],
        unseen_row=unseen.row,
        unseen_start=unseen.start,
    )


def window(cut: Cuttable, low: int, high: int) -> Run:
    """Give the history of the numbers in (low, high], as the counter holds them."""
    first, end = np.searchsorted(cut.done.value, [low, high], side="right")
    passed = cut.passed[end]
    inside = slice(int(first), int(end))
    answered = cut.done.row[inside][cut.done.start[inside] <= passed]
    unanswered = cut.unseen_row[cut.unseen_start <= passed]
    rows = np.concatenate([answered, unanswered])
    return dataclasses.replace(
        cut.run,
        run_id=f"{cut.run.run_id} ({low}, {high}]",
        record=TableRecord(cut.table.take(pa.array(rows))),
        initial=low,
        final=high,
        manifest=None,
        health=(),
    )


def windows(cut: Cuttable, size: int) -> Iterator[Run]:
    """Cut a run into windows of so many numbers; the last one may hold fewer."""
    for low in range(cut.run.initial, cut.final, size):
        yield window(cut, low, min(low + size, cut.final))


def sizes(numbers: int, *, least: int = LEAST) -> tuple[int, ...]:
    """Give the sizes of windows to try in a run of so many numbers: 250, 500, 1,000, 2,500 ..."""
    powers = (10**power for power in range(len(str(numbers)) + 1))
    ladder = (round(step * power) for power in powers for step in _LADDER)
    return tuple(size for size in ladder if least <= size < numbers)
