"""The page on literal runs: whatever was recorded, it can be read and harms nobody."""

import dataclasses
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from analysis.report import page, write_report
from analysis.report.wording import CHECKS
from analysis.run import Run
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict
from history.errors import UserError
from history.manifest import KnownValue
from history.operation import INT64_MAX, INT64_MIN, Returns
from tests.report import samples
from tests.report.builders import (
    ORIGIN_NS,
    evidence_of,
    finding,
    judgement_of,
    manifest_of,
    ok,
    run_of,
    unanswered,
)
from tests.report.pagecheck import Page, checked
from tests.report.undrawn import leave_undrawn

HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(1)>\u202e\x00\x1b[31m'


def rendered(run: Run, *findings: Finding, folder: Path = Path()) -> Page:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return checked(page.render(run, judgement_of(run, *findings), folder))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_undrawn(monkeypatch)


words_only = pytest.mark.usefixtures("undrawn")


HISTORIES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "empty": ([], {}),
    "a single operation": ([ok(1, 5, 9)], {}),
    "an operation that took no time": ([ok(1, 5, 5)], {}),
    "only unanswered": ([unanswered(5), unanswered(9)], {}),
    "only rejected": (
        [{"start_ns": 1, "end_ns": 4, "outcome": "rejected", "status": 429, "reason": "throttled"}],
        {},
    ),
    "decrements": (
        [ok(1, 0, 10), ok(0, 20, 30, kind="decrement"), ok(1, 40, 50), unanswered(60)],
        {},
    ),
    "largest values": ([ok(INT64_MAX - at, at, at + 5) for at in range(5)], {}),
    "values of wildly different size": (
        [ok(value, at, at + 5) for at, value in enumerate((INT64_MIN, 1, 2, 3, INT64_MAX))],
        {},
    ),
    "times of wildly different size": ([ok(1, INT64_MIN, 3), ok(2, 1, INT64_MAX - 1)], {}),
    "an end before its start": ([ok(1, 50, 3), ok(2, 60, 70)], {}),
    "an answer without an end": ([{**ok(1, 5, 9), "end_ns": None}], {}),
    "old values": ([ok(0, 0, 5), ok(1, 6, 9), ok(1, 6, 9)], {"returns": Returns.OLD}),
    "a read": ([ok(1, 0, 5), ok(1, 6, 9, kind="read")], {}),
    "an open loop": ([ok(at, at, at + 9, intended_ns=at - 3) for at in range(30)], {}),
    "many generators": ([ok(at, at, at + 9, source=f"s{at}") for at in range(30)], {}),
    "no generator": ([ok(1, 5, 9, source=None)], {}),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_every_history_gives_a_readable_page(name: str) -> None:
    rows, more = HISTORIES[name]
    run = run_of(rows, **more)
    found = rendered(run, finding("unique", Verdict.INCONCLUSIVE))
    assert "INCONCLUSIVE" in found.text
    assert "nan" not in found.text.lower().split()
    assert bool(found.images) == bool(rows)


def test_foreign_text_is_shown_and_does_nothing() -> None:
    rows = [
        ok(at, at, at + 9, source=HOSTILE, worker=HOSTILE + "x" * 10_000, reason=HOSTILE, host="$")
        for at in (1, 1, 2)
    ]
    manifest = manifest_of(
        run_id=HOSTILE, target=HOSTILE, url=HOSTILE, host=HOSTILE, versions={HOSTILE: HOSTILE}
    )
    run = run_of(rows, run_id=HOSTILE, manifest=manifest)
    found = rendered(
        run,
        finding(
            "unique",
            Verdict.FAIL,
            summary=HOSTILE,
            counts={HOSTILE: 1},
            evidence=(evidence_of(run, HOSTILE, 0, 1),),
        ),
        finding(HOSTILE, Verdict.FAIL),
    )
    assert '<script>alert("1")</script>' in found.text
    assert not {"\u202e", "\x00", "\x1b"} & set(found.source)
    assert all("<script" not in svg for svg in found.images)
    assert f"({10_000 + len(HOSTILE):,d} characters)" in found.text
    assert len(found.source) < 600_000


@words_only
@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        pytest.param(Verdict.PASS, "In this run no number was handed out twice.", id="pass"),
        pytest.param(
            Verdict.FAIL,
            "The counter handed out the same number more than once: do not use these numbers as "
            "unique event numbers.",
            id="fail",
        ),
        pytest.param(
            Verdict.INCONCLUSIVE,
            "this run is no evidence that the counter is safe to use.",
            id="inconclusive",
        ),
    ],
)
def test_the_banner_says_what_the_verdict_means(verdict: Verdict, says: str) -> None:
    found = rendered(run_of([ok(1, 5, 9)]), finding("unique", verdict))
    assert says in found.text
    assert f"banner {verdict.lower()}" in found.source
    assert ("What would decide it: Run a load that gets answers." in found.text) == (
        verdict is Verdict.INCONCLUSIVE
    )


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_banner_of_a_pass_says_how_rare_a_fault_could_hide(verdict: Verdict) -> None:
    tried = finding("exercised", counts={"detectable_one_in": 7_510, "overlapping_share": 0.9998})
    found = rendered(run_of([ok(1, 5, 9)]), finding("unique", verdict), finding("gap-free"), tried)
    says = "No fault was found; had one request in 7,510 been handled non-atomically, so that"
    assert (says in found.text) == (verdict is Verdict.PASS)
    assert "shows faults in one request of 7,510" in found.text
    assert "overlapping another 100.0 %" in found.text


