"""With decrements: is there an order of the operations that agrees with every answer and time?

Exact: a PASS is an order that was found, and verified independently of how; a FAIL is a proof
that none exists. What takes too long to decide is INCONCLUSIVE. CHECKERS B.
"""

import numpy as np

from analysis.completeness import unless_missing
from analysis.evidence import about, operations_of, plural, who
from analysis.mixed.alternation import Stuck, stuck_boundaries
from analysis.mixed.crossings import crossed
from analysis.mixed.from_run import moves_of
from analysis.mixed.history import Moves
from analysis.mixed.narrow import Contradiction
from analysis.mixed.order import verify_order
from analysis.mixed.search import Deepest, Found, GaveUp, Impossible, search
from analysis.run import Run
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict

NAME = "ordered"


def check(run: Run) -> Finding:
    """FAIL when no order of the operations, within their intervals, gives these values.

    With several hosts the clocks are not comparable: INCONCLUSIVE.
    """
    moves = moves_of(run)
    counts = {
        "compared": int(moves.must.sum()),
        "unanswered": int((~moves.must).sum()),
        "hosts": max(1, len(run.hosts)),
    }
    if not counts["compared"]:
        return _finding(
            Verdict.INCONCLUSIVE,
            "No operation was answered, so there is no order to check.",
            counts,
        )
    if len(run.hosts) > 1:
        return _finding(
            Verdict.INCONCLUSIVE,
            f"The operations were timed on {len(run.hosts)} hosts, whose clocks are not "
            "comparable.",
            counts,
        )
    stuck = stuck_boundaries(moves, EVIDENCE_CAP) if moves.is_unit else []
    if stuck:
        return unless_missing(run, _no_alternation(run, moves, stuck, counts))
    return unless_missing(run, _searched(run, moves, counts))


def _finding(
    verdict: Verdict, summary: str, counts: dict[str, int], evidence: tuple[Evidence, ...] = ()
) -> Finding:
    return Finding(
        check=NAME,
        verdict=verdict,
        summary=summary,
        counts=counts,
        evidence=evidence,
        evidence_total=len(evidence),
    )


def _searched(run: Run, moves: Moves, counts: dict[str, int]) -> Finding:
    # Without a clock of the caller's, steps bound the search: far more than any needed so far.
    result = search(moves, run.give_up)
    if isinstance(result, Impossible):
        return _impossible(run, moves, result, counts)
    if isinstance(result, GaveUp):
        return _gave_up(result, moves, counts)
    return _found(run, moves, result, counts)


def _found(run: Run, moves: Moves, found: Found, counts: dict[str, int]) -> Finding:
    wrong = verify_order(moves, found.order)
    if wrong:
        # Never seen, and never a PASS: then the search itself is broken.
        summary = f"The search gave an order that is none: {wrong}. Please report it."
        return _finding(Verdict.INCONCLUSIVE, summary, counts)
    used = len(found.order) - counts["compared"]
    if used > run.allow_unanswered:
        return _finding(
            Verdict.INCONCLUSIVE,
            f"{plural(counts['compared'], 'operation')} can have happened one after the other with "
            f"these answers if {plural(used, 'unanswered one')} did too; {run.allow_unanswered:,} "
            "allowed (allow-unanswered). A history in which every request is answered would decide "
            "it.",
            counts | {"unanswered_used": used},
        )
    with_unanswered = f", and {plural(used, 'unanswered one')} among them," if used else ""
    return _finding(
        Verdict.PASS,
        f"{plural(counts['compared'], 'operation')}{with_unanswered} can have happened one after "
        "the other, each while it was under way, with exactly these answers: one such order was "
        "found, and verified.",
        counts | {"unanswered_used": used},
    )


