"""What an ordinary run's report says of controls, and of a fault that stood before its counter."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from analysis.alarms import Heard, find_controls
from analysis.controls import Seen, compare_series
from analysis.report import page, write_report
from history.manifest import Manifest, read_manifest
from history.series import SensitivityFolder, Series, SeriesFolder
from tests.control_series import CACHE, CORRECT, SKIPPED, series_of, store_series
from tests.report.builders import finding, judgement_of, manifest_of, ok, run_of
from tests.report.pagecheck import Page, checked
from tests.report.undrawn import leave_undrawn

MANIFEST = manifest_of()
LINK = "../controls-20260102T030000Z-abc1234/controls.html"
HOSTILE = '<script>alert("1")</script>\u202e\x00\x1b[31m'
QUESTION = "Controls: were the alarms seen to ring?"


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_undrawn(monkeypatch)


def reported(manifest: Manifest | None, controls: Heard | None = None, *links: str) -> Page:
    run = run_of([ok(1, 5, 9)], manifest=manifest)
    found = page.render(run, judgement_of(run, finding("unique")), Path("/nowhere"), controls)
    return checked(found, frozenset(links))


def series(**changes: Any) -> Series:
    return series_of(CORRECT, CACHE, SKIPPED, manifest=MANIFEST, **changes)


def heard(told: Series, link: str = "") -> Heard:
    seen = {
        "correct": Seen(verdict="PASS", checks={"unique": "PASS"}),
        "cache": Seen(verdict="PASS", checks={"unique": "PASS"}, fault="cache", injected=3),
    }
    return Heard(series=told, result=compare_series(told, seen), link=link)


def test_controls_of_the_same_stack_are_told() -> None:
    longer = dataclasses.replace(MANIFEST.load, duration_s=5, rate_per_s=1_200.5, shape="burst")
    found = reported(MANIFEST, heard(series(load=longer, commit="fed9876"), LINK), LINK)
    for words in (
        QUESTION,
        "the newest such series ended 2026-01-02 03:02:00 UTC. 1 of 2 controls showed",
        "what was expected: 1 alarm did not ring.",
        "the same settings as this run's but for DURATION 5 s (this run: 30 s), RATE 1,200.5",
        "1,200.5 (this run: 0), SHAPE burst (this run: constant).",
        "Gapless was at commit fed9876 with uncommitted changes then, and at abc1234 with",
        "correct expected: PASS got: PASS as expected the counter as it is",
        "cache expected: FAIL in unique got: PASS alarm did not ring expected FAIL in unique, got",
        "other expected: FAIL in unique skipped: there is no other engine",
        "What each control showed, check by check",
    ):
        assert words in found.text
    assert {"href": LINK} in found.all("a")


def test_the_same_load_by_the_same_commit_is_told_so() -> None:
    text = reported(MANIFEST, heard(series())).text
    assert "Their load had the same settings as this run's. Gapless was at the same commit" in text
    assert "check by check" not in text
    old = reported(MANIFEST, heard(series(returns="old"))).text
    assert "but for RETURNS old (this run: new)." in old
    by_page = MANIFEST.replace(load=dataclasses.replace(MANIFEST.load, users=0))
    assert "made in Locust's page" in reported(by_page, heard(series())).text


def test_a_series_that_nobody_judged_is_told_with_what_judges_it() -> None:
    text = reported(MANIFEST, Heard(series=series())).text
    name = "controls-20260102T030000Z-abc1234"
    assert f"It was not judged yet: python -m analysis controls {name} does that." in text
    assert "expected:" not in text


def test_without_controls_the_command_that_runs_them_is_told() -> None:
    text = reported(MANIFEST).text
    assert "No controls were run on this kind of stack" in text
    assert "make controls TARGET=local STACK=gapless RETURNS=new DURATION=30s SHAPE=" in text
    paged = MANIFEST.replace(load=dataclasses.replace(MANIFEST.load, users=0))
    assert "make controls TARGET=local STACK=gapless RETURNS=new C" not in reported(paged).text


def test_a_history_file_has_no_such_section() -> None:
    found = reported(None)
    assert QUESTION not in found.text
    assert {"href": "#controls"} not in found.all("a")


def test_a_control_says_what_it_is() -> None:
    text = reported(MANIFEST, Heard(series=series(), own="cache")).text
    assert "This run is itself a control, “cache” of the series controls-2026" in text
    assert "answers twice. Expected of it: FAIL in unique." in text
    assert "and is none of them" in reported(MANIFEST, Heard(series=series(), own="x")).text


def test_foreign_text_is_shown_and_does_nothing() -> None:
    control = dataclasses.replace(CACHE, name=HOSTILE, meaning=HOSTILE, check=HOSTILE)
    load = dataclasses.replace(MANIFEST.load, shape=HOSTILE)
    told = series_of(control, manifest=MANIFEST, series_id=HOSTILE, commit=HOSTILE, load=load)
    counts = {HOSTILE: 1, "injected": 2}
    manifest = MANIFEST.replace(fault=HOSTILE, fault_counts=counts)
    result = compare_series(told, {HOSTILE: Seen(problem=HOSTILE)})
    for one in (Heard(series=told, result=result), Heard(series=told, own=HOSTILE)):
        found = reported(manifest, one)
        assert '<script>alert("1")</script>' in found.text
        assert not {"\u202e", "\x00", "\x1b"} & set(found.source)


COUNTS = {"received": 900, "sent": 909, "answered": 900, "injected": 9}


@pytest.mark.parametrize(
    ("fault", "counts", "says"),
    [
        pytest.param(
            "resend:0.01",
            COUNTS,
            (
                "Fault injected 9 times: resend:0.01, which sends that share of the requests on",
                "this verdict is about the counter as seen through it.",
                "fault injected resend:0.01, which sends",
                "the intermediary's counts received 900, sent 909, answered 900, injected 9",
                "SEED=42 FAULT=resend:0.01",
            ),
            id="resend",
        ),
        pytest.param(
            "of-next-year",
            {},
            ("Fault injected: of-next-year. An intermediary", "FAULT=of-next-year"),
            id="unknown",
        ),
        pytest.param(
            "none",
            {"injected": 0},
            (
                "Through an intermediary: one that passes every request and every answer on",
                "FAULT=none",
            ),
            id="none",
        ),
    ],
)
def test_a_fault_is_told_in_the_banner_the_facts_and_the_command(
    fault: str, counts: dict[str, int], says: tuple[str, ...]
) -> None:
    text = reported(MANIFEST.replace(fault=fault, fault_counts=counts)).text
    for words in says:
        assert words in text
    assert text.index("seen through it") < text.index("Operations1:")


def test_a_manifest_of_before_faults_has_none(tmp_path: Path) -> None:
    fields = dataclasses.asdict(MANIFEST)
    old = {name: value for name, value in fields.items() if not name.startswith("fault")}
    (tmp_path / "manifest.json").write_text(json.dumps(old))
    text = reported(read_manifest(tmp_path / "manifest.json")).text
    assert "Fault injected" not in text
    assert "fault injected" not in text
    assert "FAULT=" not in text


OTHER_STACKS: dict[str, Any] = {
    "host": "load-2",
    "engine": "dynalite",
    "template_sha256": "0" * 64,
    "stack": "another",
    "target": "aws",
}


def test_the_newest_finished_series_of_the_same_stack_is_found(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    assert find_controls(run, MANIFEST) is None
    for at, (name, value) in enumerate(OTHER_STACKS.items()):
        store_series(tmp_path, series(series_id=f"controls-2030-{at}", **{name: value}))
    unread = store_series(tmp_path, series(series_id="controls-2031"))
    unread.series.write_text("{}")
    store_series(tmp_path, series(series_id="controls-2032", ended_utc=None))
    assert find_controls(run, MANIFEST) is None

    store_series(tmp_path, series(series_id="controls-a", started_utc="2026-01-01T00:00:00Z"))
    newest = store_series(tmp_path, series())
    found = find_controls(run, MANIFEST)
    assert found == Heard(series=series())
    newest.grid.touch()
    newest.result.write_text("{}")
    assert find_controls(run, MANIFEST) == Heard(series=series(), link=LINK)
    result = heard(series()).result
    assert result is not None
    newest.result.write_text(json.dumps(dataclasses.asdict(result)))
    assert find_controls(run, MANIFEST) == Heard(series=series(), result=result, link=LINK)
    later = dataclasses.asdict(result) | {"schema_version": 2}
    newest.result.write_text(json.dumps(later))
    assert find_controls(run, MANIFEST) == Heard(series=series(), link=LINK)


def test_a_run_of_a_measurement_finds_them_one_folder_up(tmp_path: Path) -> None:
    run = tmp_path / "sensitivity-1" / "resend-1in10-1"
    run.mkdir(parents=True)
    SensitivityFolder(run.parent).series.write_text("{}")
    stored = store_series(tmp_path, series())
    stored.grid.touch()
    assert find_controls(run, MANIFEST) == Heard(series=series(), link=f"../{LINK}")


def test_a_server_at_another_url_is_another_counter(tmp_path: Path) -> None:
    by_url = MANIFEST.replace(target="url", url="http://127.0.0.1:1/")
    store_series(tmp_path, series_of(CORRECT, manifest=by_url))
    assert find_controls(tmp_path / "run", by_url) is not None
    assert find_controls(tmp_path / "run", by_url.replace(url="http://127.0.0.1:2/")) is None


def test_a_controls_run_finds_the_series_that_it_lies_in(tmp_path: Path) -> None:
    folder = store_series(tmp_path, series())
    found = find_controls(folder.run(CACHE), MANIFEST)
    assert found == Heard(series=series(), own="cache")
    folder.grid.touch()
    found = find_controls(folder.run(CACHE), MANIFEST)
    assert found == Heard(series=series(), own="cache", link="../controls.html")
    folder.series.write_text("[]")
    assert find_controls(folder.run(CACHE), MANIFEST) is None


def test_the_report_looks_for_controls_itself(tmp_path: Path) -> None:
    folder: SeriesFolder = store_series(tmp_path, series())
    folder.grid.touch()
    (tmp_path / "run").mkdir()
    run = run_of([ok(1, 5, 9)], manifest=MANIFEST)
    judgement = judgement_of(run, finding("unique"))
    path = tmp_path / "run" / "report.html"
    write_report(path, run=run, judgement=judgement)
    found = checked(path.read_text(encoding="utf-8"), frozenset({LINK}))
    assert {"href": LINK} in found.all("a")
    assert (path.parent / LINK).resolve() == folder.grid.resolve()
