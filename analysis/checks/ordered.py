"""Do the values follow real time?"""

from collections.abc import Sequence

from analysis.apart import find_apart
from analysis.evidence import Operation, Wanted, duration, find, pieces, plural, who
from analysis.order import Inversion, Inversions, find_inversions
from analysis.run import Run
from analysis.verdict import EVIDENCE_CAP, Finding, Verdict
from history.operation import INT64_MIN, Kind

NAME = "ordered"


def check(run: Run) -> Finding:
    """FAIL when A completed before B was sent and yet value(A) > value(B).

    Times compare exactly within one host's clock. Across hosts they compare as far as the
    bounds of their clocks allow; without bounds the verdict is INCONCLUSIVE at best.
    """
    found = run.scan
    compared = found.answers.count + len(found.answers.reads)
    if not compared:
        return _undecided(
            "No operation returned a value, so there is no order to check: a history with answered "
            "operations would decide it.",
            {},
        )
    if len(run.hosts) > 1:
        return _across_hosts(run, compared)
    inversions = find_inversions(found.answers, limit=EVIDENCE_CAP)
    counts: dict[str, int | float | None] = {
        "compared": compared,
        "inversions": inversions.count,
        "hosts": 1,
    }
    if inversions.count:
        return _failed(run, _pairs(run, inversions), inversions.count, counts)
    return Finding(
        check=NAME,
        verdict=Verdict.PASS,
        summary=f"{plural(compared, 'operation')}: none returned less than one completed before "
        "it was sent.",
        counts=counts,
    )


def _across_hosts(run: Run, compared: int) -> Finding:
    """Judge each host by its own clock, and all together as far as their clocks are known."""
    apart = find_apart(run, limit=EVIDENCE_CAP)
    counts: dict[str, int | float | None] = {
        "compared": compared,
        "inversions": apart.count,
        "hosts": len(run.hosts),
        "clock_error_ns": apart.error_ns,
        "clock_error_hiding_ns": apart.hiding_error_ns,
    }
    if apart.count:
        return _failed(run, apart.pairs, apart.count, counts)
    if apart.error_ns is None:
        named = ", ".join(name or "the one without a name" for name in apart.unknown[:3])
        return _undecided(
            f"In order on each of {len(run.hosts)} hosts, but nothing is known of how their clocks "
            f"({named}) compare: bounds would decide it (--clock-error-ms).",
            counts,
        )
    if apart.hiding_error_ns is not None:
        return _undecided(
            f"Within clock error: by clocks without error {plural(apart.possible, 'operation')} "
            f"would be out of order, by {duration(2 * apart.hiding_error_ns)} at most; an error of "
            f"{duration(apart.hiding_error_ns)} in each clock explains that, and "
            f"{duration(apart.error_ns)} is possible: clocks known better would decide it.",
            counts,
        )
    return Finding(
        check=NAME,
        verdict=Verdict.PASS,
        summary=f"{plural(compared, 'operation')} on {len(run.hosts)} hosts: none returned less "
        "than one completed before it was sent, as far as clocks known within "
        f"{duration(apart.error_ns)} can tell.",
        counts=counts,
    )


def _undecided(summary: str, counts: dict[str, int | float | None]) -> Finding:
    return Finding(check=NAME, verdict=Verdict.INCONCLUSIVE, summary=summary, counts=counts)


def _failed(
    run: Run,
    pairs: Sequence[tuple[int, int]],
    count: int,
    counts: dict[str, int | float | None],
) -> Finding:
    evidence = pieces(run, pairs, lambda _, shown: _told(*shown))
    return Finding(
        check=NAME,
        verdict=Verdict.FAIL,
        summary=f"{plural(count, 'operation')} out of real-time order: {evidence[0].summary}.",
        counts=counts,
        evidence=evidence,
        evidence_total=count,
    )


def _pairs(run: Run, inversions: Inversions) -> list[tuple[int, int]]:
    """Look up the operations of inversions: the rows of the early one and of the late one."""
    shown = list(inversions.lowest)
    if inversions.widest is not None and inversions.widest not in shown:
        shown = [inversions.widest, *shown][:EVIDENCE_CAP]
    found = find(run, [wanted for one in shown for wanted in _wanted(one)])
    pairs = []
    for n in range(len(shown)):
        early, *late = found[3 * n : 3 * n + 3]
        pairs.append((early[0], next(row for rows in late for row in rows)))
    return pairs


def _wanted(one: Inversion) -> tuple[Wanted, Wanted, Wanted]:
    """Give what finds the early operation, and the late one whichever kind it is."""
    kind = Kind.READ if one.is_read else Kind.INCREMENT
    below = one.value - 1
    return (
        Wanted(low=one.value, high=one.value, kinds=(kind,), end_ns=one.end_ns),
        Wanted(
            low=INT64_MIN,
            high=one.value if one.is_read else below,
            start_ns=one.late_start_ns,
        ),
        Wanted(low=INT64_MIN, high=below, kinds=(Kind.READ,), start_ns=one.late_start_ns),
    )


def _told(first: Operation, second: Operation) -> str:
    on_one_host = first["host"] == second["host"]
    before = f"{duration(second['start_ns'] - first['end_ns'])} " if on_one_host else ""
    return (
        f"{first['value']} was returned to {who(first)} {before}before {who(second)} sent "
        f"the request that returned {second['value']}"
    )
