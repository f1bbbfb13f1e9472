"""Findings of `gap-free` on literal rows, and the holes behind them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks import gap_free
from analysis.holes import find_holes
from analysis.judging import judge_run
from analysis.slots import Filling
from analysis.verdict import Verdict
from history.manifest import ClockBound
from history.operation import Returns
from tests.analysis.checks.finding import assert_finding
from tests.runs import lost, ok, read, run_of

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
CLOCKS = {host: ClockBound(host=host, offset_ns=0, error_ns=1) for host in ("a", "b")}


@pytest.mark.parametrize(
    ("rows", "fields", "verdict", "summary"),
    [
        pytest.param(
            [ok(0, 1, 1), ok(2, 3, 4)],
            {},
            FAIL,
            "2 values of 1 to 4 missing, and no request went unanswered.",
            id="unexplained gap",
        ),
        pytest.param(
            [lost(0), ok(7, 8, 1), ok(7, 9, 3)],
            {"window_ns": 5},
            FAIL,
            "1 value of 1 to 3 missing, the 1 unanswered request cannot have taken 2 in time, as "
            "long as no request acts later than 5 ns after it was sent (effect-window-ms).",
            id="a FAIL that rests on the window says so",
        ),
        pytest.param(
            [lost(9), ok(0, 1, 1), ok(2, 3, 3)],
            {"window_ns": 5},
            FAIL,
            "1 value of 1 to 3 missing, the 1 unanswered request cannot have taken 2 in time.",
            id="one that does not rest on it does not",
        ),
        pytest.param(
            [ok(0, 10, 2), lost(10)],
            {"allow_unanswered": 1},
            PASS,
            "1 value of 1 to 2 missing, which 1 unanswered request can have taken; "
            "1 allowed (allow-unanswered).",
            id="sent in the instant it was overtaken",
        ),
        pytest.param(
            [lost(0), ok(5, 8, 1), ok(5, 9, 3)],
            {"window_ns": 5, "allow_unanswered": 1},
            PASS,
            "1 value of 1 to 3 missing, which 1 unanswered request can have taken; "
            "1 allowed (allow-unanswered).",
            id="in the last instant of its window",
        ),
        pytest.param(
            [ok(0, 9, 1, attempts=2), ok(11, 12, 2), ok(11, 13, 4)],
            {"window_ns": 3, "allow_unanswered": 1},
            PASS,
            "1 value of 1 to 4 missing, which 1 unanswered request or re-send can have taken;"
            " 1 allowed (allow-unanswered).",
            id="sent again until its end",
        ),
        pytest.param(
            [ok(0, 9, 1, attempts=2), ok(13, 14, 2), ok(13, 14, 4)],
            {"window_ns": 3},
            FAIL,
            "1 value of 1 to 4 missing, the 1 unanswered request or re-send cannot have taken"
            " 3 in time, as long as no request acts later than 3 ns after it was sent "
            "(effect-window-ms).",
            id="but not after that",
        ),
        pytest.param(
            [lost(0, end_ns=9), ok(7, 8, 1), ok(7, 9, 3)],
            {"window_ns": 2},
            FAIL,
            "1 value of 1 to 3 missing, the 1 unanswered request cannot have taken 2 in time,"
            " as long as no request acts later than 2 ns after it was sent (effect-window-"
            "ms).",
            id="the window is that of the request, not of giving up",
        ),
        pytest.param(
            [lost(0, end_ns=9, attempts=2), ok(7, 8, 1), ok(7, 9, 3)],
            {"window_ns": 2, "allow_unanswered": 1},
            PASS,
            "1 value of 1 to 3 missing, each of which one of 2 unanswered requests or re-"
            "sends can have taken; 1 allowed (allow-unanswered).",
            id="unless it was sent again until then",
        ),
        pytest.param(
            [ok(0, 1, 2), {"start_ns": 0, "end_ns": 1, "outcome": "rejected"}],
            {},
            FAIL,
            "1 value of 1 to 2 missing, and no request went unanswered.",
            id="a rejected request explains nothing",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), lost(9, host="b")],
            {"clocks": CLOCKS},
            FAIL,
            "1 value of 1 to 2 missing, 1 had been passed before the 1 unanswered request was"
            " sent.",
            id="passed on another host",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), lost(3, host="b")],
            {"clocks": CLOCKS, "allow_unanswered": 1},
            PASS,
            "1 value of 1 to 2 missing, which 1 unanswered request can have taken; 1 allowed "
            "(allow-unanswered).",
            id="passed on another host, within the clocks' errors",
        ),
        pytest.param(
            [lost(0, host="b"), ok(9, 10, 1, host="a"), ok(9, 10, 3, host="a")],
            {"clocks": CLOCKS, "window_ns": 6},
            FAIL,
            "1 value of 1 to 3 missing, the 1 unanswered request cannot have taken 2 in time,"
            " as long as no request acts later than 6 ns after it was sent (effect-window-"
            "ms).",
            id="too late for another host",
        ),
        pytest.param(
            [lost(0, host="b"), ok(9, 10, 1, host="a"), ok(9, 10, 3, host="a")],
            {"clocks": CLOCKS, "window_ns": 7, "allow_unanswered": 1},
            PASS,
            "1 value of 1 to 3 missing, which 1 unanswered request can have taken; 1 allowed "
            "(allow-unanswered).",
            id="in time for another host, within the clocks' errors",
        ),
        pytest.param(
            [lost(0, host="a"), ok(9, 10, 1, host="a"), ok(9, 10, 3, host="b")],
            {"clocks": CLOCKS, "window_ns": 8},
            FAIL,
            "1 value of 1 to 3 missing, the 1 unanswered request cannot have taken 2 in time,"
            " as long as no request acts later than 8 ns after it was sent (effect-window-"
            "ms).",
            id="a host's own clock has no error",
        ),
        pytest.param(
            [ok(0, 1, 1, attempts=2), ok(2, 3, 4)],
            {},
            FAIL,
            "2 values of 1 to 4 missing, only 1 unanswered request or re-send can have taken "
            "any of the 2 values missing up to 3.",
            id="sent twice is once more, not twice",
        ),
        pytest.param(
            [ok(0, 1, 1), read(2, 3, 3)],
            {},
            FAIL,
            "2 values of 1 to 3 missing, and no request went unanswered.",
            id="what a read saw had happened",
        ),
        pytest.param(
            [read(0, 10, 1), lost(15)],
            {"final": 1},
            FAIL,
            "1 value of 1 to 1 missing, 1 had been passed before the 1 unanswered request was "
            "sent.",
            id="read before anybody asked for it",
        ),
        pytest.param(
            [ok(0, 1, 0), ok(2, 3, 2**63 - 1)],
            {"returns": Returns.OLD, "final": 2},
            INCONCLUSIVE,
            "1 value of 1 to 2 missing, which 1 unanswered request can have taken; "
            "0 allowed (allow-unanswered); a run in which every request is answered would decide "
            "it, or the database's own log of its writes.",
            id="whoever was told too large a number can have taken any",
        ),
        pytest.param(
            [ok(0, 1, 2), lost(99, reason="damaged-record")],
            {},
            INCONCLUSIVE,
            "1 value of 1 to 2 missing, which 1 unanswered request can have taken; "
            "0 allowed (allow-unanswered); a run in which every request is answered would decide "
            "it, or the database's own log of its writes.",
            id="the times of a damaged record say nothing",
        ),
        pytest.param(
            [lost(0)],
            {"final": 0},
            INCONCLUSIVE,
            "No increment returned a value: a history with answered increments would decide it.",
            id="nothing returned",
        ),
        pytest.param(
            [ok(0, 1, 1), lost(0)],
            {},
            PASS,
            "1 value, none missing (1 to 1). There was 1 unanswered request, and it did not take a "
            "number that is missing.",
            id="nothing missing",
        ),
        pytest.param(
            [ok(0, 1, 1), ok(0, 1, 1), ok(0, 1, 3)],
            {},
            FAIL,
            "1 value of 1 to 3 missing, and no request went unanswered.",
            id="a duplicate hides no hole",
        ),
        pytest.param(
            [ok(0, 1, 0), ok(0, 1, 2)],
            {},
            FAIL,
            "1 value of 1 to 2 missing, and no request went unanswered.",
            id="nor does a value below the first",
        ),
        pytest.param(
            [ok(0, 1, 1), ok(0, 1, 3)],
            {"final": 2},
            FAIL,
            "1 value of 1 to 2 missing, and no request went unanswered.",
            id="nor one beyond the last",
        ),
        pytest.param(
            [ok(0, 1, 10**18), lost(0)],
            {"final": 10**18},
            FAIL,
            "999,999,999,999,999,999 values of 1 to 1,000,000,000,000,000,000 missing, only 1 "
            "unanswered request can have taken any of the 2 values missing up to 2.",
            id="an absurd value costs no memory",
        ),
        pytest.param(
            [ok(0, 1, 1), ok(2, 3, 3, attempts=2)],
            {},
            INCONCLUSIVE,
            "1 value of 1 to 3 missing, which 1 unanswered request or re-send can have "
            "taken; 0 allowed (allow-unanswered); a run in which every request is answered would "
            "decide it, or the database's own log of its writes.",
            id="a re-send can have taken it",
        ),
        pytest.param(
            [ok(0, 1, 1, host="a"), ok(2, 3, 3, host="b"), lost(9, host="a")],
            {},
            INCONCLUSIVE,
            "1 value of 1 to 3 missing, which 1 unanswered request can have taken; "
            "0 allowed (allow-unanswered); a run in which every request is answered would decide "
            "it, or the database's own log of its writes.",
            id="two hosts: only the count speaks",
        ),
        pytest.param(
            [ok(0, 1, 2, host="a"), lost(9)],
            {},
            INCONCLUSIVE,
            "1 value of 1 to 2 missing, which 1 unanswered request can have taken; "
            "0 allowed (allow-unanswered); a run in which every request is answered would decide "
            "it, or the database's own log of its writes.",
            id="a host and a blank do not share a clock",
        ),
    ],
)
def test_findings(
    rows: list[dict[str, Any]], fields: dict[str, Any], verdict: Verdict, summary: str
) -> None:
    assert_finding(gap_free.check(run_of(rows, **fields)), verdict, summary)


@pytest.mark.parametrize(
    "contradiction",
    [
        pytest.param(lost(99, end_ns=3), id="indeterminate, ends before it starts"),
        pytest.param(lost(99, end_ns=100, value=7), id="indeterminate with a value"),
        pytest.param({"start_ns": 99, "outcome": "rejected", "value": 7}, id="rejected, value"),
        pytest.param({"start_ns": 99, "end_ns": 3, "outcome": "rejected"}, id="rejected, torn"),
        pytest.param(
            {"start_ns": 99, "outcome": "rejected", "value": 10**30}, id="rejected, huge value"
        ),
        pytest.param({"start_ns": 99, "end_ns": 100, "outcome": "ok"}, id="ok without value"),
        pytest.param({"start_ns": 99, "outcome": "ok", "value": 1}, id="ok without end"),
        pytest.param(ok(99, 3, 1), id="ok, ends before it starts"),
    ],
)
def test_a_row_that_contradicts_itself_can_have_filled_any_hole(
    contradiction: dict[str, Any],
) -> None:
    run = run_of([contradiction, ok(0, 1, 2)], final=2)
    findings = {f.check: f.verdict for f in judge_run(run).findings if f.decides}
    assert FAIL not in findings.values()
    assert findings["well-formed"] is INCONCLUSIVE
    holds_its_value = contradiction.get("value") == 1
    assert findings["gap-free"] is (PASS if holds_its_value else INCONCLUSIVE)


@pytest.mark.parametrize(
    ("rows", "witness"),
    [
        ([ok(0, 10, 3), lost(15)], ": whatever did was sent before the operation below saw more"),
        ([read(0, 10, 3), lost(15)], ": whatever did was sent before the read below saw more"),
        ([ok(0, 10, 1)], ""),
    ],
)
def test_the_deadline_has_a_witness(rows: list[dict[str, Any]], witness: str) -> None:
    proof = gap_free.check(run_of(rows, final=3)).evidence[0]
    assert proof.summary.endswith(f"no unanswered request can have taken it{witness}")
    assert [op["row"] for op in proof.operations] == ([0] if witness else [])


def test_the_hall_set_is_the_evidence() -> None:
    finding = gap_free.check(run_of([ok(0, 10, 3), ok(20, 30, 4), lost(0), lost(15)]))
    proof = finding.evidence[0]
    assert proof.summary.startswith("1, 2: 2 values returned to nobody, and 1 unanswered request")
    assert [op["row"] for op in proof.operations] == [0, 2]


@given(
    values=st.lists(st.integers(-40, 40) | st.integers(-(2**63), 2**63 - 1), max_size=20),
    initial=st.integers(-30, 30),
    span=st.integers(-2, 60),
    limit=st.integers(1, 80),
    slots=st.sampled_from([0, 1, 20, 100]),
)
def test_holes_against_sets(
    values: list[int], initial: int, span: int, limit: int, slots: int
) -> None:
    last = initial + span
    filling = Filling(initial=initial, expected=slots)
    returned = np.array(values, dtype=np.int64)
    filling.add_increments(returned, returned, returned)
    holes = find_holes(filling.close(), initial, last, limit=limit, runs=99)
    missing = sorted(set(range(initial + 1, last + 1)) - set(values))
    assert holes.count == len(missing)
    assert holes.lowest.tolist() == missing[:limit]
    runs = [
        range(first, first + length)
        for first, length in zip(holes.run_first.tolist(), holes.run_length.tolist(), strict=True)
    ]
    assert [n for run in runs for n in run] == missing


def test_a_re_sent_request_is_not_told_to_have_got_no_answer() -> None:
    (piece,) = gap_free.check(run_of([ok(0, 1, 1), ok(2, 3, 3, attempts=2)])).evidence
    assert piece.summary == (
        "2 was returned to nobody; this request was sent 2 times and can have taken it"
    )


def test_a_counter_that_fell_lacks_no_number_of_values() -> None:
    assert_finding(
        gap_free.check(run_of([ok(0, 1, 1)], final=-3)),
        PASS,
        "The counter is not known to have grown beyond 0, so no value can be missing.",
    )


def test_what_another_host_saw_rules_a_request_out_when_clocks_are_known() -> None:
    rows = [ok(0, 1, 2, host="a"), lost(5, host="b")]
    clocks = {host: ClockBound(host=host, offset_ns=0, error_ns=0) for host in "ab"}
    assert gap_free.check(run_of(rows)).verdict is INCONCLUSIVE
    assert gap_free.check(run_of(rows, clocks=clocks)).verdict is FAIL
