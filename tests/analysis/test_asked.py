"""A load that was not what was asked for, and what was never sent to the counter."""

import dataclasses
from typing import Any

import pytest

from analysis.checks import exercised
from analysis.frame import record_of
from analysis.peak import highest_parts
from analysis.run import Run
from history.manifest import ProcessRecord
from history.operation import Outcome
from history.shape import parse_shape
from tests.analysis.test_clients import (
    MS,
    S,
    closed_loop,
    health,
    locust,
    open_loop,
    run_with,
)
from tests.runs import lost


def told(run: Run) -> list[str]:
    return [piece.summary for piece in exercised.check(run).evidence]


def never_sent(row: dict[str, Any]) -> dict[str, Any]:
    """The same request, had the server refused the connection."""
    refused = {"outcome": "rejected", "attempts": 0, "reason": "never-sent"}
    return {name: cell for name, cell in row.items() if name != "value"} | refused


def run_of(rows: list[dict[str, Any]], **load: Any) -> Run:
    """A run of these rows; only those that were answered have a value."""
    run = run_with(rows, **load)
    frame = run.frame.copy()
    frame.loc[~run.mask(outcome=Outcome.OK), "value"] = None
    return dataclasses.replace(run, record=record_of(frame))


def with_processes(run: Run, *processes: str) -> Run:
    """The same run, had the manifest named these processes."""
    assert run.manifest is not None
    records = tuple(
        ProcessRecord(
            process=name,
            source=name.split("-", maxsplit=1)[0],
            exit_state="ended",
            journal_records=0,
            closed_records=0,
        )
        for name in processes
    )
    return dataclasses.replace(run, manifest=run.manifest.replace(processes=records))


def test_connections_that_were_always_refused_did_not_send() -> None:
    rows = closed_loop("swarm", 50, 40)
    rows = [r if r["worker"] in {"swarm-0/1", "swarm-0/2"} else never_sent(r) for r in rows]
    assert told(run_of(rows + locust())) == [
        "Only 2 of 50 swarm connections sent a request: 48 found no connection"
    ]


def test_a_schedule_that_the_server_refused_was_not_sent() -> None:
    rows = open_loop(dict.fromkeys(range(0, 4_000, 10), 0.1), takes_ms=5)
    rows = [row if row["start_ns"] < 2 * S else never_sent(row) for row in rows]
    assert told(run_of(rows + locust(), rate_per_s=100)) == [
        "swarm-0 fell silent after 2.0 s of 4.0 s",
        "Only 200 of 400 requests of the schedule were sent: 200 requests found no connection",
    ]


def test_a_client_that_the_server_refused_from_then_on_fell_silent() -> None:
    rows = closed_loop("swarm", 50, 40)
    rows = [row if row["end_ns"] <= 2 * S else never_sent(row) for row in rows]
    assert told(run_of(rows + locust())) == ["swarm-0 fell silent after 2.0 s of 4.0 s"]