def _gave_up(result: GaveUp, moves: Moves, counts: dict[str, int]) -> Finding:
    why = "the memory for it was full" if result.out_of_memory else "its time was up"
    holds = (
        "No boundary between two numbers contradicts real time, but no" if moves.is_unit else "No"
    )
    return _finding(
        Verdict.INCONCLUSIVE,
        f"{holds} order of the {plural(counts['compared'], 'operation')} was found before {why}: "
        f"the search got as far as {result.deepest.taken:,} of them, in {result.states:,} steps. "
        "A larger --search-budget-s, fewer requests in flight, or an audit trail of the writes "
        "would decide it.",
        counts | {"reached": result.deepest.taken, "steps": result.states},
    )


def _impossible(run: Run, moves: Moves, result: Impossible, counts: dict[str, int]) -> Finding:
    if result.contradiction:
        evidence = _contradiction(run, moves, result.contradiction)
    elif result.deepest:
        evidence = _deepest(run, moves, result.deepest)
    else:
        evidence = Evidence(
            summary=f"the answered operations lead from {run.initial} to "
            f"{run.initial + sum(moves.delta[moves.must].tolist())}, not to {run.final}"
        )
    return _finding(
        Verdict.FAIL,
        f"No order of the {plural(counts['compared'], 'operation')} agrees with their answers "
        f"and times: {evidence.summary}.",
        counts,
        (evidence,),
    )


def _deepest(run: Run, moves: Moves, deepest: Deepest) -> Evidence:
    rows = moves.row[[*deepest.last, *deepest.waiting]].tolist()
    first = moves.row[list(deepest.waiting[:1])].tolist()
    waiting = ""
    if first:
        (operation,) = operations_of(run, first)
        waiting = (
            f", where the {operation['kind']} of {who(operation)} was next to end, and no step "
            "from there leaves all others in time"
        )
    return about(
        run,
        f"every one was tried, and none gets further than {plural(deepest.taken, 'operation')}, "
        f"with the counter at {deepest.counter}{waiting}",
        rows,
    )


def _contradiction(run: Run, moves: Moves, found: Contradiction) -> Evidence:
    at, boundary = crossed(moves)
    if found.position is None:
        here = at[boundary == found.x]
        return about(
            run,
            f"the counter cannot have crossed between {found.x} and {(found.x or 0) + 1} up and "
            f"down in turn, as often as the {plural(len(here), 'answer')} there say",
            moves.row[here[:EVIDENCE_CAP]].tolist(),
        )
    move = found.position
    # Who can have brought the counter there, or away: crossings next to it at that time.
    value = int(moves.value[move])
    near = at[np.abs(boundary - value) <= 1]
    near = near[(moves.start[near] <= moves.end[move]) & (moves.end[near] >= moves.start[move])]
    near = near[near != move][: EVIDENCE_CAP - 1]
    (operation,) = operations_of(run, [int(moves.row[move])])
    return about(
        run,
        f"at no instant while the {operation['kind']} of {who(operation)} was under way can the "
        f"counter have been where its answer {operation['value']} needs it",
        moves.row[[move, *near]].tolist(),
    )


def _no_alternation(run: Run, moves: Moves, stuck: list[Stuck], counts: dict[str, int]) -> Finding:
    evidence = tuple(_stuck(run, moves, at) for at in stuck)
    return _finding(
        Verdict.FAIL,
        f"No order of the {plural(counts['compared'], 'operation')} agrees with their answers "
        f"and times: {evidence[0].summary}.",
        counts | {"boundaries": len(stuck)},
        evidence,
    )


def _stuck(run: Run, moves: Moves, stuck: Stuck) -> Evidence:
    (waiting,) = operations_of(run, [int(moves.row[stuck.waiting])])
    wanted = "up" if stuck.up else "down"
    why = "nobody went that way any more"
    if stuck.too_late:
        (late,) = operations_of(run, [int(moves.row[stuck.too_late[0]])])
        why = f"the next that did, {who(late)}'s {late['kind']}, was sent after that was answered"
    return about(
        run,
        f"between {stuck.x} and {stuck.x + 1} the counter must go {wanted} before or with the "
        f"{waiting['kind']} of {who(waiting)} that returned {waiting['value']}, but {why}",
        moves.row[list(stuck.positions)].tolist(),
    )
