"""Is every number between the first and the last accounted for?"""

import numpy as np

from analysis.completeness import unless_missing
from analysis.evidence import Operation, Wanted, duration, find, pieces, plural
from analysis.fills import Fills, fillable
from analysis.holes import Holes, find_holes, latest_fill
from analysis.matching import HallSet, match
from analysis.run import Run
from analysis.stretch import NEVER_NS, Int64s
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict
from history.operation import INT64_MAX, Kind

NAME = "gap-free"
_NAMED = 10


def check(run: Run) -> Finding:
    """FAIL when a missing value cannot be explained, by count or by real time.

    INCONCLUSIVE when more than `allow_unanswered` can be, each by an unanswered request, or
    when records are missing. Across hosts times compare as far as their clocks are known.
    """
    found = run.scan
    last = _last(run)
    if last is None:
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary="No value is known beyond the initial one, so there is no range to check: a "
            "final value or an answered increment would give one.",
        )
    unseen = found.unseen
    holes = find_holes(found.answers, run.initial, last, limit=len(unseen) + 1, runs=EVIDENCE_CAP)
    counts = {
        "first": run.initial + 1,
        "last": last,
        "missing": holes.count,
        "unanswered": len(unseen),
        "allowed": run.allow_unanswered,
        "unanswered_left_over": max(0, len(unseen) - holes.count),
    }
    if not holes.count:
        return _none_missing(run, last, counts)
    fills = fillable(run, holes.lowest)
    matching = match(fills.first, fills.last, len(holes.lowest))
    if matching.lacking is not None:
        return unless_missing(run, _failed(run, holes, matching.lacking, fills, counts))
    return _explained(run, holes, matching.taker, counts)


def _last(run: Run) -> int | None:
    """Give the largest value known to have been reached; a final read is the last word."""
    if run.final is not None:
        return run.final
    highest = [run.scan.extents[kind].high for kind in (Kind.INCREMENT, Kind.READ)]
    return max((value for value in highest if value is not None), default=None)


def _none_missing(run: Run, last: int, counts: dict[str, int]) -> Finding:
    unanswered = counts["unanswered"]
    none = "it" if unanswered == 1 else "none of them"
    took = "did not take" if unanswered == 1 else "took"
    surplus = (
        f" There {'was' if unanswered == 1 else 'were'} {_requests(run, unanswered)}, and {none} "
        f"{took} a number that is missing."
        if unanswered
        else ""
    )
    returned = run.scan.answers.count
    if returned and last <= run.initial:
        return Finding(
            check=NAME,
            verdict=Verdict.PASS,
            summary=f"The counter is not known to have grown beyond {run.initial:,}, so no value "
            f"can be missing.{surplus}",
            counts=counts,
        )
    return Finding(
        check=NAME,
        verdict=Verdict.PASS if returned else Verdict.INCONCLUSIVE,
        summary=(
            f"{plural(last - run.initial, 'value')}, none missing ({run.initial + 1:,} to "
            f"{last:,}).{surplus}"
            if returned
            else "No increment returned a value: a history with answered increments would decide "
            "it."
        ),
        counts=counts,
    )


def _requests(run: Run, count: int) -> str:
    """Say how many requests perhaps happened; each re-send is one of them."""
    if run.scan.resends:
        return plural(count, "unanswered request or re-send", "unanswered requests or re-sends")
    return plural(count, "unanswered request")


def _explained(run: Run, holes: Holes, taker: Int64s, counts: dict[str, int]) -> Finding:
    allowed = holes.count <= run.allow_unanswered
    requests = _requests(run, counts["unanswered"])
    requests = (
        f"which {requests}" if counts["unanswered"] == 1 else f"each of which one of {requests}"
    )
    advice = (
        ""
        if allowed
        else (
            "; a run in which every request is answered would decide it, or the database's own "
            "log of its writes"
        )
    )
    rows = run.scan.unseen.row
    return Finding(
        check=NAME,
        verdict=Verdict.PASS if allowed else Verdict.INCONCLUSIVE,
        summary=(
            f"{plural(holes.count, 'value')} of {counts['first']:,} to {counts['last']:,} missing, "
            f"{requests} can have taken; {run.allow_unanswered:,} allowed "
            f"(allow-unanswered){advice}."
        ),
        counts=counts,
        evidence=pieces(
            run,
            [[row] for row in rows[taker[:EVIDENCE_CAP]].tolist()],
            lambda number, shown: (
                f"{holes.lowest[number]:,} was returned to nobody; this request "
                f"{_how_unanswered(shown[0])} and can have taken it"
            ),
        ),
        evidence_total=holes.count,
    )


