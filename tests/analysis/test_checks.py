"""Whole findings on literal rows."""

import dataclasses
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks import (
    balanced,
    bounded,
    conserved,
    exercised,
    gap_free,
    ordered,
    unique,
    well_formed,
)
from analysis.holes import find_holes
from analysis.judge import judge_run
from analysis.outputs import junit_xml, verdict_block, verdict_json
from analysis.overlap import overlapping_share, peak_in_flight
from analysis.run import Run
from analysis.verdict import Finding, Verdict, worst
from history.operation import Returns
from tests.runs import busy, lost, new_manifest, ok, read, recorded, run_of

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
Check = Callable[[Run], Finding]


def decrement(start: int, end: int, value: int) -> dict[str, Any]:
    return ok(start, end, value, kind="decrement")


@pytest.mark.parametrize(
    ("check", "rows", "fields", "verdict", "summary"),
    [
        pytest.param(
            unique.check,
            [ok(0, 1, 5), ok(2, 3, 5, worker="swarm-0/3")],
            {},
            FAIL,
            "1 value returned more than once, by 2 operations: 5 was returned twice: to row 1, "
            "and to swarm-0/3 sent 2 ns later.",
            id="two clients, same value",
        ),
        pytest.param(
            unique.check,
            [ok(0, 1, 5), read(2, 3, 5), read(2, 3, 5)],
            {},
            PASS,
            "1 value returned, all different.",
            id="reads may repeat",
        ),
        pytest.param(
            unique.check,
            [lost(0)],
            {},
            INCONCLUSIVE,
            "No increment returned a value, so nothing could be compared.",
            id="nothing returned",
        ),
        pytest.param(
            bounded.check,
            [ok(0, 1, 1), ok(0, 1, 9)],
            {"final": 8},
            FAIL,
            "1 value outside (0, 8].",
            id="beyond the final value",
        ),
        pytest.param(
            bounded.check,
            [read(0, 1, 0), ok(2, 3, 1)],
            {"final": 1},
            PASS,
            "2 values, all within (0, 1].",
            id="a read may return the initial value",
        ),
        pytest.param(
            bounded.check,
            [ok(0, 1, 0)],
            {"final": 1},
            FAIL,
            "1 value outside (0, 1].",
            id="an increment may not",
        ),
        pytest.param(
            gap_free.check,
            [ok(0, 1, 1), ok(2, 3, 4)],
            {},
            FAIL,
            "2 values of 1 to 4 missing, and no request went unanswered.",
            id="unexplained gap",
        ),
        pytest.param(
            gap_free.check,
            [ok(0, 1, 10**18), lost(0)],
            {"final": 10**18},
            FAIL,
            "999,999,999,999,999,999 values of 1 to 1,000,000,000,000,000,000 missing, only 1 "
            "unanswered request can have taken any of the 2 values missing up to 2.",
            id="an absurd value costs no memory",
        ),
        pytest.param(
            gap_free.check,
            [ok(0, 1, 1), ok(2, 3, 3, attempts=2)],
            {},
            INCONCLUSIVE,
            "1 value of 1 to 3 missing, each of which one of 1 unanswered request can have taken; "
            "0 allowed (allow-unanswered).",
            id="a re-send can have taken it",
        ),
        pytest.param(
            gap_free.check,
            [ok(0, 1, 1, host="a"), ok(2, 3, 3, host="b"), lost(9, host="a")],
            {},
            INCONCLUSIVE,
            "1 value of 1 to 3 missing, each of which one of 1 unanswered request can have taken; "
            "0 allowed (allow-unanswered).",
            id="two hosts: only the count speaks",
        ),
        pytest.param(
            conserved.check,
            [ok(0, 1, 1)],
            {"final": 3},
            FAIL,
            "The counter grew by 3 (from 0 to final value 3); the answers account for 1 "
            "increment: 2 happened that no request can account for.",
            id="unseen increments",
        ),
        pytest.param(
            conserved.check,
            [ok(0, 1, 1), lost(0)],
            {"final": 2},
            PASS,
            "The counter grew by 2 (from 0 to final value 2); the answers account for 1 "
            "increment, up to 2 with the unanswered ones: they agree.",
            id="lost answer counts",
        ),
        pytest.param(
            conserved.check,
            [ok(0, 1, 1)],
            {"manifest": new_manifest()},
            INCONCLUSIVE,
            "The counter's final value is not known, so the sum could not be checked.",
            id="a run without final value",
        ),
        pytest.param(
            ordered.check,
            [ok(0, 1_500_000, 2, worker="a"), ok(4_500_000, 5_000_000, 1, worker="b")],
            {},
            FAIL,
            "1 operation out of real-time order: 2 was returned to a 3 ms before b sent the "
            "request that returned 1.",
            id="inversion",
        ),
        pytest.param(
            ordered.check,
            [ok(0, 5, 2), ok(5, 6, 1)],
            {},
            PASS,
            "2 operations: none returned less than one completed before it was sent.",
            id="equal times are concurrent",
        ),
        pytest.param(
            ordered.check,
            [read(0, 1, 1), ok(2, 3, 1)],
            {},
            FAIL,
            "1 operation out of real-time order: 1 was returned to row 1 1 ns before row 2 sent "
            "the request that returned 1.",
            id="read before the increment it saw",
        ),
        pytest.param(
            ordered.check,
            [ok(0, 1, 2, host="a"), ok(2, 3, 1, host="b")],
            {},
            INCONCLUSIVE,
            "In order on each of 2 hosts, but their clocks are not comparable.",
            id="two hosts",
        ),
        pytest.param(
            ordered.check,
            [ok(0, 1, 2, host="a"), ok(2, 3, 1, host="a"), ok(0, 9, 3, host="b")],
            {},
            FAIL,
            "1 operation out of real-time order: 2 was returned to row 1 1 ns before row 2 sent "
            "the request that returned 1.",
            id="two hosts, inversion on one",
        ),
        pytest.param(
            balanced.check,
            [ok(0, 1, 1), decrement(2, 3, 0)],
            {"final": 0},
            PASS,
            "1 boundary between two numbers, each crossed as often as it must be.",
            id="balanced",
        ),
        pytest.param(
            balanced.check,
            [ok(0, 1, 1), ok(2, 3, 1), decrement(4, 5, 0)],
            {"final": 0},
            FAIL,
            "1 boundary crossed too often in one direction: 0 increments and 1 decrement "
            "would have to have happened unseen, but only 0 and 0 went unanswered.",
            id="a lost update in a mix",
        ),
        pytest.param(
            well_formed.check,
            [ok(5, 1, 1)],
            {},
            INCONCLUSIVE,
            "Of 1 record: 1 record contradicts itself (row 1: it ends (1) before it starts (5)).",
            id="end before start",
        ),
        pytest.param(
            well_formed.check,
            [{"start_ns": 0, "outcome": "ok", "end_ns": 1}],
            {},
            INCONCLUSIVE,
            "Of 1 record: 1 record contradicts itself (row 1: ok without a value).",
            id="ok without value",
        ),
        pytest.param(
            well_formed.check,
            [ok(0, 1, 1) | {"outcome": "rejected"}],
            {},
            INCONCLUSIVE,
            "Of 1 record: 1 record contradicts itself (row 1: rejected with a value).",
            id="rejected with value",
        ),
        pytest.param(
            well_formed.check,
            [ok(5, 1, 1), ok(5, 2, 2)],
            {},
            INCONCLUSIVE,
            "Of 2 records: 2 records contradict themselves (row 1: it ends (1) before it "
            "starts (5)).",
            id="two that do",
        ),
        pytest.param(
            ordered.check,
            [ok(0, 1, 2, host="a"), ok(2, 3, 1)],
            {},
            INCONCLUSIVE,
            "In order on each of 2 hosts, but their clocks are not comparable.",
            id="a blank among hosts is one of its own",
        ),
        pytest.param(
            ordered.check,
            [ok(0, 1, 2), ok(2, 3, 1), ok(0, 9, 3, host="a")],
            {},
            FAIL,
            "1 operation out of real-time order: 2 was returned to row 1 1 ns before row 2 sent "
            "the request that returned 1.",
            id="inversion among blank hosts",
        ),
        pytest.param(
            gap_free.check,
            [ok(0, 1, 2, host="a"), lost(9)],
            {},
            INCONCLUSIVE,
            "1 value of 1 to 2 missing, each of which one of 1 unanswered request can have taken; "
            "0 allowed (allow-unanswered).",
            id="a host and a blank do not share a clock",
        ),
        pytest.param(
            bounded.check,
            [ok(0, 1, 1, reason="value-exceeds-64-bits")],
            {"final": 1},
            PASS,
            "1 value, all within (0, 1].",
            id="the reason of an answered row says nothing",
        ),
        pytest.param(
            bounded.check,
            [ok(0, 1, 0), ok(2, 3, 2**63 - 1)],
            {"returns": Returns.OLD},
            FAIL,
            "1 value outside (0, unknown].",
            id="old: the value after the largest one is beyond 64 bits",
        ),
        pytest.param(
            bounded.check,
            [decrement(0, 1, -(2**63)), ok(0, 1, -1)],
            {"returns": Returns.OLD},
            FAIL,
            "1 value outside [-1, 1].",
            id="old: so is the value after decrementing the smallest",
        ),
    ],
)
def test_findings(
    check: Check, rows: list[dict[str, Any]], fields: dict[str, Any], verdict: Verdict, summary: str
) -> None:
    finding = check(run_of(rows, **fields))
    assert (finding.verdict, finding.summary) == (verdict, summary)
    assert (finding.evidence_total > 0) == (len(finding.evidence) > 0)


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


