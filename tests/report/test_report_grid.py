"""The page of a series of controls: whatever came of it, it can be read and harms nobody."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import pytest

from analysis.checks import OF_INCREMENTS
from analysis.controls import Seen, SeriesResult, compare_series
from analysis.report import grid
from history.series import Control, Series
from tests.control_series import CACHE, CORRECT, DROP, SKIPPED, THROTTLE, series_of
from tests.report import control_samples
from tests.report.pagecheck import Page, checked

FILES = frozenset({"controls.json", "series.json"})
HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(1)>\u202e\x00\x1b[31m'
CAUGHT = Seen(
    verdict="FAIL",
    checks={"unique": "FAIL", "ordered": "PASS"},
    operations={"total": 1_500, "ok": 1_499, "rejected": 1, "indeterminate": 0},
    fault="cache:5",
    injected=1,
    evidence="700 was returned twice.",
    evidence_total=1,
)


def shown(
    series: Series, seen: Mapping[str, Seen], folder: Path = Path("/nowhere"), *links: str
) -> Page:
    return page_of(series, compare_series(series, seen), folder, *links)


def page_of(series: Series, result: SeriesResult, folder: Path, *links: str) -> Page:
    return checked(grid.render(series, result, folder, tuple(OF_INCREMENTS)), FILES | set(links))


def test_all_as_expected() -> None:
    found = page_of(*control_samples.judged(control_samples.GOOD), Path("/nowhere"))
    for words in (
        "All 12 controls as expected",
        "Every alarm was seen to ring where a counter was wrong",
        "Controls12 run, 1 skipped",
        "resendsends that share of the requests on twice and gives the second answer",
        "skipped: needs PUT, which the server at URL has not",
        "resend FAIL injected 118 times, 118 pieces of evidence in gap-free 128 is missing",
        "throttle FAULT=throttle 1,190 11,842",
        "dynalite ENGINE=dynalite \u2013 4,420",
        "swarm 50 connections in 1 process by aiohttp, closed loop",
        "commit abc1234 with uncommitted changes",
        "python -m analysis controls controls-20261122T090000Z-abc1234",
        "make controls TARGET=local STACK=gapless RETURNS=new DURATION=10s SHAPE=constant",
        "TIMEOUT=10 SEED=42 FAULT=lost-update",
    ):
        assert words in found.text
    assert found.all("section")[0]["class"] == "banner pass"
    heads = [words.strip() for words in found.words]
    assert [name for name in heads if name in OF_INCREMENTS][:7] == list(OF_INCREMENTS)


def test_the_named_check_is_marked_and_every_verdict_is_a_word() -> None:
    found = shown(series_of(CACHE), {"cache": CAUGHT})
    cells = [attributes for attributes in found.all("td") if "data-label" in attributes]
    assert [(cell["data-label"], cell.get("class", "")) for cell in cells] == [
        ("expected", ""),
        ("got", ""),
        ("unique", "named"),
        ("ordered", ""),
    ]
    assert "cacheanswers twice FAIL in unique FAIL as expected FAIL PASS" in found.text
    assert "injected 1 time, 1 piece of evidence in unique 700 was returned twice." in found.text


@pytest.mark.parametrize(
    ("control", "seen", "banner", "says"),
    [
        pytest.param(
            CACHE,
            dataclasses.replace(CAUGHT, verdict="PASS", checks={"unique": "PASS"}),
            "fail",
            (
                "1 of 1 control not as expected 1 alarm did not ring",
                "cache: alarm did not ring: expected FAIL in unique, got PASS",
                "No alarm rang that was expected to.",
            ),
            id="silent",
        ),
        pytest.param(
            THROTTLE,
            dataclasses.replace(CAUGHT, fault="throttle"),
            "fail",
            (
                "1 of 1 control not as expected 1 FAIL although nothing was done to the counter",
                "throttle: false alarm: expected PASS, got FAIL in unique",
            ),
            id="false alarm",
        ),
        pytest.param(
            CACHE,
            dataclasses.replace(CAUGHT, injected=0),
            "inconclusive",
            ("Undecided 1 control decided nothing", "cache: undecided: the fault was injected 0"),
            id="idle",
        ),
        pytest.param(
            CACHE,
            Seen(problem="it left no run"),
            "inconclusive",
            (
                "cache: undecided: it left no run",
                "nothing undecided",
                "well-formed",
                "exercised",
                "cache FAULT=cache \u2013 \u2013 \u2013 \u2013 \u2013",
            ),
            id="no run",
        ),
        pytest.param(
            SKIPPED, Seen(), "inconclusive", ("Undecided No control was run.",), id="all skipped"
        ),
    ],
)
def test_what_is_not_as_expected_is_in_the_banner(
    control: Control, seen: Seen, banner: str, says: tuple[str, ...]
) -> None:
    found = shown(series_of(control), {control.name: seen})
    assert found.all("section")[0]["class"] == f"banner {banner}"
    for words in says:
        assert words in found.text


def test_a_series_that_was_cut_off_says_so() -> None:
    series = series_of(CACHE, ended_utc=None)
    found = shown(series, {"cache": CAUGHT})
    assert "Undecided The series was cut off before its end." in found.text
    assert "ended unknown" in found.text


def test_a_series_without_controls_can_be_read() -> None:
    assert "No control was run." in shown(series_of(), {}).text


def test_foreign_text_is_shown_and_does_nothing() -> None:
    control = Control(
        name=HOSTILE,
        meaning=HOSTILE,
        fault=HOSTILE,
        engine=HOSTILE,
        expected="FAIL",
        check=HOSTILE,
    )
    seen = dataclasses.replace(
        CAUGHT, checks={HOSTILE: "FAIL"}, fault=HOSTILE, evidence=HOSTILE + "x" * 10_000
    )
    odd = dataclasses.replace(control, name="odd", skipped=HOSTILE)
    lost = dataclasses.replace(control, name="lost")
    series = series_of(
        *(control, odd, lost), series_id=HOSTILE, host=HOSTILE, target=HOSTILE, url=HOSTILE
    )
    found = shown(series, {HOSTILE: seen, "lost": Seen(problem=HOSTILE)})
    assert '<script>alert("1")</script>' in found.text
    assert not {"\u202e", "\x00", "\x1b"} & set(found.source)
    assert f"({10_000 + len(HOSTILE):,d} characters)" in found.text


def test_only_reports_that_are_there_are_linked(tmp_path: Path) -> None:
    odd = dataclasses.replace(CORRECT, name="odd name#?")
    (tmp_path / odd.name).mkdir()
    (tmp_path / odd.name / "report.html").touch()
    found = shown(series_of(odd, DROP), {}, tmp_path, "odd%20name%23%3F/report.html")
    links = [anchor["href"] for anchor in found.all("a") if "report.html" in anchor["href"]]
    assert [unquote(link) for link in links] == ["odd name#?/report.html"]


def test_the_checks_of_mixed_histories_are_the_columns_where_they_were_made() -> None:
    mixed = dataclasses.replace(CAUGHT, checks={"well-formed": "PASS", "balanced": "FAIL"})
    found = shown(series_of(dataclasses.replace(CACHE, check="balanced")), {"cache": mixed})
    labels = [cell["data-label"] for cell in found.all("td") if "data-label" in cell]
    assert labels == ["expected", "got", "well-formed", "balanced"]


def test_the_same_series_gives_the_same_bytes() -> None:
    pages = {page_of(*control_samples.judged(control_samples.BAD), Path("/x")).source for _ in "ab"}
    assert len(pages) == 1