def _how_unanswered(operation: Operation) -> str:
    times = operation["attempts"]
    return f"was sent {times:,} times" if times > 1 else "got no answer"


def _failed(
    run: Run, holes: Holes, lacking: HallSet, fills: Fills, counts: dict[str, int]
) -> Finding:
    hole = int(holes.lowest[lacking.holes[-1]])
    return Finding(
        check=NAME,
        verdict=Verdict.FAIL,
        summary=(
            f"{plural(holes.count, 'value')} of {counts['first']:,} to {counts['last']:,} missing, "
            f"{_why(run, lacking, hole, counts['unanswered'])}{_assumed(run, holes, fills)}."
        ),
        counts=counts | {"first_unexplained": hole},
        evidence=(_hall_set(run, holes, lacking), *_missing_runs(run, holes)),
        evidence_total=holes.runs + 1,
    )


def _why(run: Run, lacking: HallSet, hole: int, unanswered: int) -> str:
    if not unanswered:
        return "and no request went unanswered"
    if len(lacking.effects):
        return (
            f"only {_requests(run, len(lacking.effects))} can have taken any of the "
            f"{plural(len(lacking.holes), 'value')} missing up to {hole:,}"
        )
    requests = _requests(run, unanswered)
    if run.window_ns is None:
        any_of = "the" if unanswered == 1 else "any of"
        return f"{hole:,} had been passed before {any_of} {requests} was sent"
    if unanswered == 1:
        return f"the {requests} cannot have taken {hole:,} in time"
    return f"none of {requests} can have taken {hole:,} in time"


def _assumed(run: Run, holes: Holes, fills: Fills) -> str:
    """Say what the verdict rests on, where it rests on how late a request can act."""
    if run.window_ns is None:
        return ""
    for_ever = np.full(len(fills.first), len(holes.lowest) - 1, dtype=np.int64)
    if match(fills.first, for_ever, len(holes.lowest)).lacking is not None:
        return ""
    return (
        f", as long as no request acts later than {duration(run.window_ns)} after it was sent "
        f"({run.window_of or 'effect-window-ms'})"
    )


def _hall_set(run: Run, holes: Holes, lacking: HallSet) -> Evidence:
    """Show the values that compete for too few requests, and those requests: the proof."""
    competing = holes.lowest[lacking.holes].tolist()
    named = ", ".join(f"{hole:,}" for hole in competing[:_NAMED])
    if len(competing) > _NAMED:
        named += f" and {len(competing) - _NAMED:,} more"
    witness, sent = _witness(run, competing[-1])
    effects = lacking.effects[np.argsort(run.scan.unseen.start[lacking.effects], kind="stable")]
    told = (
        f"{named}: {plural(len(competing), 'value')} returned to nobody, and "
        f"{_requests(run, len(effects)) if len(effects) else 'no unanswered request'}"
        f" can have taken {'it' if len(competing) == 1 else 'any of them'}{sent}"
    )
    rows = [*witness, *run.scan.unseen.row[effects[:EVIDENCE_CAP]].tolist()]
    return pieces(run, [rows], lambda *_: told)[0]


def _witness(run: Run, hole: int) -> tuple[list[int], str]:
    """Give the row of the operation that saw more first, and how to say it."""
    deadline = int(latest_fill(run.scan.answers, np.array([hole]))[0])
    if deadline == NEVER_NS or len(run.hosts) > 1:
        return [], ""
    increment, read = find(
        run,
        [
            Wanted(low=hole, high=INT64_MAX, kinds=(kind,), end_ns=deadline)
            for kind in (Kind.INCREMENT, Kind.READ)
        ],
    )
    if increment:
        return increment, ": whatever did was sent before the operation below saw more"
    return read, ": whatever did was sent before the read below saw more"


def _missing_runs(run: Run, holes: Holes) -> tuple[Evidence, ...]:
    """Show runs of missing values, each between the operations on either side of it."""
    shown = range(min(EVIDENCE_CAP - 1, len(holes.run_first)))
    first, length = holes.run_first.tolist(), holes.run_length.tolist()
    neighbours = find(
        run,
        [
            Wanted(low=value, high=value)
            for n in shown
            for value in (first[n] - 1, min(INT64_MAX, first[n] + length[n]))
        ],
    )
    return pieces(
        run,
        [[*neighbours[2 * n], *neighbours[2 * n + 1]] for n in shown],
        lambda n, _: (
            f"{first[n]:,}"
            + (f" to {first[n] + length[n] - 1:,}" if length[n] > 1 else "")
            + f" ({plural(length[n], 'value')}) returned to nobody"
        ),
    )
