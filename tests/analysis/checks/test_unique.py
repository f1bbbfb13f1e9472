"""Findings of `unique` on literal rows."""

from typing import Any

import pytest

from analysis.checks import unique
from analysis.verdict import Verdict
from tests.analysis.checks.finding import assert_finding
from tests.runs import lost, ok, read, run_of

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("rows", "fields", "verdict", "summary"),
    [
        pytest.param(
            [ok(0, 1, 5), ok(2, 3, 5, worker="swarm-0/3")],
            {},
            FAIL,
            "1 value returned more than once, by 2 operations: 5 was returned twice: to row 1 at "
            "time 0 ns and to swarm-0/3 2 ns later.",
            id="two clients, same value",
        ),
        pytest.param(
            [ok(0, 1, 1), ok(2, 3, 1)],
            {},
            FAIL,
            "1 value returned more than once, by 2 operations: 1 was returned twice: to row 1 at "
            "time 0 ns and to row 2 2 ns later.",
            id="a value that a correct counter can return",
        ),
        pytest.param(
            [ok(0, 1, 5), read(2, 3, 5), read(2, 3, 5)],
            {},
            PASS,
            "1 value returned, all different.",
            id="reads may repeat",
        ),
        pytest.param(
            [lost(0)],
            {},
            INCONCLUSIVE,
            "No increment returned a value, so nothing could be compared: a history with "
            "answered increments would decide it.",
            id="nothing returned",
        ),
    ],
)
def test_findings(
    rows: list[dict[str, Any]], fields: dict[str, Any], verdict: Verdict, summary: str
) -> None:
    assert_finding(unique.check(run_of(rows, **fields)), verdict, summary)


def test_a_finding_is_whole() -> None:
    finding = unique.check(run_of([ok(0, 1, 5, worker="a"), ok(2, 3, 5, worker="b"), ok(4, 5, 6)]))
    assert finding.counts == {
        "returned": 3,
        "distinct": 2,
        "values_returned_twice_or_more": 1,
        "operations_sharing_a_value": 2,
    }
    (evidence,) = finding.evidence
    assert [(op["row"], op["worker"], op["value"]) for op in evidence.operations] == [
        (0, "a", 5),
        (1, "b", 5),
    ]
    assert finding.decides


def test_durations_and_simultaneous_requests_are_said_in_words() -> None:
    def told(start_ns: int) -> str:
        return (
            unique.check(run_of([ok(0, 9, 1), ok(start_ns, start_ns + 9, 1)])).evidence[0].summary
        )

    assert told(0).endswith("to row 2 at the same time")
    assert told(999_999).endswith("to row 2 1 ms later")
    assert told(999_499).endswith("to row 2 999 µs later")
    assert told(1_234_000_000_000).endswith("to row 2 1,234 s later")
