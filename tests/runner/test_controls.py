"""make controls: wrong counters and right ones, from the load to the grid."""

import json
from typing import Any

import pytest

from analysis.verdict import Verdict
from history.errors import UserError
from history.fault import parse_fault
from history.series import read_series
from runner.controls import CONTROLS, read_controls
from tests import servers
from tests.runner.conftest import LENGTHS, PAUSE_S, Runner
from tests.servers import CounterServer


def test_every_control_can_be_run_and_says_what_must_be_seen() -> None:
    assert read_controls({}) == tuple(control.name for control in CONTROLS)
    for control in CONTROLS:
        assert control.expected in set(Verdict)
        assert bool(control.check) == (control.expected != Verdict.PASS)
        if control.fault:
            parse_fault(control.fault)
    assert {"unique", "gap-free", "ordered"} <= {control.check for control in CONTROLS}
    assert {control.expected for control in CONTROLS} == set(Verdict)


def test_some_of_them_can_be_chosen() -> None:
    assert read_controls({"CONTROLS": "drop, correct drop"}) == ("drop", "correct")
    with pytest.raises(UserError, match="CONTROLS=dorp: expected names of correct, intermediary"):
        read_controls({"CONTROLS": "dorp"})


def grid_of(runner: Runner) -> dict[str, Any]:
    """What machines read of the one series there is, and its page beside it."""
    (folder,) = runner.reports.glob("controls-*")
    assert (folder / "controls.html").is_file()
    found: dict[str, Any] = json.loads((folder / "controls.json").read_text())
    return found


def test_alarms_ring_in_the_deployed_stack(runner: Runner) -> None:
    _, code, out, err = runner.run_here(
        "controls", CONTROLS="lost-update moto-engine restore", DURATION="3s", STACK="mine"
    )
    grid = grid_of(runner)
    assert code == 0, (out, err, grid)
    assert [one["result"] for one in grid["controls"]] == ["as expected"] * 3
    for one in grid["controls"]:
        assert one["seen"]["checks"]["unique"] == "FAIL"
    (folder,) = runner.reports.glob("controls-*")
    series = read_series(folder / "series.json")
    assert (series.target, series.stack, series.engine) == ("local", "mine", "ministack")
    assert series.ended_utc
    manifest = json.loads((folder / "moto-engine" / "manifest.json").read_text())
    assert manifest["engine"].startswith("http://127.0.0.1:")
    assert manifest["stack"] == "mine-controls"
    assert manifest["run_id"] == f"{folder.name}/moto-engine"
    assert (folder / "restore" / "logs" / "runner.log").is_file()
    # Each of them can be judged again by its name.
    _, code, out, _ = runner.run_here("verify", RUN=manifest["run_id"])
    assert code == 1
    assert out.strip().startswith(f"FAIL  {folder.name}/moto-engine")


def test_what_is_right_passes_and_what_needs_a_stack_is_skipped(runner: Runner) -> None:
    names = "correct intermediary lost-update moto-engine throttle reorder drop"
    for length in LENGTHS:
        trying = runner.afresh()
        with CounterServer(servers.correct, pause_s=PAUSE_S) as server:
            _, code, out, _ = trying.run_here(
                "controls", URL=server.url, CONTROLS=names, DURATION=length
            )
        grid = grid_of(trying)
        results = {one["control"]["name"]: one["result"] for one in grid["controls"]}
        assert not {"false alarm", "alarm did not ring"} & set(results.values()), out
        if code == 0:
            break
    assert code == 0, out
    assert results.pop("lost-update") == results.pop("moto-engine") == "skipped"
    assert set(results.values()) == {"as expected"}


def test_an_alarm_that_does_not_ring_is_a_failure(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = next(control for control in CONTROLS if control.name == "throttle")
    fields = {name: getattr(deaf, name) for name in ("name", "meaning", "fault")}
    wrong = type(deaf)(**fields, expected="FAIL", check="unique")
    monkeypatch.setattr("runner.controls.CONTROLS", (wrong,))
    with CounterServer(servers.correct, pause_s=PAUSE_S) as server:
        _, code, out, _ = runner.run_here("controls", URL=server.url, DURATION="2s")
    assert code in {1, 3}, "a slow machine does not get as far as a PASS"
    assert "as expected" not in out.splitlines()[-2]
