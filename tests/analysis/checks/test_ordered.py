"""Findings of `ordered` on literal rows."""

from typing import Any

import pytest

from analysis.checks import ordered
from analysis.judging import judge_run
from analysis.verdict import Verdict
from history.manifest import ClockBound
from tests.analysis.checks.finding import assert_finding
from tests.runs import ok, read, run_of

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
CLOCKS = {
    host: ClockBound(host=host, offset_ns=offset, error_ns=1)
    for host, offset in (("a", 0), ("b", -10))
}


@pytest.mark.parametrize(
    ("rows", "fields", "verdict", "summary"),
    [
        pytest.param(
            [ok(0, 1_500_000, 2, worker="a"), ok(4_500_000, 5_000_000, 1, worker="b")],
            {},
            FAIL,
            "1 operation out of real-time order: 2 was returned to a 3 ms before b sent the "
            "request that returned 1.",
            id="inversion",
        ),
        pytest.param(
            [ok(0, 1, 3), ok(0, 5, 1), ok(2, 3, 2)],
            {},
            FAIL,
            "1 operation out of real-time order: 3 was returned to row 1 1 ns before row 3 sent "
            "the request that returned 2.",
            id="of the smaller ones, the one that was sent too late",
        ),
        pytest.param(
            [
                ok(10, 11, 1, host="a"),
                ok(3, 11, 2, host="a"),
                ok(5, 11, 3, host="a"),
                ok(6, 7, 4, host="a"),
                ok(0, 20, 5, host="b"),
            ],
            {},
            FAIL,
            "1 operation out of real-time order: 4 was returned to row 4 3 ns before row 1 sent "
            "the request that returned 1.",
            id="two hosts, not the next smaller value",
        ),
        pytest.param(
            [read(0, 1, 1) | {"host": "a"}, ok(2, 3, 1, host="a"), ok(0, 9, 2, host="b")],
            {},
            FAIL,
            "1 operation out of real-time order: 1 was returned to row 1 1 ns before row 2 sent "
            "the request that returned 1.",
            id="two hosts, read before the increment it saw",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), ok(14, 15, 1, host="b")],
            {"clocks": CLOCKS},
            FAIL,
            "1 operation out of real-time order: 2 was returned to row 1 before row 2 sent the "
            "request that returned 1.",
            id="two hosts, beyond the errors of their clocks",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), ok(13, 15, 1, host="b")],
            {"clocks": CLOCKS},
            INCONCLUSIVE,
            "Within clock error: by clocks without error 1 operation would be out of order, by "
            "2 ns at most; an error of 1 ns in each clock explains that, and 1 ns is possible: "
            "clocks known better would decide it.",
            id="two hosts, within the errors of their clocks",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), ok(11, 15, 1, host="b")],
            {"clocks": CLOCKS},
            PASS,
            "2 operations on 2 hosts: none returned less than one completed before it was sent, "
            "as far as clocks known within 1 ns can tell.",
            id="two hosts, at once",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), ok(14, 15, 1, host="b"), ok(0, 99, 3, host="c")],
            {"clocks": CLOCKS},
            FAIL,
            "1 operation out of real-time order: 2 was returned to row 1 before row 2 sent the "
            "request that returned 1.",
            id="two hosts whose clocks are known, of three",
        ),
        pytest.param(
            [ok(0, 0, 2), ok(1, 1, 1)],
            {},
            FAIL,
            "1 operation out of real-time order: 2 was returned to row 1 1 ns before row 2 sent "
            "the request that returned 1.",
            id="answers that came in an instant",
        ),
        pytest.param(
            [ok(0, 5, 2), ok(5, 6, 1)],
            {},
            PASS,
            "2 operations: none returned less than one completed before it was sent.",
            id="equal times are concurrent",
        ),
        pytest.param(
            [read(0, 1, 1), ok(2, 3, 1)],
            {},
            FAIL,
            "1 operation out of real-time order: 1 was returned to row 1 1 ns before row 2 sent "
            "the request that returned 1.",
            id="read before the increment it saw",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), ok(2, 3, 1, host="b")],
            {},
            INCONCLUSIVE,
            "In order on each of 2 hosts, but nothing is known of how their clocks (a, b) "
            "compare: bounds would decide it (--clock-error-ms).",
            id="two hosts",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), ok(2, 3, 1, host="a"), ok(0, 9, 3, host="b")],
            {},
            FAIL,
            "1 operation out of real-time order: 2 was returned to row 1 1 ns before row 2 sent "
            "the request that returned 1.",
            id="two hosts, inversion on one",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), ok(2, 3, 1)],
            {},
            INCONCLUSIVE,
            "In order on each of 2 hosts, but nothing is known of how their clocks (the "
            "one without a name, a) compare: bounds would decide it (--clock-error-ms).",
            id="a blank among hosts is one of its own",
        ),
        pytest.param(
            [ok(0, 1, 2), ok(2, 3, 1), ok(0, 9, 3, host="a")],
            {},
            FAIL,
            "1 operation out of real-time order: 2 was returned to row 1 1 ns before row 2 sent "
            "the request that returned 1.",
            id="inversion among blank hosts",
        ),
    ],
)
def test_findings(
    rows: list[dict[str, Any]], fields: dict[str, Any], verdict: Verdict, summary: str
) -> None:
    assert_finding(ordered.check(run_of(rows, **fields)), verdict, summary)


def test_a_torn_interval_raises_no_alarm_of_order() -> None:
    run = run_of([ok(0, 1, 2), ok(9, 3, 1)])
    judgement = judge_run(run)
    assert judgement.finding("ordered").verdict is PASS
    assert judgement.verdict is INCONCLUSIVE


def test_the_widest_is_shown_first() -> None:
    """Even where so many are out of order that it is not among the lowest."""
    late = ok(1_000, 1_001, 1, worker="late")
    early = [ok(0, 990, value) for value in range(2, 40)]
    finding = ordered.check(run_of([late, *early, ok(0, 3, 40, worker="early")]))
    assert finding.evidence[0].summary == (
        "40 was returned to early 997 ns before late sent the request that returned 1"
    )
    assert [piece.operations[0]["value"] for piece in finding.evidence[1:]] == [*range(2, 21)]
    assert finding.evidence_total == 39
