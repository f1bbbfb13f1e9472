"""Was every number handed out at most once?"""

import numpy as np

from analysis.evidence import about, duration, operations_of, plural, who
from analysis.run import Run
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict

NAME = "unique"
_SHOWN_PER_VALUE = 10


def check(run: Run) -> Finding:
    """FAIL when two increments returned the same value; INCONCLUSIVE when none returned."""
    values = run.increments.value
    if not len(values):
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary="No increment returned a value, so nothing could be compared.",
            counts={"returned": 0},
        )
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    repeats = np.diff(np.r_[starts, len(values)])
    shared = np.flatnonzero(repeats > 1)
    counts = {
        "returned": len(values),
        "distinct": len(starts),
        "values_returned_twice_or_more": len(shared),
        "operations_sharing_a_value": int(repeats[shared].sum()),
    }
    if not len(shared):
        return Finding(
            check=NAME,
            verdict=Verdict.PASS,
            summary=f"{plural(len(values), 'value')} returned, all different.",
            counts=counts,
        )
    evidence = tuple(
        _witness(run, int(starts[group]), int(repeats[group])) for group in shared[:EVIDENCE_CAP]
    )
    return Finding(
        check=NAME,
        verdict=Verdict.FAIL,
        summary=(
            f"{plural(len(shared), 'value')} returned more than once, by "
            f"{plural(counts['operations_sharing_a_value'], 'operation')}: {evidence[0].summary}."
        ),
        counts=counts,
        evidence=evidence,
        evidence_total=len(shared),
    )


def _witness(run: Run, first: int, repeats: int) -> Evidence:
    rows = run.increments.row[first : first + min(repeats, _SHOWN_PER_VALUE)]
    one, other, *_ = operations_of(run, rows)
    times = "twice" if repeats == 2 else f"{repeats:,} times"  # noqa: PLR2004
    if repeats > _SHOWN_PER_VALUE:
        times += f" (the first {_SHOWN_PER_VALUE} are shown)"
    later = duration(other["start_ns"] - one["start_ns"])
    return about(
        run,
        f"{one['value']} was returned {times}: to {who(one)}, and to {who(other)} sent {later} "
        "later",
        rows,
    )
