"""python -m analysis controls: a series on disk, judged, told, and exit codes."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.alarms import read_result
from analysis.index import write_index
from history.errors import EXIT_USAGE
from history.series import Control, SeriesFolder
from tests.control_series import (
    ALL,
    CACHE,
    CORRECT,
    COUNT,
    DROP,
    SKIPPED,
    THROTTLE,
    run_of_control,
    run_series,
    series_of,
    store,
    store_series,
)
from tests.report.undrawn import leave_undrawn


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_undrawn(monkeypatch)


def judged(folder: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str, str]:
    code = main(["controls", str(folder), *flags])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_every_run_is_judged_compared_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_series(tmp_path, *ALL)
    code, out, err = judged(folder.path, capsys)
    assert out == (
        "As expected  controls-20260102T030000Z-abc1234\n"
        "  All 4 controls showed what was expected.\n"
        "  control   expected                  got           result       injected  operations\n"
        "  correct   PASS                      PASS          as expected         -       1,500\n"
        "  cache     FAIL in unique            FAIL          as expected         3       1,500\n"
        "  drop      INCONCLUSIVE in gap-free  INCONCLUSIVE  as expected         3       1,500\n"
        "  throttle  PASS                      PASS          as expected         3       1,500\n"
        "  other     FAIL in unique            -             skipped             -           -"
        "  there is no other engine\n"
        f"  grid  {folder.grid}\n"
    )
    assert code == 0
    assert err.splitlines()[-1] == "judging control 4 of 5: throttle"
    for control in ALL[:-1]:
        files = {path.name for path in folder.run(control).iterdir()}
        assert files >= {"verdict.json", "junit.xml", "report.html"}
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f'<a href="{folder.path.name}/controls.html">{folder.path.name}</a>' in index
    assert "<td>as expected</td>" in index
    assert "4 of 4" in index


def test_json_is_controls_json_on_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_series(tmp_path, CACHE, SKIPPED)
    code, out, _ = judged(folder.path, capsys, "--json")
    assert (code, out.count("\n")) == (0, 1)
    told = json.loads(out)
    assert told == json.loads(folder.result.read_text(encoding="utf-8"))
    found = read_result(folder.result)
    assert found is not None
    assert dataclasses.asdict(found) == told | {"controls": tuple(told["controls"])}
    cache, other = told.pop("controls")
    assert told == {
        "schema_version": 1,
        "series_id": "controls-20260102T030000Z-abc1234",
        "result": "as expected",
        "problem": "",
    }
    assert cache["control"] == dataclasses.asdict(CACHE)
    assert cache["seen"]["verdict"] == "FAIL"
    assert cache["seen"]["checks"]["unique"] == "FAIL"
    assert cache["seen"]["operations"]["total"] == COUNT
    assert (cache["seen"]["injected"], cache["seen"]["evidence_total"]) == (3, 1)
    assert cache["seen"]["evidence"].startswith("700 was returned")
    assert (other["result"], other["problem"]) == ("skipped", "there is no other engine")


@pytest.mark.parametrize(
    ("control", "as_if", "changes", "told"),
    [
        pytest.param(CACHE, CORRECT, {}, (1, "alarm did not ring"), id="silent"),
        pytest.param(THROTTLE, CACHE, {}, (1, "false alarm"), id="false alarm"),
        pytest.param(DROP, CACHE, {}, (1, "false alarm"), id="FAIL for INCONCLUSIVE"),
        pytest.param(CACHE, DROP, {}, (3, "undecided"), id="INCONCLUSIVE for FAIL"),
        pytest.param(
            CACHE, CACHE, {"fault_counts": {"injected": 0}}, (3, "injected 0 times"), id="idle"
        ),
        pytest.param(CACHE, CACHE, {"fault_counts": {}}, (3, "an unknown number"), id="uncounted"),
        pytest.param(CACHE, CACHE, {"fault": ""}, (3, "its run had no fault"), id="another run"),
    ],
)
def test_what_is_not_as_expected_is_told_and_decides_the_exit_code(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    control: Control,
    as_if: Control,
    changes: dict[str, Any],
    told: tuple[int, str],
) -> None:
    folder = store_series(tmp_path, series_of(control))
    manifest = {"fault": control.fault, "fault_counts": {"injected": 3}} | changes
    store(folder.run(control), run_of_control(as_if, **manifest))
    code, out, _ = judged(folder.path, capsys)
    assert code == told[0]
    assert told[1] in out


def broken(run: Path) -> None:
    (run / "operations.parquet").write_bytes(b"PAR1 and no more")


def gone(run: Path) -> None:
    (run / "operations.parquet").unlink()


def newer(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 2}))


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (shutil.rmtree, "it left no run"),
        (broken, "cannot be read"),
        (gone, "the record is gone"),
        (newer, "has manifest schema version 2"),
    ],
)
def test_a_run_that_cannot_be_judged_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Any, problem: str
) -> None:
    folder = run_series(tmp_path, CORRECT, CACHE)
    harm(folder.run(CORRECT))
    code, out, _ = judged(folder.path, capsys)
    assert code == 3
    lines = out.splitlines()
    assert "undecided" in lines[3]
    assert problem in lines[3]
    assert "as expected" in lines[4]
    assert problem in folder.grid.read_text(encoding="utf-8")


def test_a_series_that_was_cut_off_is_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_series(tmp_path, CORRECT, ended_utc=None)
    code, out, _ = judged(folder.path, capsys)
    assert code == 3
    assert out.startswith("Undecided (the series was cut off before its end)  controls-")


def test_stored_verdicts_are_taken_only_if_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_series(tmp_path, CORRECT, CACHE)
    assert judged(folder.path, capsys)[0] == 0
    stored = folder.run(CACHE) / "verdict.json"
    verdict = json.loads(stored.read_text())
    for part in (verdict, *verdict["checks"]):
        part["verdict"] = "PASS"
    stored.write_text(json.dumps(verdict))
    assert judged(folder.path, capsys, "--stored")[0] == 1
    stored.write_text("no verdict")
    assert judged(folder.path, capsys, "--stored")[0] == 0  # judged where there is none to take
    assert json.loads(stored.read_text())["verdict"] == "FAIL"
    stored.write_text(json.dumps(verdict))
    assert judged(folder.path, capsys)[0] == 0
    assert json.loads(stored.read_text())["verdict"] == "FAIL"


def test_a_control_judged_alone_is_no_run_of_the_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_series(tmp_path, CORRECT)
    assert main(["verify", str(folder.run(CORRECT)), "--index"]) == 0
    assert "PASS  correct" in capsys.readouterr().out
    assert not (folder.path / "index.html").exists()
    assert folder.path.name in (tmp_path / "index.html").read_text(encoding="utf-8")
    report = (folder.run(CORRECT) / "report.html").read_text(encoding="utf-8")
    assert "This run is itself a control" in report
    assert "controls.html" not in report
    assert judged(folder.path, capsys)[0] == 0
    assert "../controls.html" in (folder.run(CORRECT) / "report.html").read_text(encoding="utf-8")


def test_a_series_is_found_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_series(tmp_path, CORRECT)
    assert judged(Path(folder.path.name), capsys, "--reports", str(tmp_path))[0] == 0


def no_series(folder: SeriesFolder) -> None:
    folder.series.unlink()


def changed(**changes: Any) -> Any:
    def change(folder: SeriesFolder) -> None:
        told = json.loads(folder.series.read_text())
        for name, value in changes.items():
            (told if name in told else told["controls"][0])[name] = value
        folder.series.write_text(json.dumps(told))

    return change


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (no_series, "holds no series of controls"),
        (
            changed(schema_version=2),
            "has series of controls schema version 2, this program reads 1",
        ),
        (changed(load=7), "is not a whole series of controls"),
        (changed(expected="perhaps"), "control correct expects 'perhaps', expected one of PASS"),
        (changed(name="../else"), "'../else' names a control"),
        (changed(name=""), "'' names a control"),
        (changed(name="cache"), "'cache' names a control"),
        (changed(name="a\x1bb"), "'a\\x1bb' names a control"),
        (lambda folder: folder.series.write_text("{"), "cannot be read as a series"),
    ],
)
def test_a_series_that_cannot_be_read_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Any, says: str
) -> None:
    folder = store_series(tmp_path, series_of(CORRECT, CACHE))
    harm(folder)
    code, out, err = judged(folder.path, capsys, "--json")
    assert code == EXIT_USAGE
    assert says in err
    error = json.loads(out)
    assert (error["series_id"], error["result"]) == (str(folder.path), None)
    assert says in error["error"]
    assert not folder.result.exists()


def test_what_is_said_of_a_run_holds_no_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = dataclasses.replace(SKIPPED, skipped="\x1b[31mno\ncorrect  PASS\u202e", check="\x1b")
    folder = store_series(tmp_path, series_of(hostile))
    code, out, _ = judged(folder.path, capsys)
    assert code == 3
    assert not {"\x1b", "\u202e"} & set(out)
    assert len(out.splitlines()) == 5


def test_the_index_lists_series_whatever_they_hold(tmp_path: Path) -> None:
    store_series(tmp_path, series_of(CORRECT))
    strange = store_series(tmp_path, series_of(CORRECT, series_id="controls-<b>"))
    strange.series.write_text("[]")
    (tmp_path / "old").mkdir()
    verdict = {"verdict": "PASS", "operations": {"total": 7}}
    (tmp_path / "old" / "verdict.json").write_text(json.dumps(verdict))
    (tmp_path / "old" / "manifest.json").write_text('{"target": "local"}')
    write_index(tmp_path)
    plain = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<td>not judged</td>" in plain
    assert "<td>unreadable</td>" in plain
    assert "<b>" not in plain
    assert "Fault injected" not in plain
    (tmp_path / "old" / "manifest.json").write_text('{"target": "local", "fault": "swap:<i>"}')
    write_index(tmp_path)
    told = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Fault injected" in told
    assert "<td>swap:&lt;i&gt;</td>" in told