def test_a_torn_interval_raises_no_alarm_of_order() -> None:
    run = run_of([ok(0, 1, 2), ok(9, 3, 1)])
    judgement = judge_run(run)
    assert judgement.finding("ordered").verdict is PASS
    assert judgement.verdict is INCONCLUSIVE


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
        ([ok(0, 10, 3), lost(15)], "before the first operation below, which saw more, had"),
        ([read(0, 10, 3), lost(15)], "before the first operation below, a read of what followed"),
        ([ok(0, 10, 1)], "in all"),
    ],
)
def test_the_deadline_has_a_witness(rows: list[dict[str, Any]], witness: str) -> None:
    proof = gap_free.check(run_of(rows, final=3)).evidence[0]
    assert f"unanswered requests sent {witness}" in proof.summary
    assert [op["row"] for op in proof.operations] == ([0] if witness != "in all" else [])


@pytest.mark.parametrize(
    ("rows", "has_decrements"),
    [
        ([{"kind": "decrement", "start_ns": 0, "outcome": "rejected"}], False),
        ([{"kind": "decrement", "start_ns": 0, "outcome": "rejected", "value": 1}], True),
        ([{"kind": "decrement", "start_ns": 0, "outcome": "rejected", "attempts": 2}], True),
        ([lost(0, kind="decrement")], True),
        ([decrement(0, 1, 0)], True),
    ],
)
def test_only_decrements_that_can_have_happened_count(
    rows: list[dict[str, Any]], *, has_decrements: bool
) -> None:
    assert run_of([ok(0, 1, 1), *rows]).has_decrements is has_decrements


