"""With decrements: is every boundary between two numbers crossed as often as it must be?

CHECKERS B, condition N1. An increment that returned v crossed the boundary (v-1, v) upwards,
a decrement that returned v crossed (v, v+1) downwards. From initial to final, each boundary
between them is crossed once more in the direction of travel than back, every other one as
often up as down. What is missing must be covered by unanswered requests.

The condition is necessary, not sufficient: it can prove a FAIL, never a PASS.
"""

from collections.abc import Mapping

import numpy as np

from analysis.completeness import unless_missing
from analysis.evidence import pieces, plural
from analysis.run import Run
from analysis.stretch import Int64s
from analysis.verdict import EVIDENCE_CAP, Finding, Verdict

NAME = "balanced"


def check(run: Run) -> Finding:
    """FAIL when boundaries do not balance by more than the unanswered requests can cover."""
    if run.final is None:
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary="The final value is not known, so crossings cannot be balanced.",
        )
    boundary, surplus = crossings(
        run.increments.value,
        run.decrements.value,
        run.initial,
        run.final,
        limit=len(run.scan.unseen) + run.scan.unseen_decrements + 1,
    )
    # More ups than there should be need unanswered decrements to bring the counter back.
    needed_down = int(surplus[surplus > 0].sum())
    needed_up = int(-surplus[surplus < 0].sum())
    counts = {
        "boundaries": len(boundary),
        "unbalanced": int((surplus != 0).sum()),
        "decrements_needed": needed_down,
        "increments_needed": needed_up,
        "unanswered_decrements": run.scan.unseen_decrements,
        "unanswered_increments": len(run.scan.unseen),
    }
    if needed_down > run.scan.unseen_decrements or needed_up > len(run.scan.unseen):
        return unless_missing(run, _unbalanced(run, boundary, surplus, counts))
    return Finding(
        check=NAME,
        verdict=Verdict.INCONCLUSIVE,
        summary=(
            f"{plural(len(boundary), 'boundary', 'boundaries')} balance, which a correct counter "
            "must satisfy; whether some order of the mixed operations agrees with real time is "
            "not decided."
        ),
        counts=counts,
    )


def _unbalanced(run: Run, boundary: Int64s, surplus: Int64s, counts: Mapping[str, int]) -> Finding:
    at = np.flatnonzero(surplus)
    return Finding(
        check=NAME,
        verdict=Verdict.FAIL,
        summary=(
            f"{plural(len(at), 'boundary', 'boundaries')} crossed too often in one direction: "
            f"{counts['increments_needed']:,} increments and {counts['decrements_needed']:,} "
            "decrements would have to have happened unseen, but only "
            f"{counts['unanswered_increments']:,} and {counts['unanswered_decrements']:,} went "
            "unanswered."
        ),
        counts=counts,
        evidence=pieces(
            run,
            [_crossing(run, int(boundary[i])) for i in at[:EVIDENCE_CAP]],
            lambda n, _: _told(int(boundary[at[n]]), int(surplus[at[n]])),
        ),
        evidence_total=len(at),
    )


def crossings(
    up_to: Int64s, down_to: Int64s, initial: int, final: int, *, limit: int
) -> tuple[Int64s, Int64s]:
    """Count crossings of each boundary (x, x+1) that was or should have been crossed.

    `up_to` and `down_to` are the values after each increment and decrement. Gives the x of
    each boundary, and by how many the upward crossings exceed what they should be. Of the
    boundaries that nobody crossed at most `limit` are listed: an absurd final value must not
    fill memory.
    """
    low, high = min(initial, final), max(initial, final)
    crossed = np.unique(np.concatenate([up_to - 1, down_to]))
    travelled = np.arange(low, min(high, low + len(crossed) + limit))
    boundary = np.union1d(crossed, travelled)
    ups = _count(up_to - 1, boundary)
    downs = _count(down_to, boundary)
    direction = 1 if final > initial else -1
    due = np.where((boundary >= low) & (boundary < high), direction, 0)
    return boundary, ups - downs - due


def _count(values: Int64s, boundary: Int64s) -> Int64s:
    ordered = np.sort(values)
    return np.searchsorted(ordered, boundary, side="right") - np.searchsorted(
        ordered, boundary, side="left"
    )


def _crossing(run: Run, x: int) -> list[int]:
    rows = np.concatenate(
        [
            run.increments.row[run.increments.value == x + 1],
            run.decrements.row[run.decrements.value == x],
        ]
    )
    shown: list[int] = rows[:EVIDENCE_CAP].tolist()
    return shown


def _told(x: int, surplus: int) -> str:
    direction = "up" if surplus > 0 else "down"
    return (
        f"between {x} and {x + 1}: {abs(surplus)} more crossings {direction} than a counter can "
        "make"
    )
