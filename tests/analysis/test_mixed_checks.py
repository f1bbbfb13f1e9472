"""`balanced`, and `ordered` of mixed histories: findings on literal rows."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analysis.checks import OF_MIXED, balanced, ordered_mixed
from analysis.judging import judge_run
from analysis.mixed.search import Found
from analysis.run import Run
from analysis.verdict import Finding, Verdict
from history.operation import INT64_MIN
from tests.runs import lost, ok, read, recorded, run_of

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
Check = Callable[[Run], Finding]
Rows = list[dict[str, Any]]


def up(start: int, end: int, value: int, **more: Any) -> dict[str, Any]:
    return ok(start, end, value, **more)


def down(start: int, end: int, value: int, **more: Any) -> dict[str, Any]:
    return ok(start, end, value, kind="decrement", **more)


def lost_down(start: int) -> dict[str, Any]:
    return lost(start, kind="decrement")


def shown(finding: Finding) -> tuple[Verdict, str, list[str], list[list[int]]]:
    return (
        finding.verdict,
        finding.summary,
        [piece.summary for piece in finding.evidence],
        [[operation["row"] for operation in piece.operations] for piece in finding.evidence],
    )


@pytest.mark.parametrize(
    ("rows", "fields", "expected"),
    [
        pytest.param(
            [up(0, 1, 1), down(2, 3, 0), up(4, 5, 1)],
            {"final": 1},
            (PASS, "1 boundary between two numbers, each crossed as often as it must be.", [], []),
            id="up, down, up",
        ),
        pytest.param(
            [down(0, 1, -1), down(2, 3, -2)],
            {"final": -2},
            (
                PASS,
                "2 boundaries between two numbers, each crossed as often as it must be.",
                [],
                [],
            ),
            id="only down",
        ),
        pytest.param(
            [up(0, 1, 1), up(2, 3, 1), down(4, 5, 0)],
            {"final": 0},
            (
                FAIL,
                (
                    "1 boundary crossed too often in one direction: 0 increments and 1 decrement "
                    "would "
                    "have to have happened unseen, but only 0 and 0 went unanswered."
                ),
                [
                    (
                        "between 0 and 1 the counter went up 2 times and down 1 time; from 0 to 0 "
                        "it "
                        "must cross here as often down as up, so 1 crossing down is missing"
                    )
                ],
                [[0, 1, 2]],
            ),
            id="a lost update",
        ),
        pytest.param(
            [up(0, 1, 1), lost_down(0), lost_down(0)],
            {"final": 3},
            (
                FAIL,
                (
                    "2 boundaries crossed too often in one direction: 2 increments and 0 "
                    "decrements "
                    "would have to have happened unseen, but only 0 and 2 went unanswered."
                ),
                [
                    (
                        "between 1 and 2 the counter went up 0 times and down 0 times; from 0 to "
                        "3 it "
                        "must cross here once more up than back, so 1 crossing up is missing"
                    ),
                    (
                        "between 2 and 3 the counter went up 0 times and down 0 times; from 0 to "
                        "3 it "
                        "must cross here once more up than back, so 1 crossing up is missing"
                    ),
                ],
                [[], []],
            ),
            id="unanswered ones of the other direction explain nothing",
        ),
        pytest.param(
            [up(0, 1, 2), up(2, 3, 4), lost(0), lost_down(0)],
            {"final": 4},
            (
                FAIL,
                (
                    "2 boundaries crossed too often in one direction: 2 increments and 0 "
                    "decrements "
                    "would have to have happened unseen, but only 1 and 1 went unanswered."
                ),
                [
                    (
                        "between 0 and 1 the counter went up 0 times and down 0 times; from 0 to "
                        "4 it "
                        "must cross here once more up than back, so 1 crossing up is missing"
                    ),
                    (
                        "between 2 and 3 the counter went up 0 times and down 0 times; from 0 to "
                        "4 it "
                        "must cross here once more up than back, so 1 crossing up is missing"
                    ),
                ],
                [[], []],
            ),
            id="one unanswered request crosses one boundary",
        ),
        pytest.param(
            [up(0, 1, 1), up(2, 3, 3), down(4, 5, 2), lost(0)],
            {"final": 2},
            (
                INCONCLUSIVE,
                (
                    "1 of 3 boundaries balances only if requests without an answer happened: 1 of "
                    "1 increment and 0 of 0 decrements; 0 allowed (allow-unanswered)."
                ),
                [],
                [],
            ),
            id="one unanswered request can explain it",
        ),
        pytest.param(
            [up(0, 1, 1), up(2, 3, 3), down(4, 5, 2), lost(0)],
            {"final": 2, "allow_unanswered": 1},
            (
                PASS,
                (
                    "1 of 3 boundaries balances only if requests without an answer happened: 1 of "
                    "1 increment and 0 of 0 decrements; 1 allowed (allow-unanswered)."
                ),
                [],
                [],
            ),
            id="and so many are allowed",
        ),
        pytest.param(
            [up(0, 1, 1), down(2, 3, 0)],
            {},
            (
                INCONCLUSIVE,
                "The final value is not known, so crossings cannot be balanced.",
                [],
                [],
            ),
            id="no final value",
        ),
        pytest.param(
            [lost_down(0)],
            {"final": 0},
            (
                INCONCLUSIVE,
                "No operation moved the counter, so nothing could be balanced.",
                [],
                [],
            ),
            id="nothing moved",
        ),
    ],
)
def test_balanced(rows: Rows, fields: dict[str, Any], expected: object) -> None:
    assert shown(balanced.check(run_of(rows, **fields))) == expected


def test_an_absurd_final_value_costs_no_memory() -> None:
    finding = balanced.check(run_of([up(0, 1, 1), down(2, 3, 0)], final=10**15))
    assert finding.verdict is FAIL
    assert finding.counts["increments_needed"] == 10**15
    assert (len(finding.evidence), finding.evidence_total) == (2, 10**15)


FOUND = (
    "can have happened one after the other, each while it was under way, with exactly these "
    "answers: one such order was found, and verified."
)


@pytest.mark.parametrize(
    ("rows", "fields", "expected"),
    [
        pytest.param(
            [up(0, 9, 2), down(0, 9, 1), up(0, 9, 1)],
            {"final": 1},
            (PASS, f"3 operations {FOUND}", [], []),
            id="at the same time, in no order of sending",
        ),
        pytest.param(
            [up(0, 1, 1), down(1, 2, 0)],
            {},
            (PASS, f"2 operations {FOUND}", [], []),
            id="equal times are concurrent",
        ),
        pytest.param(
            [up(0, 1, 1), lost(2), down(3, 4, 1)],
            {"final": 1, "allow_unanswered": 1},
            (PASS, f"2 operations, and 1 unanswered one among them, {FOUND}", [], []),
            id="an unanswered one fills in",
        ),
        pytest.param(
            [up(0, 1, 1), read(3, 4, 0), read(6, 7, 1), down(10, 11, 0), lost(0), lost_down(0)],
            {"final": 0, "allow_unanswered": 1},
            (
                INCONCLUSIVE,
                (
                    "4 operations can have happened one after the other with these answers if 2 "
                    "unanswered ones did too; 1 allowed (allow-unanswered). A history in which "
                    "every request is answered would decide it."
                ),
                [],
                [],
            ),
            id="the numbers add up, but the order needs two unanswered ones",
        ),
        pytest.param(
            [down(0, 1, INT64_MIN), up(2, 3, INT64_MIN + 1)],
            {"initial": INT64_MIN + 1, "final": INT64_MIN + 1},
            (PASS, f"2 operations {FOUND}", [], []),
            id="down to the least of 64 bits",
        ),
        pytest.param(
            [lost(0, kind="decrement", delta=INT64_MIN), read(2, 3, INT64_MIN)],
            {"final": INT64_MIN, "allow_unanswered": 1},
            (PASS, f"1 operation, and 1 unanswered one among them, {FOUND}", [], []),
            id="down by the least of 64 bits at once",
        ),
        pytest.param(
            [up(0, 1, 1), up(2, 3, 1), down(4, 5, 0)],
            {"final": 1},
            (
                FAIL,
                (
                    "No order of the 3 operations agrees with their answers and times: between 0 "
                    "and 1 "
                    "the counter must go down before or with the increment of row 2 that returned "
                    "1, "
                    "but the next that did, row 3's decrement, was sent after that was answered."
                ),
                [
                    (
                        "between 0 and 1 the counter must go down before or with the increment of "
                        "row "
                        "2 that returned 1, but the next that did, row 3's decrement, was sent "
                        "after "
                        "that was answered"
                    )
                ],
                [[0, 1, 2]],
            ),
            id="twice up before anything went down",
        ),
        pytest.param(
            [up(0, 1, 1), read(2, 3, 0), down(4, 5, 0)],
            {"final": 0},
            (
                FAIL,
                (
                    "No order of the 3 operations agrees with their answers and times: at no "
                    "instant "
                    "while the read of row 2 was under way can the counter have been where its "
                    "answer "
                    "0 needs it."
                ),
                [
                    (
                        "at no instant while the read of row 2 was under way can the counter have "
                        "been "
                        "where its answer 0 needs it"
                    )
                ],
                [[1]],
            ),
            id="a read of what had gone",
        ),
        pytest.param(
            [down(0, 9, -1), read(1, 9, -1), up(9, 9, 1), up(10, 14, 0), down(12, 16, 0)],
            {"final": 0},
            (
                FAIL,
                (
                    "No order of the 5 operations agrees with their answers and times: every one "
                    "was "
                    "tried, and none gets further than 0 operations, with the counter at 0, where "
                    "the decrement of row 1 was next to end, and no step from there leaves all "
                    "others "
                    "in time."
                ),
                [
                    (
                        "every one was tried, and none gets further than 0 operations, with the "
                        "counter at 0, where the decrement of row 1 was next to end, and no step "
                        "from "
                        "there leaves all others in time"
                    )
                ],
                [[0, 1, 2]],
            ),
            id="only trying every order shows it",
        ),
        pytest.param(
            [up(0, 1, 1), down(2, 3, 0)],
            {"final": 7},
            (
                FAIL,
                (
                    "No order of the 2 operations agrees with their answers and times: the "
                    "answered "
                    "operations lead from 0 to 0, not to 7."
                ),
                ["the answered operations lead from 0 to 0, not to 7"],
                [[]],
            ),
            id="another final value",
        ),
        pytest.param(
            [up(0, 1, 1, host="a"), down(2, 3, 0, host="b")],
            {"final": 0},
            (
                INCONCLUSIVE,
                "The operations were timed on 2 hosts, whose clocks are not comparable.",
                [],
                [],
            ),
            id="two hosts",
        ),
        pytest.param(
            [lost_down(0)],
            {},
            (INCONCLUSIVE, "No operation was answered, so there is no order to check.", [], []),
            id="nothing answered",
        ),
    ],
)
def test_ordered(rows: Rows, fields: dict[str, Any], expected: object) -> None:
    assert shown(ordered_mixed.check(run_of(rows, **fields))) == expected


def test_a_search_that_gives_up_says_what_would_decide() -> None:
    run = run_of([down(n, n, 0) if n % 2 else up(n, n, 1) for n in range(2_000)], final=0)
    object.__setattr__(run, "give_up", lambda: True)
    assert shown(ordered_mixed.check(run)) == (
        INCONCLUSIVE,
        (
            "No boundary between two numbers contradicts real time, but no order of the 2,000 "
            "operations was found before its time was up: the search got as far as 1,023 of them, "
            "in "
            "1,024 steps. A larger --search-budget-s, fewer requests in flight, or an audit trail "
            "of "
            "the writes would decide it."
        ),
        [],
        [],
    )


def test_missing_records_may_explain_a_contradiction() -> None:
    rows = [
        row | {"source": source, "process": f"{source}-0", "worker": f"{source}-0/0"}
        for row, source in zip(
            [up(0, 1, 1), up(2, 3, 1), down(4, 5, 0)], ("swarm", "locust", "swarm"), strict=True
        )
    ]
    for whole, verdict in ((True, FAIL), (False, INCONCLUSIVE)):
        run = dataclasses.replace(recorded(rows, sealed=whole), final=1)
        for check in (balanced, ordered_mixed):
            finding = check.check(run)
            if check is ordered_mixed:
                assert finding.verdict is verdict
            assert finding.summary.endswith("the run was never sealed.") is (
                not whole and check is ordered_mixed
            )


def test_mixed_histories_get_these_checks_and_can_pass() -> None:
    rows = [
        up(10 * n, 10 * n + 15, 1) if n % 2 else down(10 * n, 10 * n + 15, 0) for n in range(40)
    ]
    judgement = judge_run(run_of(rows, initial=1, final=1))
    assert [finding.check for finding in judgement.findings] == list(OF_MIXED)
    assert "ordered" in OF_MIXED
    assert judgement.verdict is PASS


def test_a_search_that_errs_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Found(order=np.array([1, 0]))
    monkeypatch.setattr(ordered_mixed, "search", lambda *_: wrong)
    finding = ordered_mixed.check(run_of([up(0, 1, 1), down(2, 3, 0)], final=0))
    assert finding.verdict is INCONCLUSIVE
    assert "The search gave an order that is none" in finding.summary