def test_the_hall_set_is_the_evidence() -> None:
    finding = gap_free.check(run_of([ok(0, 10, 3), ok(20, 30, 4), lost(0), lost(15)]))
    proof = finding.evidence[0]
    assert proof.summary.startswith("1, 2: 2 values returned to nobody, and 1 unanswered request")
    assert [op["row"] for op in proof.operations] == [0, 2]


def test_a_broken_check_is_never_a_pass() -> None:
    def broken(_: Run) -> Finding:
        raise ZeroDivisionError("so it goes")

    judgement = judge_run(run_of([ok(0, 1, 1)]), {"unique": unique.check, "broken": broken})
    assert judgement.verdict is INCONCLUSIVE
    finding = judgement.finding("broken")
    assert finding.summary == "The check itself broke: ZeroDivisionError: so it goes."
    assert "Traceback" in finding.evidence[0].summary


def test_no_verdicts_at_all_are_not_a_pass() -> None:
    assert worst([]) is INCONCLUSIVE
    assert worst([PASS, INCONCLUSIVE]) is INCONCLUSIVE
    assert worst([INCONCLUSIVE, FAIL, PASS]) is FAIL


def test_every_category_is_reported_together() -> None:
    rows = [ok(0, 1, 1), ok(2, 3, 1), ok(4, 5, 99), ok(6, 7, 5)]
    verdicts = {f.check: f.verdict for f in judge_run(run_of(rows, final=5)).findings}
    assert verdicts == {
        "well-formed": PASS,
        "unique": FAIL,
        "bounded": FAIL,
        "gap-free": FAIL,
        "conserved": FAIL,
        "ordered": FAIL,
        "exercised": INCONCLUSIVE,
    }