@words_only
def test_a_check_that_only_informs_is_not_in_the_banner() -> None:
    weak = finding("exercised", Verdict.INCONCLUSIVE, decides=False, summary="Two operations.")
    found = rendered(run_of([ok(1, 5, 9)]), finding("unique"), weak)
    assert "banner pass" in found.source
    assert "informs only" in found.text
    assert "What would decide it" not in found.text


@pytest.mark.parametrize("check", [*CHECKS, "a-check-of-next-year"])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_check_has_words(check: str, verdict: Verdict) -> None:
    found = rendered(run_of([]), finding(check, verdict, summary="Seven of nine."))
    assert f"{check} {verdict}" in found.text
    assert "Seven of nine." in found.text


def test_a_judgement_without_checks_can_be_read() -> None:
    assert "No check was decided." in rendered(run_of([])).text


@words_only
def test_evidence_is_shown_with_its_operations() -> None:
    rows = [
        ok(7, ORIGIN_NS, ORIGIN_NS + 1_500_000, worker="swarm-0/1"),
        ok(7, ORIGIN_NS + 250_000_000, ORIGIN_NS + 251_000_000, worker="swarm-0/2", attempts=2),
    ]
    run = run_of(rows, manifest=manifest_of())
    piece = evidence_of(run, "7 was answered twice.", 0, 1)
    found = rendered(
        run,
        finding("unique", Verdict.FAIL, evidence=(piece,) * EVIDENCE_CAP, evidence_total=1_234),
    )
    assert "Showing 20 of 1,234." in found.text
    assert "7 was answered twice." in found.text
    first = "0 7 swarm swarm-0/1 increment ok integer 200 10:15:00.000000 10:15:00.001500 1.500 1"
    second = "1 7 swarm swarm-0/2 increment ok integer 200 10:15:00.250000 10:15:00.251000 1.000 2"
    assert first in found.text
    assert second in found.text


@words_only
def test_without_a_manifest_times_are_relative() -> None:
    run = run_of([ok(1, ORIGIN_NS, ORIGIN_NS + 9_000), unanswered(ORIGIN_NS + 2_000_000_000)])
    found = rendered(run, finding("x", Verdict.FAIL, evidence=(evidence_of(run, "these", 0, 1),)))
    assert "start (after the first)" in found.text
    assert "+0.000000 s +0.000009 s 0.009" in found.text
    assert "+2.000000 s \u2013 \u2013 1" in found.text


def test_evidence_that_is_a_traceback_keeps_its_lines() -> None:
    text = "Traceback (most recent call last):\n  File …\nKeyError: 'value'"
    found = rendered(
        run_of([]), finding("unique", Verdict.INCONCLUSIVE, evidence=(Evidence(summary=text),))
    )
    assert "Traceback (most recent call last):\n  File …\nKeyError: &#39;value&#39;" in found.source


@words_only
def test_evidence_with_very_many_operations_is_cut() -> None:
    run = run_of([ok(at, at, at + 9) for at in range(50)])
    piece = evidence_of(run, "all of them", *range(50))
    found = rendered(run, finding("ordered", Verdict.FAIL, evidence=(piece,)))
    assert "(showing 20 of 50 operations)" in found.text


@words_only
def test_outcomes_are_counted_by_generator() -> None:
    rows = [ok(at, at * 10**9, at * 10**9 + 5) for at in range(11)]
    rows += [unanswered(3, source="locust")]
    rows += [{"start_ns": 4, "end_ns": 6, "outcome": "rejected", "source": "locust", "status": 429}]
    text = rendered(run_of(rows), finding("unique")).text
    assert "swarm 11 0 0 11 84.6 % 1.1" in text
    assert "locust 0 1 1 2 15.4 % \u2013" in text
    assert "all 11 1 1 13 100.0 % 1.1" in text
    assert "increment rejected \u2013 429 1 7.7 %" in text


