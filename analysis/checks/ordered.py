"""Do the values follow real time?

CHECKERS A.2: for completed a, b with v_a < v_b, b must not have completed before a was sent.
With the operations sorted by value, let P be the running maximum of start over strictly
smaller values: there is a violation exactly where end < P. A read that returned v comes
after the increment that returned v; two reads of one value are not ordered.
"""

import numpy as np
import numpy.typing as npt

from analysis.evidence import about, duration, operations_of, plural, who
from analysis.run import Int64s, Intervals, Run
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict

NAME = "ordered"


def check(run: Run) -> Finding:
    """FAIL when A completed before B was sent and yet value(A) > value(B).

    Times compare only within one host's clock: with several hosts each is checked by itself
    and the verdict is INCONCLUSIVE at best. So it is with decrements, whose numbers come back.
    """
    if run.has_decrements:
        return _undecided("With decrements in the history values may come back: see balanced.")
    if not len(run.increments) + len(run.reads):
        return _undecided("No operation returned a value, so there is no order to check.")
    hosts = run.host_of_row if len(run.hosts) > 1 else None
    late, early, compared = _inversions(run, hosts)
    counts = {"compared": compared, "inversions": len(late), "hosts": max(1, len(run.hosts))}
    if len(late):
        evidence = tuple(
            _witness(run, int(a), int(b))
            for a, b in zip(late[:EVIDENCE_CAP], early[:EVIDENCE_CAP], strict=True)
        )
        return Finding(
            check=NAME,
            verdict=Verdict.FAIL,
            summary=(
                f"{plural(len(late), 'operation')} out of real-time order: {evidence[0].summary}."
            ),
            counts=counts,
            evidence=evidence,
            evidence_total=len(late),
        )
    if hosts is not None:
        return _undecided(
            f"In order on each of {len(run.hosts)} hosts, but their clocks are not comparable.",
            counts,
        )
    return Finding(
        check=NAME,
        verdict=Verdict.PASS,
        summary=f"{plural(compared, 'operation')}: none returned less than one completed before "
        "it was sent.",
        counts=counts,
    )


def _undecided(summary: str, counts: dict[str, int] | None = None) -> Finding:
    return Finding(check=NAME, verdict=Verdict.INCONCLUSIVE, summary=summary, counts=counts or {})


def _inversions(run: Run, hosts: npt.NDArray[np.object_] | None) -> tuple[Int64s, Int64s, int]:
    """Give the rows (sent late with a small value, completed early with a large one)."""
    joined, is_read = _join(run.increments, run.reads)
    order = np.lexsort((joined.start, is_read, joined.value))
    parts = [order]
    if hosts is not None:
        of = hosts[joined.row][order]
        parts = [order[of == host] for host in run.hosts]
    late, early = [], []
    for part in parts:
        a, b = inversions(joined.value[part], is_read[part], joined.start[part], joined.end[part])
        late.append(joined.row[part][a])
        early.append(joined.row[part][b])
    return np.concatenate(late), np.concatenate(early), len(order)


def inversions(
    value: Int64s, is_read: npt.NDArray[np.bool_], start: Int64s, end: Int64s
) -> tuple[Int64s, Int64s]:
    """Find each operation that completed before one of a smaller value was sent.

    All arrays have one element an operation and are sorted by (value, is_read). Gives two
    arrays of positions of equal length: the operation of the smaller value sent last, and
    the one of the larger value that had completed before.
    """
    if not len(value):
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty
    new_key = np.r_[True, (value[1:] != value[:-1]) | (is_read[1:] != is_read[:-1])]
    first_of_key = np.maximum.accumulate(np.where(new_key, np.arange(len(value)), 0))
    latest_start = np.maximum.accumulate(start)
    # Where the running maximum was last raised: the witness for every position after it.
    raised = np.r_[True, start[1:] > latest_start[:-1]]
    latest_at = np.maximum.accumulate(np.where(raised, np.arange(len(value)), 0))
    has_smaller = first_of_key > 0
    before = np.where(has_smaller, first_of_key - 1, 0)
    violating = np.flatnonzero(has_smaller & (end < latest_start[before]))
    return latest_at[before[violating]], violating


def _join(increments: Intervals, reads: Intervals) -> tuple[Intervals, npt.NDArray[np.bool_]]:
    joined = Intervals(
        *(
            np.concatenate([getattr(increments, name), getattr(reads, name)])
            for name in ("start", "end", "value", "row")
        )
    )
    return joined, np.arange(len(joined)) >= len(increments)


def _witness(run: Run, late: int, early: int) -> Evidence:
    first, second = operations_of(run, [early, late])
    gap = duration(second["start_ns"] - first["end_ns"])
    return about(
        run,
        f"{first['value']} was returned to {who(first)} {gap} before {who(second)} sent the "
        f"request that returned {second['value']}",
        [early, late],
    )