def test_a_run_that_tried_hard_passes() -> None:
    judgement = judge_run(recorded(busy()))
    assert judgement.verdict is PASS
    assert judgement.operations["by_source"]["swarm"]["ok"] == 1_000


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (recorded(busy(900)), "Only 900 operations completed, fewer than 1,000"),
        (recorded(busy(overlapping=False)), "Hardly any operations overlapped"),
        (
            recorded(busy(), interrupted="interrupted after 1.0 s of 30 s"),
            "The run was interrupted after 1.0 s of 30 s",
        ),
        (
            recorded(busy(), load_started_ns=0, load_ended_ns=40_000_000_000),
            "swarm-0 fell silent after 0.0 s of 40.0 s",
        ),
        (
            recorded([row | {"source": "swarm"} for row in busy()]),
            "The locust generator got no answer at all",
        ),
        (
            recorded(busy(), load=dataclasses.replace(new_manifest().load, rate_per_s=500)),
            "Only 0 of 15,000 requests of the schedule were sent: the client was too slow (use ",
        ),
        (
            recorded(busy(), load=dataclasses.replace(new_manifest().load, users=21)),
            "Only 20 of 21 Locust users sent a request: raise SPAWN_RATE or DURATION",
        ),
        (
            recorded(busy(), load=dataclasses.replace(new_manifest().load, connections=51)),
            "Only 50 of 51 swarm connections sent a request: raise DURATION",
        ),
        (
            recorded(
                busy(),
                processes=tuple(
                    dataclasses.replace(
                        p,
                        exit_state="was killed by SIGKILL",
                        journal_records=1_000,
                        closed_records=None,
                    )
                    for p in recorded(busy()).manifest.processes
                ),
            ),  # type: ignore[union-attr]
            "swarm-0 was killed by SIGKILL",
        ),
    ],
)
def test_a_run_that_could_hardly_have_failed(run: Run, sentence: str) -> None:
    judgement = judge_run(run)
    assert judgement.verdict is INCONCLUSIVE
    assert judgement.finding("exercised").summary.startswith(sentence)
    assert {f.check for f in judgement.findings if f.verdict is not PASS} == {"exercised"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sealed": False}, "the run was never sealed"),
        ({"processes": ()}, "the manifest names no recording process"),
        ({"journal_records": 5}, "swarm-0 recorded 5 operations but the history holds 1,000"),
        ({"closed_records": 1_001}, "swarm-0 counted 1,001 operations but its journal held 1,000"),
        ({"closed_records": None}, "swarm-0 left no count"),
        ({"closed_records": None, "journal_records": 0}, "swarm-0 left no journal"),
        ({"closed_records": None, "exit_state": "left no journal"}, "swarm-0 left no journal"),
        ({"problem": "its journal was cut short"}, "swarm-0: its journal was cut short"),
    ],
)
def test_missing_records(changes: dict[str, Any], sentence: str) -> None:
    run = recorded(busy())
    assert run.manifest is not None
    if not changes.keys() & {"sealed", "processes"}:
        first, second = run.manifest.processes
        changes = {"processes": (dataclasses.replace(first, **changes), second)}
    run = dataclasses.replace(run, manifest=run.manifest.replace(**changes))
    finding = well_formed.check(run)
    assert finding.verdict is INCONCLUSIVE
    assert sentence in finding.summary