@words_only
def test_latency_is_shown_with_and_without_waiting() -> None:
    rows = [ok(at, at * 10**6, (at + 2) * 10**6, intended_ns=(at - 1) * 10**6) for at in range(100)]
    found = rendered(run_of(rows), finding("unique"))
    assert "swarm service 2.00 2.00 2.00 2.00 2.00 100" in found.text
    assert "swarm response 3.00 3.00 3.00 3.00 3.00 100" in found.text
    (alt,) = (image["alt"] for image in found.all("img") if "percentile" in image["alt"])
    assert "generators: median 2\u00a0ms, 99th percentile 2\u00a0ms, maximum 2\u00a0ms." in alt
    assert "Response time: median 3\u00a0ms, 99th percentile 3\u00a0ms, maximum 3\u00a0ms." in alt
    assert "coordinated omission" in found.text


def test_the_staircase_marks_what_is_wrong() -> None:
    rows = [ok(1, 0, 5), ok(2, 10, 15), ok(2, 10, 16), ok(9, 20, 25), ok(6, 40, 45)]
    found = rendered(run_of([*rows, unanswered(30)]), finding("unique"))
    alts = " ".join(image["alt"] for image in found.all("img"))
    assert "Marked: 2 same number again, 1 out of order, 5 missing." in alts
    assert "indeterminate request sent (1)" in found.images[3]
    late = rendered(run_of([ok(2, 0, 5), ok(1, 10, 15)]), finding("unique"))
    assert any("1 out of order" in image["alt"] for image in late.all("img"))


@words_only
def test_holes_before_the_first_and_after_the_last_number_are_marked() -> None:
    found = rendered(run_of([ok(3, 0, 5)], initial=0, final=5), finding("unique"))
    assert any("Marked: 4 missing." in image["alt"] for image in found.all("img"))
    beyond = rendered(run_of([ok(3, 0, 5)], initial=10**30, final=10**30), finding("unique"))
    assert any("No value is repeated" in image["alt"] for image in beyond.all("img"))


def test_the_close_up_shows_the_evidence_among_its_neighbours() -> None:
    rows = [ok(at, at * 1000, at * 1000 + 5) for at in range(1, 100) if at != 60]
    rows.append(unanswered(60_000, worker="swarm-0/9"))
    run = run_of(rows)
    found = rendered(
        run,
        finding("gap-free", Verdict.INCONCLUSIVE, evidence=(evidence_of(run, "60", 98),)),
    )
    (alt,) = (image["alt"] for image in found.all("img") if "evidence" in image["alt"])
    assert "In focus: row 98 with no value." in alt
    (drawn, *_) = (svg for svg in found.images if "swarm-0/9" in svg)
    for label in ("60 missing", "no value", "59", "61"):
        assert f">{label}</text>" in drawn


def mixed_run(**more: object) -> Run:
    """Up and down again and again; one decrement got no answer."""
    rows = []
    for at in range(0, 40, 2):
        rows.append(ok(101, at * 1000, at * 1000 + 5))
        rows.append(ok(100, at * 1000 + 1000, at * 1000 + 1005, kind="decrement"))
    rows.append(unanswered(20_500, kind="decrement", worker="swarm-0/9"))
    return run_of(rows, initial=100, final=100, **more)


def test_a_mixed_runs_figures_mark_nothing_and_tell_the_kinds_apart() -> None:
    run = mixed_run()
    found = rendered(
        run,
        finding("balanced", Verdict.INCONCLUSIVE, evidence=(evidence_of(run, "one", 40),)),
    )
    text, alts = found.text, " ".join(image["alt"] for image in found.all("img"))
    assert "Of them 20 were answered to decrements, so values go up and down." in alts
    assert "Marked" not in alts
    assert "numbers come back, so that no number is wrong by itself" in text
    assert "A correct counter climbs" not in text
    staircase, close_up = found.images[-2:]
    for label in ("value answered to an increment", "value answered to a decrement"):
        assert label in staircase
    # The unanswered one stands where it was sent: after 21 answers, before the others.
    labels = re.findall(r">(101 \u2191|100 \u2193|no value \u2193)</text>", close_up)
    up, down = "101 \u2191", "100 \u2193"
    assert labels == [*(up, down) * 5, up, "no value \u2193", *(down, up) * 5]
    assert "next in time of the answer, \u2191 is an increment and \u2193 a decrement" in text


