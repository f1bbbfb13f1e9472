"""Runs that could have failed, and those that could not."""

import dataclasses

import pytest

from analysis.checks import exercised
from analysis.judging import judge_run
from analysis.run import Run
from analysis.verdict import Verdict
from tests.runs import busy, new_manifest, ok, recorded, run_of

PASS, INCONCLUSIVE = Verdict.PASS, Verdict.INCONCLUSIVE


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


def test_exercised_only_informs_on_a_history_file() -> None:
    finding = exercised.check(run_of([ok(0, 1, 1)]))
    assert (finding.verdict, finding.decides) == (INCONCLUSIVE, False)
