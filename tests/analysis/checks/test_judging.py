"""All checks together: the worst decides, and nothing hides behind anything."""

import dataclasses
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from analysis.checks import balanced, conserved, gap_free, unique
from analysis.judging import judge_run
from analysis.outputs import junit_xml, verdict_json
from analysis.run import Run
from analysis.verdict import Finding, Verdict, worst
from tests.runs import busy, lost, ok, read, recorded, run_of

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE

Check = Callable[[Run], Finding]


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


def test_hostile_text_in_outputs() -> None:
    rows = [ok(0, 1, 5, worker="<b>&\x00\x1b"), ok(2, 3, 5, worker="]]>")]
    judgement = judge_run(run_of(rows, run_id="<x>", initial=4))
    suite = ET.fromstring(junit_xml(judgement))  # noqa: S314 -- our own output
    assert suite.attrib["failures"] == "2"
    assert suite.find("testcase[@name='unique']/failure") is not None
    assert "5 was returned twice" in verdict_json(judgement)
    assert str(judgement).startswith("FAIL  <x>")


LEAST, MOST = -(2**63), 2**63 - 1


@pytest.mark.parametrize(
    ("rows", "fields", "failing"),
    [
        ([ok(0, 1, LEAST + 1)], {"initial": LEAST, "final": MOST}, {"gap-free", "conserved"}),
        ([ok(0, 1, MOST), ok(0, 1, 0)], {"initial": LEAST}, {"gap-free", "conserved"}),
        ([read(0, 1, MOST)], {"initial": LEAST}, {"gap-free"}),
        ([], {"initial": LEAST, "final": MOST}, {"gap-free", "conserved"}),
        ([ok(0, 1, LEAST)], {"initial": MOST}, {"bounded", "conserved"}),
        ([ok(0, 1, MOST), ok(2, 3, MOST - 1)], {"initial": MOST - 2}, {"ordered"}),
        ([ok(LEAST, MOST, 1), ok(LEAST, LEAST, 2), ok(MOST, MOST, 3)], {}, set()),
        ([ok(LEAST, MOST, 1), ok(LEAST, LEAST, 3), ok(MOST, MOST, 2)], {}, {"ordered"}),
        ([ok(LEAST, LEAST + 1, 2), lost(MOST)], {}, {"gap-free"}),
        ([ok(0, 1, 2), lost(0)], {"window_ns": 2**80}, set()),
        ([ok(0, 1, 2), lost(MOST - 1)], {"window_ns": MOST}, {"gap-free"}),
    ],
)
def test_numbers_at_the_ends_of_64_bits(
    rows: list[dict[str, Any]], fields: dict[str, Any], failing: set[str]
) -> None:
    findings = judge_run(run_of(rows, **fields)).findings
    assert {finding.check for finding in findings if finding.verdict is FAIL} == failing
    assert not [f.summary for f in findings if f.summary.startswith("The check itself broke")]