@words_only
def test_a_mixed_run_is_told_in_words_that_hold_for_it() -> None:
    manifest = manifest_of(
        load=dataclasses.replace(manifest_of().load, decrements=0.2), integration_timeout_ms=29_000
    )
    run = mixed_run(manifest=manifest)
    undecided = [finding(name, Verdict.INCONCLUSIVE) for name in ("balanced", "ordered")]
    text = rendered(run, finding("bounded"), *undecided).text
    for words in (
        "41: 40 ok, 0 rejected, 1 indeterminate; 21 decrements among them",
        "Values handed out100 to 101",
        "decrements 20 % of all requests, at random by the seed",
        "integration time-out 29,000 ms",
        "RATE=0 DECREMENTS=0.2 PROCESSES=1",
        "There is an order of all increments and decrements that agrees with real time",
        "no higher than all increments, no lower than all decrements take it",
        "a longer search (SEARCH_BUDGET_S)",
    ):
        assert words in text
    for words in ("the earlier one has the smaller number", "supply bounds for their clocks"):
        assert words not in text


def test_a_generator_name_is_not_mathematics() -> None:
    run = run_of([ok(at, at, at + 9, source="$x^2$") for at in range(20)])
    assert "$x^2$" in rendered(run, finding("unique")).images[0]


@words_only
def test_the_run_is_described() -> None:
    manifest = manifest_of(
        final=KnownValue(value=None, how="the table could not be read"),
        interrupted="Ctrl-C after 12 s",
        ended_utc=None,
    )
    text = rendered(run_of([ok(1, 5, 9)], manifest=manifest), finding("unique")).text
    for words in (
        "interrupted Ctrl-C after 12 s",
        "ended unknown",
        "final value unknown (the table could not be read)",
        "commit abc1234 with uncommitted changes",
        "Locust 20 users in 1 process, closed loop, 20 started a second",
        "swarm 50 connections in 1 process by aiohttp, closed loop",
        "locust locust killed by signal 9 20,000 not closed",
        "make verify-atomicity RUN=20261122T101500Z-abc1234",
        "make loadtest TARGET=local STACK=gapless RETURNS=new DURATION=30s",
        "SHAPE=constant USERS=20 SPAWN_RATE=20 LOCUST_PROCESSES=1 CONNECTIONS=50",
        "TRANSPORT=aiohttp RATE=0 PROCESSES=1 TIMEOUT=10 INITIAL=1 SEED=42",
    ):
        assert words in text


def test_another_server_is_named_by_its_url() -> None:
    manifest = manifest_of(target="url", url="http://127.0.0.1:8000/a b;rm")
    text = rendered(run_of([], manifest=manifest, allow_unanswered=3), finding("unique")).text
    assert "make loadtest URL='http://127.0.0.1:8000/a b;rm' DURATION=30s" in text
    assert "SEED=42 ALLOW_UNANSWERED=3" in text


def test_a_history_file_is_judged_again_with_its_options() -> None:
    run = run_of([], run_id="my history.csv", initial=5, final=9, allow_unanswered=2)
    text = rendered(run, finding("unique")).text
    command = "verify 'my history.csv' --initial 5 --final 9 --returns new --allow-unanswered 2"
    assert f"python -m analysis {command}" in text


@words_only
def test_only_files_that_are_there_are_linked(tmp_path: Path) -> None:
    run = run_of([ok(1, 5, 9)], manifest=manifest_of())
    path = tmp_path / "report.html"
    judgement = judgement_of(run, finding("unique"))
    write_report(path, run=run, judgement=judgement)
    without = checked(path.read_text(encoding="utf-8"))
    (tmp_path / "locust.html").touch()
    write_report(path, run=run, judgement=judgement)
    beside = checked(path.read_text(encoding="utf-8"))
    assert {"href": "locust.html"} not in without.all("a")
    assert {"href": "locust.html"} in beside.all("a")
    assert {"href": "operations.parquet"} in without.all("a")


def test_the_same_run_gives_the_same_bytes() -> None:
    run = run_of([ok(at, at, at + 9) for at in range(20)], manifest=manifest_of())
    judgement = judgement_of(run, finding("unique"))
    assert page.render(run, judgement, Path()) == page.render(run, judgement, Path())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    run = run_of([])
    with pytest.raises(UserError, match="cannot be written"):
        write_report(tmp_path / "no" / "r.html", run=run, judgement=judgement_of(run))


def test_a_long_run_gives_a_small_page() -> None:
    run, judgement = samples.passing(200_000)
    assert len(page.render(run, judgement, Path())) < 1_000_000
