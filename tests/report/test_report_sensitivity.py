"""The page of a measurement of sensitivity: it can be read, and harms nobody."""

import dataclasses
from pathlib import Path

import pytest

from analysis.report import sensitivity
from analysis.sensitivity.measure import Length, Measured
from analysis.sensitivity.model import Observation
from analysis.sensitivity.result import RunSeen, Sensitivity, combine
from bench.sensitivity import BY_RATE, SHORTER, write
from history.series import Control, SensitivityFolder, Series
from runner.sensitivity import Measurement, planned
from tests.control_series import series_of
from tests.report.pagecheck import Page, checked
from tests.runs import REPOSITORY

FILES = frozenset({"sensitivity.json", "runs.json"})
HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(1)>\u202e\x00'
ASKED = Measurement(faults=("lost-update", "swap"), one_in=(10, 1_000), runs=2)


def sample(**changes: str) -> tuple[Series, Sensitivity]:
    """Two faults at two rates, twice: all caught but the last of each."""
    series = series_of(*planned(ASKED), series_id="sensitivity-1")
    seen, measured = [], {}
    for control in series.controls:
        one = seen_of(control)
        seen.append(dataclasses.replace(one, **changes))
        caught = min(40, round(40 * 250 * one.rate))
        measured[one.name] = Measured(
            lengths=(Length(numbers=250, windows=40, caught=caught, requests=10_000),),
            observations=(
                *([Observation(one.rate, 0, 1_000)] * 6),
                *([Observation(one.rate, 1_000, None)] * 4),
            ),
        )
    return series, combine(series, seen, measured)


def seen_of(control: Control) -> RunSeen:
    name, amount = control.fault.split(":")
    caught = not control.name.endswith("1000-2")
    return RunSeen(
        name=control.name,
        fault=name,
        rate=float(amount),
        check=control.check,
        verdict="FAIL" if caught else "PASS",
        checked="FAIL" if caught else "PASS",
        caught=caught,
        requests=10_000,
        numbers=10_000,
        injected=round(10_000 * float(amount)),
        load_s=30.0,
    )


def shown(
    series: Series, result: Sensitivity, folder: Path = Path("/nowhere"), *links: str
) -> Page:
    page = sensitivity.render(series, result, SensitivityFolder(folder))
    return checked(page, FILES | set(links))


def test_figures_tables_and_words() -> None:
    page = shown(*sample())
    for words in (
        "sensitivity: how rare a fault is still caught",
        "lost-update 1 in 10 10,000 2,000 2 of 2 15.8 % to 100 %",
        "Detection against the rate of the fault",
        "Detection in shorter runs",
        "more load finds them, not more time",
        "make sensitivity RUNS=2 FAULTS='lost-update swap' RATES='10 1000'",
        "analysis sensitivity sensitivity-1",
    ):
        assert words in page.text, words
    assert len(page.images) == 4, "two figures, wide and narrow"
    for words in ("n = 8 runs", "n = 320 windows"):
        assert any(words in image.replace("\n", " ") for image in page.images), words


def test_reports_of_runs_are_linked(tmp_path: Path) -> None:
    series, result = sample()
    report = tmp_path / result.runs[0].name / "report.html"
    report.parent.mkdir()
    report.write_text("")
    shown(series, result, tmp_path, f"{report.parent.name}/report.html")


def test_nothing_measured_and_false_alarms() -> None:
    series, result = sample()
    nothing = dataclasses.replace(result, faults=(), runs=(), problem="no run could be judged")
    page = shown(series, nothing)
    assert "Nothing measured" in page.text
    assert page.images == []
    page = shown(series, dataclasses.replace(result, false_alarms=("swap-1in10-1",)))
    assert "1 false alarm" in page.text
    assert {"class": "banner fail", "aria-labelledby": "verdict"} in page.all("section")


def test_foreign_text_stays_text() -> None:
    series, result = sample(problem=HOSTILE, whole_because=HOSTILE)
    page = shown(
        dataclasses.replace(series, host=HOSTILE, target=HOSTILE, series_id=HOSTILE),
        dataclasses.replace(result, series_id=HOSTILE),
    )
    assert page.all("script") == []
    assert "<script>" in page.text
    assert "\u202e" not in page.text


@pytest.mark.parametrize("rates", [(2,), tuple(10 * n for n in range(1, 13))])
def test_any_rates_are_drawn(rates: tuple[int, ...]) -> None:
    asked = Measurement(faults=("repeat",), one_in=rates, runs=1)
    series = series_of(*planned(asked))
    seen = [seen_of(control) for control in series.controls]
    measured = {
        one.name: Measured(lengths=(), observations=(Observation(one.rate, 0, 10_000),))
        for one in seen
    }
    page = shown(series, combine(series, seen, measured))
    assert len(page.images) == 2, "no windows, no figure of them"


def test_a_page_of_docs_is_written(tmp_path: Path) -> None:
    page = tmp_path / "sensitivity.md"
    page.write_text((REPOSITORY / "docs" / page.name).read_text())
    write(page, *sample())
    text = page.read_text()
    assert "8 runs of 30 s, 80,000 requests in all: 20 Locust users and 50 connections" in text
    assert "| lost-update | 1 in 10 | 10,000 | 2,000 | 2 of 2 | 15.8 % to 100 % |" in text
    assert "| swap | ordered |" in text
    for name in (BY_RATE, SHORTER):
        assert f"({name})" in text
        assert (tmp_path / name).read_bytes().count(b"background: #fff") == 1
