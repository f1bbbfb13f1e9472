"""python -m analysis sensitivity: a measurement on disk, judged, told, and exit codes."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.report import sensitivity_tables as tables
from analysis.sensitivity.measure import Length, Measured
from analysis.sensitivity.model import Observation
from analysis.sensitivity.result import RunSeen, combine
from history.errors import EXIT_USAGE
from history.run import RunFolder
from history.series import Control, SensitivityFolder, write_series
from tests.control_series import COUNT, series_of, store
from tests.report.undrawn import leave_undrawn
from tests.runs import busy, recorded

NAME = "sensitivity-20260102T030000Z-abc1234"
HALF_S = {"load_started_ns": 0, "load_ended_ns": 500_000_000}


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_undrawn(monkeypatch)


def control(one_in: int, repetition: int = 1, fault: str = "repeat", **more: str) -> Control:
    return Control(
        name=f"{fault}-1in{one_in}-{repetition}",
        meaning="",
        fault=f"{fault}:{1 / one_in:.12g}",
        expected="FAIL",
        check="unique",
        **more,
    )


def measurement(reports: Path, *controls: Control, **changes: Any) -> SensitivityFolder:
    folder = SensitivityFolder(reports / NAME)
    folder.path.mkdir(parents=True)
    write_series(folder.series, series_of(*controls, series_id=NAME, **changes))
    return folder


def stored(folder: SensitivityFolder, one: Control, *spoiled: int, **changes: Any) -> RunFolder:
    """A run in which these requests were answered with the number before."""
    rows = busy(COUNT)
    for at in spoiled:
        rows[at]["value"] = rows[at - 1]["value"]
    told = {"fault": one.fault, "fault_counts": {"injected": len(spoiled)}, **HALF_S}
    return store(folder.run(one), recorded(rows, **(told | changes)))


def judged(folder: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str, str]:
    code = main(["sensitivity", str(folder), *flags])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_measurement_is_judged_told_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    controls = (control(100), control(1_000), control(100, fault="lost-update", skipped="no PUT"))
    folder = measurement(tmp_path, *controls)
    runs = [
        stored(folder, controls[0], *range(50, COUNT, 100)),
        stored(folder, controls[1], 700),
    ]
    code, out, err = judged(folder.path, capsys)
    assert code == 0, out
    assert out.splitlines()[0].startswith("A fault of 1 in 500 requests is caught  sens"), out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for start in (
        "repeat 1 in 100 1,500 15 1 of 1 2.5 % to 100 % > 99.9 % 299 ",
        "repeat 1 in 1,000 1,500 1 1 of 1 2.5 % to 100 % 77.7 % 2,995 ",
        "repeat unique 100 % ",
        "lost-update unique skipped: no PUT ",
    ):
        assert any(line.startswith(start) for line in lines), (start, out)
    assert err.splitlines() == [
        "judging run 1 of 3: repeat-1in100-1",
        "judging run 2 of 3: repeat-1in1000-1",
    ]
    result = json.loads(folder.result.read_text())
    assert (result["schema_version"], result["problem"], result["false_alarms"]) == (1, "", [])
    at_100, at_1000 = result["faults"][0]["rates"]
    assert at_100["per_s"] == 3_000
    assert at_100["needed"]["seconds"] == pytest.approx(299 / 3_000)
    assert [one["measured"]["caught"] for one in at_100["lengths"]] == [6, 3, 1]
    assert [one["measured"]["caught"] for one in at_1000["lengths"]] == [1, 1, 1]
    assert result["runs"][0] == {
        "name": "repeat-1in100-1",
        "fault": "repeat",
        "rate": 0.01,
        "check": "unique",
        "verdict": "FAIL",
        "checked": "FAIL",
        "caught": True,
        "requests": COUNT,
        "numbers": COUNT,
        "injected": 15,
        "load_s": 0.5,
        "whole": True,
        "whole_because": "",
        "problem": "",
    }
    # Each is an ordinary run folder, and its report is written once.
    assert all(one.report.is_file() and one.verdict.is_file() for one in runs)
    before = runs[0].report.stat().st_mtime_ns
    code, out, _ = judged(folder.path, capsys, "--json")
    assert code == 0
    assert json.loads(out) == result
    assert runs[0].report.stat().st_mtime_ns == before


def test_a_fail_without_a_fault_is_a_false_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = measurement(tmp_path, control(1_000))
    stored(folder, control(1_000), 700, fault_counts={"injected": 0})
    code, out, _ = judged(folder.path, capsys)
    assert code == 1
    assert out.startswith("1 false alarm  ")
    assert "The judge said FAIL of repeat-1in1000-1, into which nothing was injected" in out


def test_what_is_missing_is_told_and_the_rest_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    controls = tuple(control(100, n) for n in range(1, 6))
    folder = measurement(tmp_path, *controls, ended_utc=None)
    stored(folder, controls[0], 700)
    stored(folder, controls[1], interrupted="interrupted after 0.5 s")
    stored(folder, controls[2], fault="repeat:0.5")
    broken = stored(folder, controls[3])
    broken.operations.write_bytes(b"no Parquet")
    code, out, _ = judged(folder.path, capsys)
    assert code == 3
    for told in (
        "Incomplete: the series was cut off before its end",
        "repeat-1in100-3: its run had repeat:0.5",
        "repeat-1in100-4: ",
        "repeat-1in100-5: it left no run",
        "1 of 1",
    ):
        assert told in out, told
    (fault,) = json.loads(folder.result.read_text())["faults"]
    assert fault["rates"][0]["runs"]["measured"]["of"] == 1, "an interrupted run is none"
    assert fault["rates"][0]["lengths"][0]["measured"]["of"] == 12, "but its windows are some"


def test_nothing_that_could_be_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = measurement(tmp_path, control(100))
    code, out, _ = judged(folder.path, capsys)
    assert code == 3
    assert out.startswith("Nothing measured  ")
    assert "no run could be judged" in out


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"name": "../elsewhere"}, "names a control, expected the name of one folder"),
        ({"fault": "cache:5"}, "has the fault 'cache:5', expected one with a share"),
        ({"fault": "repeat:0"}, "has the fault 'repeat:0', expected one with a share"),
        ({"fault": "gremlin"}, "has the fault 'gremlin', expected one with a share"),
    ],
)
def test_a_measurement_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, str], sentence: str
) -> None:
    folder = measurement(tmp_path, dataclasses.replace(control(100), **changed))
    code, _, err = judged(folder.path, capsys)
    assert code == EXIT_USAGE
    assert sentence in err


def test_a_folder_that_holds_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = judged(tmp_path, capsys, "--json")
    assert code == EXIT_USAGE
    assert "holds no measurement of sensitivity (no runs.json)" in err
    assert json.loads(out)["result"] is None


def test_a_model_that_does_not_hold_is_flagged() -> None:
    controls = [control(100, n) for n in range(1, 41)]
    seen, measured = [], {}
    for n, one in enumerate(controls):
        name = one.name
        seen.append(
            RunSeen(
                name=name, fault="repeat", rate=0.01, check="unique", verdict="FAIL",
                checked="FAIL" if n < 10 else "PASS", caught=n < 10, requests=1_000, injected=10,
            )
        )  # fmt: skip
        measured[name] = Measured(
            lengths=(Length(numbers=250, windows=4, caught=4, requests=1_000),),
            observations=(Observation(0.01, 0, 100),) * 9 + (Observation(0.01, 100, None),),
        )
    result = combine(series_of(*controls), seen, measured)
    rate = result.faults[0].rates[0]
    assert (rate.runs.measured.caught, rate.runs.measured.of) == (10, 40)
    assert rate.runs.disagrees
    assert tables.model(rate.runs).endswith(" *")
    (length,) = rate.lengths
    assert (length.measured.caught, length.measured.of, length.requests) == (160, 160, 250)
    assert [one.disagrees for one in result.compared] == [True, length.disagrees]
    assert rate.needed.seconds is None, "no throughput is known"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "unknown"),
        (0.2, "under 1 s"),
        (1.25, "1.2 s"),
        (42.4, "42 s"),
        (89, "89 s"),
        (126, "2.1 min"),
        (5_400, "1.5 h"),
        (400_000, "4.6 days"),
    ],
)
def test_times_read_well(seconds: float | None, words: str) -> None:
    assert tables.time_words(seconds) == words


def test_rates_and_shares_read_well() -> None:
    assert tables.about_one_in(1 / 24_999) == "1 in 24,000", "never rarer than it is"
    assert tables.about_one_in(0.3) == "1 in 3"
    assert [tables.percent(part) for part in (0, 0.0001, 0.0256, 0.99999, 1)] == [
        "0 %",
        "< 0.1 %",
        "2.56 %",
        "> 99.9 %",
        "100 %",
    ]