def test_a_killed_process_misses_no_records() -> None:
    run = recorded(busy())
    assert run.manifest is not None
    killed = tuple(
        dataclasses.replace(process, exit_state="was killed by SIGKILL", closed_records=None)
        for process in run.manifest.processes
    )
    run = dataclasses.replace(run, manifest=run.manifest.replace(processes=killed))
    assert well_formed.check(run).verdict is PASS


@pytest.mark.parametrize("check", [gap_free.check, conserved.check, balanced.check])
@pytest.mark.parametrize("whole", [True, False])
def test_what_missing_records_may_explain_is_no_fail(check: Check, *, whole: bool) -> None:
    rows = busy()
    run = recorded([*rows[:700], *rows[701:]], sealed=whole)
    run = dataclasses.replace(run, final=2_000)
    finding = check(run)
    if whole:
        assert finding.verdict is FAIL
    else:
        assert finding.verdict is INCONCLUSIVE
        assert finding.summary.endswith(
            " But records are missing, which may explain it: the run was never sealed."
        )


def test_answers_beyond_what_happened_fail_though_records_are_missing() -> None:
    run = dataclasses.replace(recorded(busy(), sealed=False), final=1_999)
    assert conserved.check(run).verdict is FAIL


@given(
    values=st.lists(st.integers(-40, 40) | st.integers(-(2**63), 2**63 - 1), max_size=20),
    initial=st.integers(-30, 30),
    span=st.integers(-2, 60),
    limit=st.integers(1, 80),
)
def test_holes_against_sets(values: list[int], initial: int, span: int, limit: int) -> None:
    last = initial + span
    holes = find_holes(np.sort(np.array(values, dtype=np.int64)), initial, last, limit=limit)
    missing = sorted(set(range(initial + 1, last + 1)) - set(values))
    assert holes.count == len(missing)
    assert holes.lowest.tolist() == missing[:limit]
    runs = [
        range(first, first + length)
        for first, length in zip(holes.run_first.tolist(), holes.run_length.tolist(), strict=True)
    ]
    assert [n for run in runs for n in run] == missing


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=12))
def test_overlap_and_peak_against_pairs(intervals: list[tuple[int, int]]) -> None:
    pairs = sorted((start, start + length) for start, length in intervals)
    start = np.array([s for s, _ in pairs], dtype=np.int64)
    end = np.array([e for _, e in pairs], dtype=np.int64)
    touching = [
        any(i != j and a[0] <= b[1] and b[0] <= a[1] for j, b in enumerate(pairs))
        for i, a in enumerate(pairs)
    ]
    assert overlapping_share(start, end) == pytest.approx(
        sum(touching) / len(pairs) if len(pairs) > 1 else 0
    )
    peak = max((sum(s <= at <= e for s, e in pairs) for at, _ in pairs), default=0)
    assert peak_in_flight(start, end) == peak


def test_exercised_only_informs_on_a_history_file() -> None:
    finding = exercised.check(run_of([ok(0, 1, 1)]))
    assert (finding.verdict, finding.decides) == (INCONCLUSIVE, False)


def test_hostile_text_in_outputs() -> None:
    rows = [ok(0, 1, 5, worker="<b>&\x00\x1b"), ok(2, 3, 5, worker="]]>")]
    judgement = judge_run(run_of(rows, run_id="<x>", initial=4))
    suite = ET.fromstring(junit_xml(judgement))  # noqa: S314 -- our own output
    assert suite.attrib["failures"] == "2"
    assert suite.find("testcase[@name='unique']/failure") is not None
    assert "5 was returned twice" in verdict_json(judgement)
    assert verdict_block(judgement).startswith("FAIL  <x>")