@pytest.mark.parametrize(("timeout_s", "silent"), [(1, True), (3.5, False)])
def test_an_unanswered_request_lasts_as_long_as_its_timeout(
    timeout_s: float, *, silent: bool
) -> None:
    rows = [row for row in closed_loop("swarm", 50, 40) if row["end_ns"] <= S]
    who = {"source": "swarm", "process": "swarm-0", "worker": "swarm-0/1"}
    rows.append(lost(S // 2, **who))
    expected = ["swarm-0 fell silent after 1.5 s of 4.0 s"] * silent
    assert told(run_of(rows + locust(), timeout_s=timeout_s)) == expected


@pytest.mark.parametrize(
    ("load", "names"),
    [
        pytest.param({}, ["swarm-1", "locust-1"], id="a part of the connections and users each"),
        pytest.param({"connections": 1}, ["locust-1"], id="one connection, two processes"),
        pytest.param({"users": 1}, ["swarm-1"], id="one user, two processes"),
        pytest.param({"shape": "0:0.05,1:0.05"}, ["swarm-1"], id="one user at this level"),
        pytest.param({"rate_per_s": 0.6}, ["swarm-1", "locust-1"], id="one request due of each"),
        pytest.param({"rate_per_s": 0.4}, ["locust-1"], id="one request due in all"),
        pytest.param(
            {"rate_per_s": 4, "arrivals": "poisson"}, ["locust-1"], id="none of eight, by chance"
        ),
        pytest.param(
            {"rate_per_s": 6, "arrivals": "poisson"}, ["swarm-1", "locust-1"], id="none of twelve"
        ),
        pytest.param({"users": 0, "connections": 0}, [], id="somebody's load in Locust's page"),
    ],
)
def test_who_was_to_send_and_sent_nothing(load: dict[str, Any], names: list[str]) -> None:
    idle = [never_sent(row | {"process": "swarm-1"}) for row in closed_loop("swarm", 1, 40)]
    run = run_of(closed_loop("swarm", 50, 40) + idle + locust(), processes=2, **load)
    run = with_processes(run, "swarm-0", "swarm-1", "locust-0", "locust-1", "runner-0")
    found = [sentence for sentence in told(run) if "nothing" in sentence]
    assert found == [f"{name} sent nothing" for name in names]


@pytest.mark.parametrize(
    ("asked", "manifest", "short"),
    [
        pytest.param({}, {}, False, id="as long as was asked for"),
        pytest.param({"duration_s": 5}, {}, True, id="four fifths"),
        pytest.param({"duration_s": 5}, {"interrupted": "interrupted"}, False, id="told already"),
        pytest.param({"duration_s": 5, "users": 0}, {}, False, id="Locust's page"),
        pytest.param({"duration_s": 5}, {"load_ended_ns": None}, False, id="not known"),
    ],
)
def test_a_load_that_broke_off(
    asked: dict[str, Any], manifest: dict[str, Any], *, short: bool
) -> None:
    run = run_with(closed_loop("swarm", 50, 40) + locust(), **asked)
    assert run.manifest is not None
    run = dataclasses.replace(run, manifest=run.manifest.replace(**manifest))
    found = [sentence for sentence in told(run) if "lasted" in sentence]
    assert found == ["The load lasted 4.0 s of the 5 s that were asked for"] * short


@pytest.mark.parametrize(
    ("recorded", "missing"),
    [
        pytest.param(["swarm-0", "locust-0"], [], id="both"),
        pytest.param(["swarm-0"], ["locust-0"], id="one of two"),
        pytest.param([], [], id="a run of before it was recorded"),
    ],
)
def test_who_left_no_record_of_itself(recorded: list[str], missing: list[str]) -> None:
    samples = [sample for name in recorded for sample in health(name, lag_ms=1)]
    run = run_with(closed_loop("swarm", 50, 40) + locust(), health=samples)
    assert told(run) == [
        f"How {name} fared was not recorded, so it may have been too slow" for name in missing
    ]


def test_a_process_that_sent_nothing_needs_no_record() -> None:
    run = run_with(closed_loop("swarm", 50, 40) + locust(), health=health("swarm-0", lag_ms=1))
    run = with_processes(run, "swarm-0", "locust-1")
    assert told(run) == ["locust-1 sent nothing"]


def several(processes: int, connections: int, *, lag_ms: float, **changes: Any) -> Run:
    """Swarm processes that share the connections, all of them equally late."""
    rows = [
        row | {"process": f"swarm-{at}", "worker": f"swarm-{at}/{row['worker']}"}
        for at in range(processes)
        for row in closed_loop("swarm", connections // processes, 100)
    ]
    names = [f"swarm-{at}" for at in range(processes)]
    samples = [s for name in names for s in health(name, lag_ms=lag_ms, cpu_ns=S // 4)]
    samples += health("locust-0", lag_ms=1)
    asked = {"connections": connections, "processes": processes}
    run = with_processes(run_with(rows + locust(), health=samples, **asked), *names, "locust-0")
    assert run.manifest is not None
    return dataclasses.replace(run, manifest=run.manifest.replace(**changes))


def test_more_processes_do_not_make_a_slow_client_a_witness() -> None:
    run = several(4, 400, lag_ms=90)
    found = told(run)
    assert [sentence.split(" ")[0] for sentence in found] == [f"swarm-{at}" for at in range(4)]
    assert all("so about 88 at once (351 with" in sentence for sentence in found)
    assert exercised.check(run).counts["in_client_mean"] == pytest.approx(351, abs=1)


def test_the_default_load_is_never_too_slow() -> None:
    run = several(1, 50, lag_ms=100)
    late = dataclasses.replace(run, health=[*run.health[:8], *health("locust-0", lag_ms=40)])
    assert told(late) == []


@pytest.mark.parametrize(
    ("cores", "advice"),
    [
        pytest.param(0, "TRANSPORT=wire, fewer CONNECTIONS or more PROCESSES", id="unknown"),
        pytest.param(8, "TRANSPORT=wire, fewer CONNECTIONS or more PROCESSES", id="six idle"),
        pytest.param(2, "TRANSPORT=wire or fewer CONNECTIONS", id="none idle: half of each"),
        pytest.param(1, "TRANSPORT=wire or fewer CONNECTIONS", id="more processes than cores"),
    ],
)
def test_more_processes_need_cores_to_run_on(cores: int, advice: str) -> None:
    found = told(several(4, 400, lag_ms=90, cpu_count=cores))
    assert [sentence.split(": use ")[-1] for sentence in found] == [advice] * 4


def spike(*, slow_from_ms: int, slow_to_ms: int) -> Run:
    """A fifth of 500 connections, but all of them for a while, and slow then."""
    rows = closed_loop("swarm", 500, 100)
    rows = [
        row
        for row in rows
        if slow_from_ms * MS <= row["start_ns"] < slow_to_ms * MS
        or int(row["worker"].split("/")[1]) < 100
    ]
    samples = [
        dataclasses.replace(
            sample,
            loop_lag_ns_p50=90 * MS if slow_from_ms * MS < sample.at_ns <= slow_to_ms * MS else MS,
        )
        for sample in health("swarm-0", lag_ms=1)
    ]
    shape = f"0:0.2,{slow_from_ms / 4_000}:0.2,{slow_from_ms / 4_000}:1"
    shape += f",{slow_to_ms / 4_000}:1,{slow_to_ms / 4_000}:0.2,1:0.2"
    samples += health("locust-0", lag_ms=1)
    return run_with(rows + locust(), health=samples, connections=500, shape=shape)


@pytest.mark.parametrize(
    ("slow_to_ms", "slow"),
    [
        pytest.param(2_500, True, id="three samples of the peak"),
        pytest.param(2_000, False, id="two samples: over all of the load"),
    ],
)
def test_a_client_is_judged_where_the_load_is_highest(slow_to_ms: int, *, slow: bool) -> None:
    found = told(spike(slow_from_ms=1_000, slow_to_ms=slow_to_ms))
    assert [sentence.split(":")[0] for sentence in found] == (
        ["swarm-0 was too slow to be a witness"] * slow
    )


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        pytest.param("constant", [(0, 1)], id="all of it"),
        pytest.param("spike", [(0.45, 0.55)], id="a step up and down"),
        pytest.param("0:0.1,0.5:0.6,1:0.1", [(0.44, 0.5), (0.5, 0.56)], id="a roof"),
        pytest.param("0:1,0.1:1,0.1:0.2,0.9:0.2,0.9:1,1:1", [(0, 0.1), (0.9, 1)], id="two"),
        pytest.param("0:0.2,0.5:0.2,0.5:1,0.5:0.2,1:0.2", [], id="one of no length"),
    ],
)
def test_where_a_shape_is_at_its_highest(shape: str, parts: list[tuple[float, float]]) -> None:
    found = highest_parts(parse_shape(shape))
    assert [pytest.approx(part) for part in found] == parts


def mixed(run: Run, *rows: int, outcome: Outcome = Outcome.OK) -> Run:
    """The same run, had these requests been decrements."""
    kinds = run.frame["kind"].astype(object)
    kinds.iloc[list(rows)] = "decrement"
    frame = run.frame.assign(kind=kinds.astype("category"))
    if outcome is not Outcome.OK:
        frame["outcome"] = frame["outcome"].astype(object)
        frame.loc[list(rows), "outcome"] = str(outcome)
        frame.loc[list(rows), "value"] = None
    return dataclasses.replace(run, record=record_of(frame))


FAR_OFF = ", DECREMENTS=0.2 asked for about 1,400: more than chance is off"
UNANSWERED = (
    "No decrement was answered with a number, of 1,400: does the server have POST <URL>/decrement?"
)


@pytest.mark.parametrize(
    ("share", "decrements", "outcome", "expected"),
    [
        pytest.param(0.2, 1_400, Outcome.OK, [], id="just as asked for"),
        pytest.param(0.2, 1_270, Outcome.OK, [], id="so few come by chance"),
        pytest.param(0.0, 0, Outcome.OK, [], id="none asked for, none sent"),
        pytest.param(0.0, 700, Outcome.OK, [], id="sent by somebody who asked elsewhere"),
        pytest.param(
            0.0001,
            0,
            Outcome.OK,
            ["None of 7,000 requests was a decrement, DECREMENTS=0.0001 asked for about 1"],
            id="none sent: it was no mixed load, whatever the chances",
        ),
        pytest.param(
            0.2,
            1_200,
            Outcome.OK,
            ["1,200 of 7,000 requests were decrements" + FAR_OFF],
            id="far too few",
        ),
        pytest.param(
            0.2,
            1_600,
            Outcome.OK,
            ["1,600 of 7,000 requests were decrements" + FAR_OFF],
            id="far too many",
        ),
        pytest.param(
            0.2,
            1_400,
            Outcome.REJECTED,
            [UNANSWERED],
            id="a server without decrements",
        ),
    ],
)
def test_decrements_that_were_asked_for(
    share: float, decrements: int, outcome: Outcome, expected: list[str]
) -> None:
    run = run_of(closed_loop("swarm", 50, 40) + locust(), decrements=share)
    assert len(run.frame) == 7_000
    assert told(mixed(run, *range(decrements), outcome=outcome)) == expected


@pytest.mark.parametrize(
    ("fault", "counts", "never"),
    [
        pytest.param("", {}, False, id="none was asked for"),
        pytest.param("none", {"injected": 0}, False, id="an intermediary that is right"),
        pytest.param("resend:0", {"injected": 0}, False, id="a share of nothing"),
        pytest.param("resend:0.01", {"injected": 3}, False, id="it came"),
        pytest.param("resend:1e-05", {"injected": 0}, True, id="it never came"),
        pytest.param("of-tomorrow:3", {"injected": 0}, True, id="one this version does not know"),
        pytest.param("none", {}, False, id="nobody could say, and nothing was asked for"),
    ],
)
def test_a_fault_that_never_came(fault: str, counts: dict[str, int], *, never: bool) -> None:
    run = run_of(closed_loop("swarm-0", 2, 10))
    assert run.manifest is not None
    manifest = run.manifest.replace(fault=fault, fault_counts=counts)
    sentence = f"FAULT={fault} was asked for and never came: raise DURATION, or its amount"
    assert (sentence in told(dataclasses.replace(run, manifest=manifest))) is never


def test_a_fault_of_which_nobody_can_say_whether_it_came() -> None:
    run = run_of(closed_loop("swarm-0", 2, 10))
    assert run.manifest is not None
    manifest = run.manifest.replace(fault="resend:0.01")
    sentence = "How often FAULT=resend:0.01 came is not known: its intermediary did not say"
    assert sentence in told(dataclasses.replace(run, manifest=manifest))
