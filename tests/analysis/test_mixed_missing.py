"""Mixed histories: what missing decrements can have done, and sums beyond 64 bits."""

import dataclasses

from analysis.checks import conserved, ordered_mixed
from analysis.judging import judge_run
from analysis.verdict import Verdict
from history.operation import INT64_MAX
from tests.runs import ok, recorded, run_of

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def test_what_only_missing_decrements_can_have_done_is_inconclusive() -> None:
    run = recorded(
        [ok(0, 1, 7, process="swarm-0"), ok(2, 3, 6, kind="decrement", process="swarm-0")],
        sealed=False,
    )
    run = dataclasses.replace(run, initial=9, final=6)
    judgement = judge_run(run)
    assert {finding.verdict for finding in judgement.findings if finding.decides} <= {
        PASS,
        INCONCLUSIVE,
    }
    assert conserved.check(dataclasses.replace(run, final=1)).verdict is INCONCLUSIVE


def test_a_run_that_decremented_is_judged_so_though_its_decrements_are_missing() -> None:
    rows = [ok(0, 1, 1, process="swarm-0"), ok(4, 5, 1, process="swarm-0")]
    run = dataclasses.replace(recorded(rows, sealed=False), initial=0, final=1)
    assert run.manifest is not None
    assert judge_run(run).verdict is FAIL
    load = dataclasses.replace(run.manifest.load, decrements=0.2)
    run = dataclasses.replace(run, manifest=dataclasses.replace(run.manifest, load=load))
    assert judge_run(run).verdict is INCONCLUSIVE


def test_what_blind_increments_add_up_to_is_told_exactly() -> None:
    most = {"start_ns": 0, "end_ns": 9, "outcome": "ok", "value": None, "delta": INT64_MAX}
    finding = ordered_mixed.check(run_of([most, most], final=3))
    assert finding.verdict is FAIL
    assert f"lead from 0 to {2 * INT64_MAX}, not to 3" in finding.summary
