"""What was expected beside what was seen: every combination, literally."""

import dataclasses

import pytest

from analysis.controls import Compared, Result, Seen, compare, compare_series
from analysis.verdict import Verdict
from history.series import Control, Series
from tests.runs import new_manifest

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
GOOD, SILENT, FALSE = Result.AS_EXPECTED, Result.SILENT, Result.FALSE_ALARM
UNDECIDED, SKIPPED = Result.UNDECIDED, Result.SKIPPED


def control(expected: str = FAIL, **more: str) -> Control:
    told = {"name": "resend", "meaning": "sends twice", "fault": "resend", "check": "gap-free"}
    return Control(expected=expected, **(told | more))


def seen(
    verdict: str, *, injected: int | None = 7, fault: str = "resend:0.01", **checks: str
) -> Seen:
    named = {name.replace("_", "-"): str(found) for name, found in checks.items()}
    return Seen(verdict=str(verdict), checks=named, fault=fault, injected=injected)


def told(found: Compared) -> tuple[str, str]:
    return found.result, found.problem


@pytest.mark.parametrize(
    ("expected", "got", "named", "result", "problem"),
    [
        (FAIL, FAIL, FAIL, GOOD, ""),
        (
            FAIL,
            FAIL,
            PASS,
            SILENT,
            "expected FAIL in gap-free, which says PASS (FAIL in unique instead)",
        ),
        (
            FAIL,
            FAIL,
            OPEN,
            SILENT,
            "expected FAIL in gap-free, which says INCONCLUSIVE (FAIL in unique instead)",
        ),
        (FAIL, FAIL, None, UNDECIDED, "the check gap-free was not made of this run"),
        (FAIL, PASS, PASS, SILENT, "expected FAIL in gap-free, got PASS"),
        (FAIL, PASS, None, SILENT, "expected FAIL in gap-free, got PASS"),
        (
            FAIL,
            OPEN,
            OPEN,
            UNDECIDED,
            "expected FAIL in gap-free, got INCONCLUSIVE in unique, gap-free",
        ),
        (FAIL, OPEN, PASS, UNDECIDED, "expected FAIL in gap-free, got INCONCLUSIVE in unique"),
        (OPEN, OPEN, OPEN, GOOD, ""),
        (
            OPEN,
            OPEN,
            PASS,
            SILENT,
            "expected INCONCLUSIVE in gap-free, which says PASS (INCONCLUSIVE in unique instead)",
        ),
        (
            OPEN,
            OPEN,
            FAIL,
            FALSE,
            "expected INCONCLUSIVE in gap-free, which says FAIL (INCONCLUSIVE in unique instead)",
        ),
        (OPEN, OPEN, None, UNDECIDED, "the check gap-free was not made of this run"),
        (OPEN, PASS, PASS, SILENT, "expected INCONCLUSIVE in gap-free, got PASS"),
        (OPEN, FAIL, FAIL, FALSE, "expected INCONCLUSIVE, got FAIL in unique, gap-free"),
        (OPEN, FAIL, OPEN, FALSE, "expected INCONCLUSIVE, got FAIL in unique"),
        (PASS, PASS, PASS, GOOD, ""),
        (PASS, PASS, OPEN, UNDECIDED, "expected PASS in gap-free, which says INCONCLUSIVE"),
        (PASS, OPEN, PASS, UNDECIDED, "expected PASS in gap-free, got INCONCLUSIVE in unique"),
        (PASS, FAIL, PASS, FALSE, "expected PASS, got FAIL in unique"),
    ],
)
def test_every_verdict_that_was_expected_and_got(
    expected: str, got: str, named: str | None, result: str, problem: str
) -> None:
    checks = {"unique": got} | ({} if named is None else {"gap_free": named})
    assert told(compare(control(expected), seen(got, **checks))) == (result, problem)


@pytest.mark.parametrize(
    ("expected", "got", "result"),
    [
        *[(verdict, verdict, GOOD) for verdict in Verdict],
        (PASS, FAIL, FALSE),
        (PASS, OPEN, UNDECIDED),
        (FAIL, PASS, SILENT),
        (FAIL, OPEN, UNDECIDED),
        (OPEN, PASS, SILENT),
        (OPEN, FAIL, FALSE),
    ],
)
def test_where_no_check_is_named_the_overall_verdict_decides(
    expected: str, got: str, result: str
) -> None:
    assert compare(control(expected, check=""), seen(got, unique=got)).result == result


