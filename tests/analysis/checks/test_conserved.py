"""Findings of `conserved` on literal rows."""

import dataclasses
from typing import Any

import pytest

from analysis.checks import conserved
from analysis.verdict import Verdict
from tests.analysis.checks.finding import assert_finding
from tests.runs import busy, lost, new_manifest, ok, recorded, run_of

PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("rows", "fields", "verdict", "summary"),
    [
        pytest.param(
            [ok(0, 1, 1)],
            {"final": 3},
            FAIL,
            "The counter grew by 3 (from 0 to final value 3); the answers account for 1 "
            "increment: 2 happened that no request can account for.",
            id="unseen increments",
        ),
        pytest.param(
            [ok(0, 1, 1)],
            {"final": 2},
            FAIL,
            "The counter grew by 2 (from 0 to final value 2); the answers account for 1 "
            "increment: 1 happened that no request can account for.",
            id="one unseen increment",
        ),
        pytest.param(
            [ok(0, 1, 1), ok(0, 1, 1)],
            {},
            FAIL,
            "The counter grew by 1 (from 0 to largest value returned 1); the answers account for "
            "2 increments: 1 more was answered than happened.",
            id="one more than happened",
        ),
        pytest.param(
            [ok(0, 1, 1), lost(0)],
            {"final": 2},
            PASS,
            "The counter grew by 2 (from 0 to final value 2); the answers account for 1 "
            "increment, up to 2 with the unanswered ones: they agree.",
            id="lost answer counts",
        ),
        pytest.param(
            [ok(0, 1, 1)],
            {"manifest": new_manifest()},
            INCONCLUSIVE,
            "The counter's final value is not known, so the sum could not be checked: it would "
            "be decided by --final, or a read at the end.",
            id="a run without final value",
        ),
    ],
)
def test_findings(
    rows: list[dict[str, Any]], fields: dict[str, Any], verdict: Verdict, summary: str
) -> None:
    assert_finding(conserved.check(run_of(rows, **fields)), verdict, summary)


def test_answers_beyond_what_happened_fail_though_records_are_missing() -> None:
    run = dataclasses.replace(recorded(busy(), sealed=False), final=1_999)
    assert conserved.check(run).verdict is FAIL
