"""Runs that could have failed, and those that could not."""

import dataclasses
from typing import Any

import pytest

from analysis.checks import exercised
from analysis.judging import judge_run
from analysis.run import Run
from analysis.verdict import Verdict
from tests.runs import busy, new_manifest, ok, recorded, run_of

PASS, INCONCLUSIVE = Verdict.PASS, Verdict.INCONCLUSIVE
COUNT = 2_000


def timed(*times: tuple[int, int]) -> list[dict[str, Any]]:
    """As `busy`, but sent and answered at these times."""
    return [
        row | {"start_ns": start, "end_ns": end}
        for row, (start, end) in zip(busy(len(times)), times, strict=True)
    ]


def one_hangs() -> list[dict[str, Any]]:
    """One after the other, beside one request that takes as long as all of them."""
    return timed((0, 10 * COUNT), *((10 * n, 10 * n + 5) for n in range(1, COUNT)))


def all_at_once() -> list[dict[str, Any]]:
    return timed(*((n, COUNT + n) for n in range(COUNT)))


def in_turns() -> list[dict[str, Any]]:
    """Pairs of one generator's operations, then of the other's, never both."""
    times = [(100 * (n % 2) + 200 * (n // 4) + n // 2 % 2, 0) for n in range(COUNT)]
    rows = timed(*((start, start + 50) for start, _ in times))
    rows.sort(key=lambda row: row["start_ns"])
    return [row | {"value": value} for value, row in enumerate(rows, 1)]


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
            recorded(one_hangs()),
            "Only 2 operations overlapped the one numbered next to it, fewer than 299, so a race",
        ),
        (
            recorded(all_at_once()),
            "Hardly any operation had completed before another was sent, so no wrong order could",
        ),
        (
            recorded(in_turns()),
            "The generators (swarm, locust) did not press at the same time: of none did",
        ),
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


def test_exercised_only_informs_on_a_history_file() -> None:
    finding = exercised.check(run_of([ok(0, 1, 1)]))
    assert (finding.verdict, finding.decides) == (INCONCLUSIVE, False)


def test_how_hard_a_run_tried_is_told() -> None:
    finding = exercised.check(recorded(busy()))
    assert finding.summary.startswith(
        "2,000 completed operations of 2 processes, 100% of them overlapping another, 100% one of "
        "another generator, 1.5 in flight on average and 2 at the peak; such a run shows faults in "
        "one request of 668 and an answer 2 numbers too old with probability 95 %; "
    )
    assert finding.counts == {
        "completed": 2_000,
        "client_processes": 2,
        "overlapping_share": 1.0,
        "overlapping_pairs": 1_999,
        "other_generator_share": 1.0,
        "in_flight_peak": 2,
        "in_flight_mean": 1.5,
        "contended": 2_000,
        "detectable_one_in": 668,
        "order_resolution": 2,
        "interval_ms_p01": 0.0,
        "interval_ms_p50": 0.0,
        "loop_lag_ms_p50": None,
        "client_share_of_latency": None,
        "in_client_mean": None,
    }


def test_a_slow_generator_beside_a_fast_one_presses_with_it() -> None:
    """As RATE=1 beside Locust's users: hardly any of theirs overlap it, all of its overlap them."""
    rows = [row | {"source": "locust", "process": "locust-0"} for row in busy()]
    for at in range(0, 2_000, 100):
        rows[at] |= {"source": "swarm", "process": "swarm-0"}
    finding = exercised.check(recorded(rows))
    assert finding.counts["other_generator_share"] == 0.0295
    assert not [piece for piece in finding.evidence if "press" in piece.summary]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"kind": "decrement"}, id="numbers that legally return"),
        pytest.param({"host": "other"}, id="times of two clocks"),
    ],
)
def test_what_cannot_be_known_is_not_told(more: dict[str, Any]) -> None:
    rows = busy()
    rows[-1] |= more
    counts = exercised.check(recorded(rows)).counts
    told = [counts[name] for name in ("contended", "detectable_one_in", "order_resolution")]
    assert told == [None] * 3


BOUND = "  no fault was found; had one request in 668 been handled non-atomically, so that a "


@pytest.mark.parametrize(
    ("run", "one_in"),
    [
        pytest.param(recorded(busy()), 668, id="PASS"),
        pytest.param(run_of(busy(), final=2_000), 668, id="PASS of a history file"),
        pytest.param(recorded(busy(), interrupted="interrupted"), None, id="INCONCLUSIVE"),
        pytest.param(
            recorded(busy(), fault="none", fault_counts={"injected": 0}),
            668,
            id="PASS, seen through",
        ),
        pytest.param(
            recorded(busy(), fault="throttle:0.1", fault_counts={"injected": 2}),
            None,
            id="PASS although something was spoiled",
        ),
        pytest.param(recorded([*busy()[:-1], busy()[-1] | {"value": 1}]), None, id="FAIL"),
        pytest.param(
            dataclasses.replace(recorded([*busy(), busy()[-1]]), final=2_000),
            None,
            id="FAIL, of a run that lacks nothing",
        ),
        pytest.param(run_of(busy(900), final=900), None, id="a history that could hardly FAIL"),
        pytest.param(
            recorded(
                [
                    row
                    if row["value"] != 1_000
                    else row | {"outcome": "indeterminate", "value": None}
                    for row in busy()
                ]
            ),
            None,
            id="INCONCLUSIVE for a hole",
        ),
    ],
)
def test_only_a_pass_states_a_bound(run: Run, one_in: int | None) -> None:
    judgement = judge_run(run)
    assert judgement.bound_one_in == one_in
    assert (BOUND in str(judgement)) == (one_in is not None)


def test_a_pass_with_a_hole_that_was_accepted_states_no_bound() -> None:
    rows = busy()
    rows[999] |= {"outcome": "indeterminate", "value": None}
    judgement = judge_run(dataclasses.replace(recorded(rows), allow_unanswered=1))
    assert (judgement.verdict, judgement.bound_one_in) == (PASS, None)
