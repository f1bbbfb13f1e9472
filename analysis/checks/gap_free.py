"""Is every number between the first and the last accounted for?"""

import numpy as np

from analysis.completeness import unless_missing
from analysis.evidence import about, duration, plural
from analysis.holes import Holes, deadlines, find_holes, first_unexplained
from analysis.run import NEVER_NS, Int64s, Run
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict

NAME = "gap-free"
_NAMED = 10


def check(run: Run) -> Finding:
    """FAIL when a missing value cannot be explained, by count or by real time.

    INCONCLUSIVE when more than `allow_unanswered` can be, each by an unanswered request, or
    when records are missing. With several hosts the times do not compare and only the count
    can speak.
    """
    last = _last(run)
    if last is None:
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary="No value is known beyond the initial one, so there is no range to check.",
        )
    starts = run.uncertain_starts
    holes = find_holes(run.increments.value, run.initial, last, limit=len(starts) + 1)
    due = _deadlines(run, holes)
    failing = first_unexplained(starts, due)
    counts = {
        "first": run.initial + 1,
        "last": last,
        "missing": holes.count,
        "unanswered": len(starts),
        "allowed": run.allow_unanswered,
        "unanswered_left_over": max(0, len(starts) - holes.count),
    }
    if failing is not None:
        return unless_missing(run, _failed(run, holes, due, failing, counts))
    if holes.count:
        return _explained(run, holes, counts)
    surplus = (
        f" {plural(len(starts), 'request')} got no answer, and none of them took a number that "
        "is missing."
        if len(starts)
        else ""
    )
    return Finding(
        check=NAME,
        verdict=Verdict.PASS if len(run.increments) else Verdict.INCONCLUSIVE,
        summary=(
            f"{plural(last - run.initial, 'value')}, none missing ({run.initial + 1:,} to "
            f"{last:,}).{surplus}"
            if len(run.increments)
            else "No increment returned a value."
        ),
        counts=counts,
    )


def _last(run: Run) -> int | None:
    """Give the largest value known to have been reached; a final read is the last word."""
    if run.final is not None:
        return run.final
    seen = [int(part.value[-1]) for part in (run.increments, run.reads) if len(part)]
    return max(seen, default=None)


def _deadlines(run: Run, holes: Holes) -> Int64s:
    if len(run.hosts) > 1:
        return np.full(len(holes.lowest), NEVER_NS)
    return deadlines(holes.lowest, run.increments, run.reads)


def _explained(run: Run, holes: Holes, counts: dict[str, int]) -> Finding:
    allowed = holes.count <= run.allow_unanswered
    requests = plural(counts["unanswered"], "unanswered request")
    return Finding(
        check=NAME,
        verdict=Verdict.PASS if allowed else Verdict.INCONCLUSIVE,
        summary=(
            f"{plural(holes.count, 'value')} of {counts['first']:,} to {counts['last']:,} missing, "
            f"each of which one of {requests} can have taken; {run.allow_unanswered:,} allowed "
            "(allow-unanswered)."
        ),
        counts=counts,
        evidence=tuple(
            about(
                run,
                f"{hole} was returned to nobody; this request got no answer and can have taken it",
                [run.uncertain_rows[position]],
            )
            for position, hole in enumerate(holes.lowest[:EVIDENCE_CAP].tolist())
        ),
        evidence_total=holes.count,
    )


def _failed(run: Run, holes: Holes, due: Int64s, failing: int, counts: dict[str, int]) -> Finding:
    hole, deadline = int(holes.lowest[failing]), int(due[failing])
    in_time = int(np.searchsorted(run.uncertain_starts, deadline, side="right"))
    if in_time:
        why = (
            f"only {plural(in_time, 'unanswered request')} can have taken any of the "
            f"{plural(failing + 1, 'value')} missing up to {hole:,}"
        )
    elif counts["unanswered"]:
        why = (
            f"{hole:,} had been passed before any of "
            f"{plural(counts['unanswered'], 'unanswered request')} was sent"
        )
    else:
        why = "and no request went unanswered"
    return Finding(
        check=NAME,
        verdict=Verdict.FAIL,
        summary=(
            f"{plural(holes.count, 'value')} of {counts['first']:,} to {counts['last']:,} missing, "
            f"{why}."
        ),
        counts=counts | {"first_unexplained": hole},
        evidence=(
            _hall_set(run, holes, failing, deadline, in_time),
            *(
                _missing_run(run, int(first), int(length))
                for first, length in zip(
                    holes.run_first[: EVIDENCE_CAP - 1],
                    holes.run_length[: EVIDENCE_CAP - 1],
                    strict=True,
                )
            ),
        ),
        evidence_total=len(holes.run_first) + 1,
    )


def _hall_set(run: Run, holes: Holes, failing: int, deadline: int, in_time: int) -> Evidence:
    """Show the values that compete for too few requests, and those requests: the proof."""
    competing = holes.lowest[: failing + 1].tolist()
    named = ", ".join(f"{hole:,}" for hole in competing[:_NAMED])
    if len(competing) > _NAMED:
        named += f" and {len(competing) - _NAMED:,} more"
    witness, until = _witness(run, competing[-1], deadline)
    return about(
        run,
        f"{named}: {plural(len(competing), 'value')} returned to nobody, and "
        f"{plural(in_time, 'unanswered request')} sent {until}",
        [*witness, *run.uncertain_rows[: min(in_time, EVIDENCE_CAP)]],
    )


def _witness(run: Run, hole: int, deadline: int) -> tuple[Int64s, str]:
    """Give the row of the operation that set the deadline, and how to say it."""
    increments, reads = run.increments, run.reads
    saw_more = increments.row[(increments.value > hole) & (increments.end == deadline)]
    saw_it = reads.row[(reads.value >= hole) & (reads.end == deadline)]
    if deadline == NEVER_NS or not len(saw_more) + len(saw_it):
        return saw_more[:0], "in all"
    if len(saw_more):
        return saw_more[:1], "before the first operation below, which saw more, had completed"
    return saw_it[:1], "before the first operation below, a read of what followed, had completed"


def _missing_run(run: Run, first: int, length: int) -> Evidence:
    """Show a run of missing values between the operations on either side of it."""
    values, rows = run.increments.value, run.increments.row
    above = int(np.searchsorted(values, first, side="left"))
    span = f"{first:,}" if length == 1 else f"{first:,} to {first + length - 1:,}"
    passed = ""
    if above < len(values) and len(run.hosts) <= 1:
        since_start_ns = int(run.increments.end[above]) - int(run.frame["start_ns"].min())
        passed = f"; a larger one was, {duration(since_start_ns)} after the start"
    return about(
        run,
        f"{span} ({plural(length, 'value')}) returned to nobody{passed}",
        [*rows[max(0, above - 1) : above], *rows[above : above + 1]],
    )