@pytest.mark.parametrize(
    ("asked", "found", "injected", "result", "problem"),
    [
        ("resend", "resend:0.01", 1, GOOD, ""),
        ("resend:0.01", "resend", 1, GOOD, ""),
        ("resend", "resend:0.01", 0, UNDECIDED, "the fault was injected 0 times"),
        ("resend:0", "resend:0", 0, UNDECIDED, "the fault was injected 0 times"),
        (
            "resend",
            "resend:0.01",
            None,
            UNDECIDED,
            "the fault was injected an unknown number of times",
        ),
        ("none", "none", 0, GOOD, ""),
        ("", "", None, GOOD, ""),
        ("of-next-year:3", "of-next-year:3", 2, GOOD, ""),
        ("resend", "", None, UNDECIDED, "its run had no fault where resend was asked for"),
        ("", "swap:0.01", 4, UNDECIDED, "its run had swap:0.01 where no fault was asked for"),
        (
            "resend:0.1",
            "resend:0.01",
            4,
            UNDECIDED,
            "its run had resend:0.01 where resend:0.1 was asked for",
        ),
    ],
)
def test_a_fault_that_was_not_there_decides_nothing(
    asked: str, found: str, injected: int | None, result: str, problem: str
) -> None:
    run = seen(FAIL, fault=found, injected=injected, gap_free=FAIL)
    assert told(compare(control(fault=asked), run)) == (result, problem)


def test_a_false_alarm_is_one_even_if_nothing_was_injected() -> None:
    run = seen(FAIL, injected=0, unique=FAIL)
    found = compare(control(PASS, check=""), run)
    assert told(found) == (FALSE, "expected PASS, got FAIL in unique")


def test_what_left_no_verdict_is_undecided_and_what_was_skipped_does_not_count() -> None:
    assert told(compare(control(), Seen())) == (UNDECIDED, "there is no verdict")
    broken = Seen(problem="it left no run")
    assert told(compare(control(), broken)) == (UNDECIDED, "it left no run")
    assert told(compare(control(skipped="no PUT"), broken)) == (SKIPPED, "no PUT")


def series_of(*controls: Control, ended: str | None = "2026-01-02T03:05:00Z") -> Series:
    return Series(
        series_id="controls-1",
        started_utc="2026-01-02T03:04:00Z",
        ended_utc=ended,
        target="url",
        load=new_manifest().load,
        controls=controls,
    )


CAUGHT, QUIET, WEAK = seen(FAIL, gap_free=FAIL), seen(PASS, gap_free=PASS), seen(OPEN)
CUT = "the series was cut off before its end"


@pytest.mark.parametrize(
    ("runs", "ended", "result", "problem", "code"),
    [
        ([CAUGHT, CAUGHT], True, "as expected", "", 0),
        ([CAUGHT, QUIET], True, "not as expected", "", 1),
        ([WEAK, QUIET], True, "not as expected", "", 1),
        ([CAUGHT, WEAK], True, "undecided", "", 3),
        ([CAUGHT], False, "undecided", CUT, 3),
        ([QUIET], False, "not as expected", CUT, 1),
        ([CAUGHT, None], True, "undecided", "", 3),
        ([], True, "undecided", "no control was run", 3),
    ],
)
def test_a_series_is_as_good_as_its_worst_control(
    runs: list[Seen | None], *, ended: bool, result: str, problem: str, code: int
) -> None:
    controls = [control(name=f"c{number}") for number in range(len(runs))]
    skipped = control(name="other", skipped="no dynalite")
    series = series_of(*controls, skipped, ended="2026-01-02T03:05:00Z" if ended else None)
    found = compare_series(
        series,
        {f"c{number}": run for number, run in enumerate(runs) if run is not None},
    )
    assert (found.result, found.problem, found.exit_code) == (result, problem, code)
    assert [one.control.name for one in found.counted] == [one.name for one in controls]


def test_what_is_no_verdict_or_result_is_refused() -> None:
    with pytest.raises(ValueError, match="perhaps"):
        Seen(verdict="perhaps")
    with pytest.raises(ValueError, match="maybe"):
        Seen(checks={"unique": "maybe"})
    found = compare(control(), CAUGHT)
    with pytest.raises(ValueError, match="fine"):
        dataclasses.replace(found, result="fine")
