"""With decrements: is every boundary between two numbers crossed as often as it must be?

CHECKERS B, condition N1. An increment that returned v crossed the boundary (v-1, v) upwards,
a decrement that returned v crossed (v, v+1) downwards. From initial to final, each boundary
between them is crossed once more in the direction of travel than back, every other one as
often up as down. What is missing must be covered by unanswered requests, each of which can
have crossed one boundary, in its own direction.

A PASS says that the numbers add up; whether their order does too is what `ordered` decides.
"""

import dataclasses

import numpy as np

from analysis.completeness import unless_missing
from analysis.evidence import about, plural
from analysis.mixed.crossings import Balance, balance, crossed
from analysis.mixed.from_run import moves_of
from analysis.mixed.history import Moves
from analysis.run import Run
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict

NAME = "balanced"


def check(run: Run) -> Finding:
    """FAIL when boundaries do not balance by more than the unanswered requests can cover.

    INCONCLUSIVE when they would have to cover more than `allow_unanswered`.
    """
    moves = moves_of(run)
    if not moves.is_unit:
        undecided = _undecided(
            "Some operations changed the counter by more than 1 or did not tell its value, so "
            "counting crossings does not apply; the search for an order decides."
        )
        return dataclasses.replace(undecided, decides=False)
    if run.final is None:
        return _undecided("The final value is not known, so crossings cannot be balanced.")
    spare = {step: int((~moves.must & (moves.delta == step)).sum()) for step in (1, -1)}
    found = balance(moves, run.final, limit=sum(spare.values()) + 1)
    # More ups than there should be need unanswered decrements to bring the counter back.
    needed = {step: found.needed(step) for step in (1, -1)}
    counts = {
        "boundaries": len(found.x) + found.uncrossed,
        "unbalanced": int((found.surplus != 0).sum()) + found.uncrossed,
        "decrements_needed": needed[-1],
        "increments_needed": needed[1],
        "unanswered_decrements": spare[-1],
        "unanswered_increments": spare[1],
    }
    if any(needed[step] > spare[step] for step in (1, -1)):
        return unless_missing(run, _unbalanced(run, moves, found, counts))
    return _balanced(run, counts)


def _undecided(summary: str, counts: dict[str, int] | None = None) -> Finding:
    return Finding(check=NAME, verdict=Verdict.INCONCLUSIVE, summary=summary, counts=counts or {})


def _balanced(run: Run, counts: dict[str, int]) -> Finding:
    boundaries = plural(counts["boundaries"], "boundary", "boundaries")
    needed = counts["increments_needed"] + counts["decrements_needed"]
    if not counts["boundaries"]:
        return _undecided("No operation moved the counter, so nothing could be balanced.", counts)
    if not needed:
        summary = f"{boundaries} between two numbers, each crossed as often as it must be."
        return Finding(check=NAME, verdict=Verdict.PASS, summary=summary, counts=counts)
    summary = (
        f"{counts['unbalanced']:,} of {boundaries} "
        f"{'balances' if counts['unbalanced'] == 1 else 'balance'} only if requests without an "
        f"answer happened: {counts['increments_needed']:,} of "
        f"{plural(counts['unanswered_increments'], 'increment')} and "
        f"{counts['decrements_needed']:,} of "
        f"{plural(counts['unanswered_decrements'], 'decrement')}; {run.allow_unanswered:,} "
        "allowed (allow-unanswered)."
    )
    verdict = Verdict.PASS if needed <= run.allow_unanswered else Verdict.INCONCLUSIVE
    return Finding(check=NAME, verdict=verdict, summary=summary, counts=counts)


def _unbalanced(run: Run, moves: Moves, found: Balance, counts: dict[str, int]) -> Finding:
    at = np.flatnonzero(found.surplus)
    shown = [(int(found.x[i]), int(found.surplus[i])) for i in at[:EVIDENCE_CAP]]
    return Finding(
        check=NAME,
        verdict=Verdict.FAIL,
        summary=(
            f"{plural(counts['unbalanced'], 'boundary', 'boundaries')} crossed too often in one "
            "direction: "
            f"{plural(counts['increments_needed'], 'increment')} and "
            f"{plural(counts['decrements_needed'], 'decrement')} "
            "would have to have happened unseen, but only "
            f"{counts['unanswered_increments']:,} and {counts['unanswered_decrements']:,} went "
            "unanswered."
        ),
        counts=counts,
        evidence=tuple(_witness(run, moves, x, surplus) for x, surplus in shown),
        evidence_total=counts["unbalanced"],
    )


def _witness(run: Run, moves: Moves, x: int, surplus: int) -> Evidence:
    at, boundary = crossed(moves)
    here = at[boundary == x]
    ups = int((moves.delta[here] > 0).sum())
    assert run.final is not None  # noqa: S101 -- without it nothing was balanced
    due = "as often down as up"
    if min(run.initial, run.final) <= x < max(run.initial, run.final):
        due = f"once more {'up' if run.final > run.initial else 'down'} than back"
    return about(
        run,
        f"between {x} and {x + 1} the counter went up {plural(ups, 'time')} and down "
        f"{plural(len(here) - ups, 'time')}; from {run.initial} to {run.final} it must cross here "
        f"{due}, so {plural(abs(surplus), 'crossing')} {'down' if surplus > 0 else 'up'} "
        f"{'is' if abs(surplus) == 1 else 'are'} missing",
        moves.row[here[:EVIDENCE_CAP]].tolist(),
    )
