"""Was every number handed out at most once?"""

from collections.abc import Sequence

import numpy as np

from analysis.evidence import Operation, Wanted, duration, find, moment, pieces, plural, who
from analysis.run import Run
from analysis.slots import Answers
from analysis.verdict import EVIDENCE_CAP, Finding, Verdict

NAME = "unique"
_SHOWN_PER_VALUE = 10


def check(run: Run) -> Finding:
    """FAIL when two increments returned the same value; INCONCLUSIVE when none returned."""
    answers = run.scan.answers
    if not answers.count:
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary="No increment returned a value, so nothing could be compared: a history with "
            "answered increments would decide it.",
            counts={"returned": 0},
        )
    distinct = answers.distinct
    shared, sharing, lowest = _shared(answers) if distinct < answers.count else (0, 0, [])
    counts = {
        "returned": answers.count,
        "distinct": distinct,
        "values_returned_twice_or_more": shared,
        "operations_sharing_a_value": sharing,
    }
    if not shared:
        return Finding(
            check=NAME,
            verdict=Verdict.PASS,
            summary=f"{plural(answers.count, 'value')} returned, all different.",
            counts=counts,
        )
    wanted = [Wanted(low=value, high=value, limit=_SHOWN_PER_VALUE) for value, _ in lowest]
    evidence = pieces(
        run, find(run, wanted), lambda number, shown: _told(run, shown, lowest[number][1])
    )
    return Finding(
        check=NAME,
        verdict=Verdict.FAIL,
        summary=(
            f"{plural(shared, 'value')} returned more than once, by "
            f"{plural(sharing, 'operation')}: {evidence[0].summary}."
        ),
        counts=counts,
        evidence=evidence,
        evidence_total=shared,
    )


def _shared(answers: Answers) -> tuple[int, int, list[tuple[int, int]]]:
    """Count values returned more than once and who shares them; list the lowest, and how often."""
    shared, sharing = 0, 0
    lowest: list[tuple[int, int]] = []
    for slots in answers.chunks():
        at = np.flatnonzero(slots.returned > 1)
        shared += len(at)
        sharing += int(slots.returned[at].sum())
        few = at[: EVIDENCE_CAP - len(lowest)]
        lowest += zip(slots.value[few].tolist(), slots.returned[few].tolist(), strict=True)
    return shared, sharing, lowest


def _told(run: Run, shown: Sequence[Operation], repeats: int) -> str:
    one, other, *_ = shown
    times = "twice" if repeats == 2 else f"{repeats:,} times"  # noqa: PLR2004
    if repeats > _SHOWN_PER_VALUE:
        times += f" (the first {_SHOWN_PER_VALUE} are shown)"
    apart_ns = other["start_ns"] - one["start_ns"]
    # A row that contradicts itself stands first, whatever its start.
    later = f"{duration(abs(apart_ns))} {'later' if apart_ns > 0 else 'earlier'}"
    return (
        f"{one['value']} was returned {times}: to {who(one)} at {moment(run, one['start_ns'])} "
        f"and to {who(other)} {later if apart_ns else 'at the same time'}"
    )
