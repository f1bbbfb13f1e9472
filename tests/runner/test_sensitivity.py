"""make sensitivity: which runs it makes, in which order, and what is kept when it is stopped."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.settings import read_settings
from history.errors import UserError
from history.fault import FAULTS, Unit, parse_fault
from history.manifest import Manifest
from history.operation import INT64_MAX
from history.series import Control, read_series
from runner import series as conductor
from runner.options import LoadOptions, read_options
from runner.sensitivity import CHECKS, Measurement, planned, read_measurement, sensitivity
from tests import servers
from tests.runner.conftest import PAUSE_S, Runner
from tests.runs import new_manifest
from tests.servers import CounterServer

URL = "http://127.0.0.1:1/"


def test_by_default_every_fault_at_every_rate() -> None:
    asked = read_measurement({"RUNS": "", "FAULTS": " ", "RATES": ""})
    assert asked == Measurement(
        faults=("lost-update", "repeat", "resend", "swap", "replica"),
        one_in=(10, 100, 1_000, 10_000, 100_000),
        runs=1,
    )
    assert all(FAULTS[name].unit is Unit.SHARE for name in CHECKS)


def test_what_is_asked_for() -> None:
    asked = read_measurement({"RUNS": "2", "FAULTS": "swap,repeat swap", "RATES": "1000, 2"})
    assert asked == Measurement(faults=("swap", "repeat"), one_in=(2, 1_000), runs=2)
    assert [(one.name, one.fault, one.check) for one in planned(asked)] == [
        (f"{fault}-1in{n}-{repetition}", f"{fault}:{amount}", check)
        for repetition in (1, 2)
        for fault, check in (("swap", "ordered"), ("repeat", "unique"))
        for n, amount in ((2, "0.5"), (1_000, "0.001"))
    ]
    assert planned(asked)[1].meaning.startswith("1 in 1,000 requests: lets that share")


def test_every_rate_can_be_read_again() -> None:
    for control in planned(read_measurement({"RATES": "3 7 999999937 1000000000"})):
        amount = parse_fault(control.fault).amount
        assert control.name.split("-1in")[1] == f"{round(1 / amount)}-1"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("RUNS", "0", "a whole number from 1 to 100"),
        ("RUNS", "101", "a whole number from 1 to 100"),
        ("FAULTS", "cache", "names of lost-update, repeat, resend, swap, replica"),
        ("FAULTS", ",", "names of lost-update"),
        ("RATES", "1", "whole numbers from 2 to 1,000,000,000"),
        ("RATES", "0.1", "whole numbers from 2"),
        ("RATES", "2000000000", "whole numbers from 2"),
    ],
)
def test_bad_variables_are_one_sentence(name: str, text: str, expected: str) -> None:
    with pytest.raises(UserError, match=re.escape(f"{name}={text}: expected {expected}")):
        read_measurement({name: text})


class Made:
    """Stands in for the runs; what is made of them is theirs to say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *ends: Any) -> None:
        self.options: list[LoadOptions] = []
        self.ends = list(ends)
        monkeypatch.setattr(conductor, "_run", self.run)

    def run(self, control: Control, options: LoadOptions, *_: Any, **__: Any) -> Manifest:
        self.options.append(options)
        end = self.ends.pop(0) if self.ends else ""
        if isinstance(end, type):
            raise end
        return new_manifest(run_id=control.name).replace(interrupted=end)


def conducted(reports: Path, **variables: str) -> tuple[Any, list[str]]:
    """What is kept of a measurement of three rates against a URL, and what was said."""
    said: list[str] = []
    asked = read_measurement({"FAULTS": "lost-update repeat", "RATES": "10 100 1000"})
    told = {"URL": URL, "DURATION": "5s", "SEED": "7"} | variables
    folder = sensitivity(
        asked, read_options(told), read_settings(told), reports=reports, say=said.append
    )
    return read_series(folder.series), said


def test_runs_in_order_each_with_a_seed_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Made(monkeypatch)
    series, said = conducted(tmp_path)
    assert [one.name for one in series.controls if not one.skipped] == [
        "repeat-1in10-1",
        "repeat-1in100-1",
        "repeat-1in1000-1",
    ]
    assert series.ended_utc is not None
    assert [one.seed for one in made.options] == [10, 11, 12]
    assert series.seed == 7
    assert said[0].startswith("6 runs of 5 s each, about 27 s in all, in ")
    assert said[1].startswith("1 of 6  lost-update-1in10-1    skipped: a server named by URL has")
    assert said[4].startswith("4 of 6  repeat-1in10-1         1 in 10 requests: answers")
    assert said[4].endswith("(about 27 s left)")


def test_the_last_seed_is_followed_by_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Made(monkeypatch)
    conducted(tmp_path, SEED=str(INT64_MAX))
    assert [one.seed for one in made.options] == [2, 3, 4]


@pytest.mark.parametrize(
    ("ends", "kept", "last"),
    [
        (["", "interrupted after 2 s"], 2, "stopped: repeat-1in100-1 was interrupted after 2 s"),
        (["", KeyboardInterrupt], 1, "stopped before the load of repeat-1in100-1 began"),
    ],
)
def test_what_was_run_is_kept_when_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: list[Any], kept: int, last: str
) -> None:
    Made(monkeypatch, *ends)
    series, said = conducted(tmp_path)
    assert len([one for one in series.controls if not one.skipped]) == kept
    assert series.ended_utc is None
    assert said[-1] == last


def test_stopped_before_anything_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Made(monkeypatch, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        conducted(tmp_path)


@pytest.mark.parametrize(
    "variables",
    [{"FAULT": "repeat"}, {"DECREMENTS": "0.1"}, {"FAIL_FAST": "1"}, {"ALLOW_UNANSWERED": "1"}],
)
def test_what_would_change_the_runs_is_refused(tmp_path: Path, variables: dict[str, str]) -> None:
    (name,) = variables
    with pytest.raises(UserError, match=f"^{name}: each of the runs has its own fault"):
        conducted(tmp_path, **variables)


def test_a_measurement_from_load_to_page(runner: Runner) -> None:
    with CounterServer(servers.correct, pause_s=PAUSE_S) as server:
        _, code, out, err = runner.run_here(
            "sensitivity",
            URL=server.url,
            DURATION="1s",
            FAULTS="resend lost-update",
            RATES="3 1000000000",
        )
    assert (code, err) == (0, "")
    assert "skipped: a server named by URL has no methods" in out
    (folder,) = runner.reports.glob("sensitivity-*")
    result = json.loads((folder / "sensitivity.json").read_text())
    often, never = result["runs"]
    assert (often["verdict"], often["checked"], often["caught"]) == ("FAIL", "FAIL", True)
    assert often["injected"] > 0
    assert (never["caught"], never["injected"]) == (False, 0)
    assert result["faults"][1]["skipped"]
    assert (folder / "sensitivity.html").is_file()
    for name in ("resend-1in3-1", "resend-1in1000000000-1"):
        for kept in ("manifest.json", "verdict.json", "report.html", "logs/runner.log"):
            assert (folder / name / kept).is_file(), (name, kept)
    assert dataclasses.asdict(read_series(folder / "runs.json"))["ended_utc"]
