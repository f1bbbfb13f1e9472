"""A slow server and a slow client told apart, and a load that was not what was asked for."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.checks import exercised
from analysis.clients import Schedule, clients_of
from analysis.run import Run
from analysis.verdict import Verdict
from history.health import HealthSample
from history.manifest import Load, ProcessRecord
from tests.runs import new_manifest, ok, recorded, sample

PASS, INCONCLUSIVE = Verdict.PASS, Verdict.INCONCLUSIVE
MS = 1_000_000
S = 1_000 * MS
LENGTH_S = 4


def closed_loop(source: str, clients: int, latency_ms: float) -> list[dict[str, Any]]:
    """Clients that each send when they are answered, for as long as the load lasts."""
    took = int(latency_ms * MS)
    return [
        ok(
            begin,
            begin + took,
            0,
            source=source,
            process=f"{source}-0",
            worker=f"{source}-0/{client}",
        )
        for client in range(clients)
        for begin in range(client * took // clients, LENGTH_S * S, took)
    ]


def open_loop(sent_late_ms: dict[int, float], *, takes_ms: float) -> list[dict[str, Any]]:
    """Requests by when they were due (ms) and how late they were sent."""
    rows = []
    for due_ms, late_ms in sent_late_ms.items():
        start = int((due_ms + late_ms) * MS)
        end = start + int(takes_ms * MS)
        who = {"source": "swarm", "process": "swarm-0", "worker": f"swarm-0/{due_ms % 50}"}
        rows.append(ok(start, end, 0, intended_ns=due_ms * MS, **who))
    return rows


def run_with(
    rows: list[dict[str, Any]], *, health: list[HealthSample] | None = None, **load: Any
) -> Run:
    """A run of these rows in a window of LENGTH_S, numbered as they were sent."""
    sent = sorted(range(len(rows)), key=lambda at: rows[at]["start_ns"])
    numbers = {at: number for number, at in enumerate(sent, 1)}
    rows = [row | {"value": numbers[at]} for at, row in enumerate(rows)]
    asked: dict[str, Any] = {"duration_s": LENGTH_S, "users": 20, "connections": 50} | load
    manifest = new_manifest()
    run = recorded(
        rows,
        load=dataclasses.replace(manifest.load, **asked),
        load_started_ns=0,
        load_ended_ns=LENGTH_S * S,
    )
    return dataclasses.replace(run, health=health or [])


def health(process: str, *, lag_ms: float, **more: Any) -> list[HealthSample]:
    """Samples of one process over the whole load."""
    return [
        sample(process, at * S // 2, loop_lag_ns_p50=int(lag_ms * MS), **more)
        for at in range(1, 2 * LENGTH_S + 1)
    ]


def locust(latency_ms: float = 40) -> list[dict[str, Any]]:
    return closed_loop("locust", 20, latency_ms)


@pytest.mark.parametrize(
    ("connections", "latency_ms", "lag_ms", "cpu_ns", "verdict"),
    [
        pytest.param(50, 74, 0.7, S // 10, PASS, id="the local target: a slow server"),
        pytest.param(500, 528, 0.8, S // 6, PASS, id="the local target with 500 connections"),
        pytest.param(500, 800, 160, S // 50, PASS, id="a slow server and a starved client"),
        pytest.param(500, 200, 10, S // 2, PASS, id="a busy client, a server that is slower"),
        pytest.param(50, 25, 26, S // 5, PASS, id="a fast server, the default load"),
        pytest.param(50, 250, 260, S // 20, PASS, id="the same on a machine ten times slower"),
        pytest.param(500, 136, 89, S // 4, INCONCLUSIVE, id="a fast server, 500 connections"),
        pytest.param(500, 1360, 890, S // 40, INCONCLUSIVE, id="the same, ten times slower"),
        pytest.param(500, 28, 35, S // 5, INCONCLUSIVE, id="500 connections by wire"),
        pytest.param(500, 131, 65, S // 2, INCONCLUSIVE, id="half of the latency is its own"),
    ],
)
def test_a_blind_client_is_told_from_a_slow_server(
    connections: int, latency_ms: float, lag_ms: float, cpu_ns: int, verdict: Verdict
) -> None:
    rows = closed_loop("swarm", connections, latency_ms) + locust()
    samples = health("swarm-0", lag_ms=lag_ms, cpu_ns=cpu_ns) + health("locust-0", lag_ms=1)
    finding = exercised.check(run_with(rows, health=samples, connections=connections))
    assert finding.verdict is verdict
    assert finding.counts["loop_lag_ms_p50"] == max(lag_ms, 1)
    assert [piece.summary.split(":")[0] for piece in finding.evidence] == (
        [] if verdict is PASS else ["swarm-0 was too slow to be a witness"]
    )


def test_what_a_blind_client_is_told() -> None:
    rows = closed_loop("swarm", 500, 136) + locust()
    samples = health("swarm-0", lag_ms=89) + health("locust-0", lag_ms=1)
    finding = exercised.check(run_with(rows, health=samples, connections=500))
    assert finding.summary.startswith(
        "swarm-0 was too slow to be a witness: its event loop was 89 ms late in the median and its "
        "requests took 136 ms, so about 316 at once waited for the client, not for the counter, "
        "and no inversion among them can be seen: use TRANSPORT=wire, fewer CONNECTIONS or more "
        "PROCESSES ("
    )
    assert finding.summary.endswith(
        "; swarm-0, the slowest client, was 89 ms late where a request took 136 ms (medians))."
    )
    assert finding.counts["client_share_of_latency"] == 0.6544


@pytest.mark.parametrize(
    ("load", "source", "advice"),
    [
        ({"transport": "wire"}, "swarm", "use fewer CONNECTIONS or more PROCESSES"),
        (
            {"rate_per_s": 100},
            "swarm",
            "use TRANSPORT=wire, a lower RATE, fewer CONNECTIONS or more PROCESSES",
        ),
        ({"users": 400}, "locust", "use fewer USERS or more LOCUST_PROCESSES"),
    ],
)
def test_the_advice_is_for_the_generator_that_was_slow(
    load: dict[str, Any], source: str, advice: str
) -> None:
    other = "locust" if source == "swarm" else "swarm"
    rows = closed_loop(source, 400, 100) + closed_loop(other, 50, 40)
    samples = health(f"{source}-0", lag_ms=90) + health(f"{other}-0", lag_ms=1)
    finding = exercised.check(run_with(rows, health=samples, **load))
    (told,) = [p.summary for p in finding.evidence if "witness" in p.summary]
    assert told.startswith(f"{source}-0 ")
    assert told.endswith(f": {advice}")


def test_samples_before_and_after_the_load_say_nothing() -> None:
    before = [sample("swarm-0", at * S, loop_lag_ns_p50=9 * S) for at in (-9, -1, 0)]
    after = [sample("swarm-0", (LENGTH_S + at) * S, loop_lag_ns_p50=9 * S) for at in (1, 9)]
    during = health("swarm-0", lag_ms=2, cpu_ns=S // 4, connections=50, loop_lag_ns_max=7 * MS)
    rows = closed_loop("swarm", 50, 40)
    client, _ = clients_of(run_with(rows, health=[*before, *during, *after]))
    assert client.health is not None
    assert dataclasses.astuple(client.health) == (0.5, 0.5, 2 * MS, 7 * MS, 50)
    assert client.own_share == 0.05


def test_without_samples_nothing_is_claimed() -> None:
    finding = exercised.check(run_with(closed_loop("swarm", 50, 40) + locust()))
    assert finding.verdict is PASS
    assert finding.summary.endswith("; how the clients themselves fared was not recorded.")
    assert finding.counts["loop_lag_ms_p50"] is None
    assert finding.counts["client_share_of_latency"] is None


def test_the_requests_that_bracket_the_load_are_no_clients() -> None:
    run = run_with(closed_loop("swarm", 5, 40))
    assert run.manifest is not None
    runner = ProcessRecord(
        process="runner-0",
        source="runner",
        exit_state="ended",
        journal_records=2,
        closed_records=2,
    )
    manifest = run.manifest.replace(processes=(*run.manifest.processes, runner))
    found = clients_of(dataclasses.replace(run, manifest=manifest))
    assert [client.process for client in found] == ["swarm-0", "locust-0"]
    assert clients_of(dataclasses.replace(run, manifest=None)) == ()


def schedule_of(rows: list[dict[str, Any]], **load: Any) -> Schedule:
    client, _ = clients_of(run_with(rows, rate_per_s=100, **load))
    assert client.schedule is not None
    return client.schedule


def test_a_kept_schedule() -> None:
    kept = schedule_of(open_loop(dict.fromkeys(range(0, 4_000, 10), 0.1), takes_ms=5))
    assert dataclasses.astuple(kept)[:5] == (MS // 10, MS // 10, MS // 10, MS // 10, 1)
    assert kept.busy_at_end == pytest.approx(0.5 / 50, rel=0.1)


def test_lateness_while_the_server_holds_the_connections_is_not_the_clients() -> None:
    # Two connections, each held for 100 ms; what is due every 10 ms waits for one of them.
    late = {at * 10: 40.0 * at for at in range(80)}
    rows = open_loop(late, takes_ms=100)
    held = schedule_of(rows, connections=1, connections_max=2)
    assert held.lag_ns_p50 > S
    assert held.own_lag_ns_p50 < 10 * MS
    assert held.busy_at_end == pytest.approx(1, abs=0.02)
    free = schedule_of(rows, connections=1, connections_max=200)
    assert free.own_lag_ns_p50 == pytest.approx(free.lag_ns_p50, rel=0.02)
    assert free.queued_peak == held.queued_peak == 64


@pytest.mark.parametrize(
    ("rows", "load", "lag_ms", "told"),
    [
        pytest.param(
            open_loop({at * 10: 40.0 * at for at in range(80)}, takes_ms=100),
            {"connections": 1, "connections_max": 2},
            1,
            "Only 80 of 400 requests of the schedule were sent: the server held the connections, "
            "use a lower RATE or raise CONNECTIONS or CONNECTIONS_MAX",
            id="all connections busy, the loop on time: the server",
        ),
        pytest.param(
            open_loop({at * 10: 40.0 * at for at in range(80)}, takes_ms=100),
            {"connections": 1, "connections_max": 2},
            60,
            "Only 80 of 400 requests of the schedule were sent: the client was too slow, use "
            "TRANSPORT=wire, a lower RATE, fewer CONNECTIONS or more PROCESSES",
            id="all busy, but with answers that wait to be read: the client",
        ),
        pytest.param(
            open_loop({at * 10: 40.0 * at for at in range(80)}, takes_ms=100),
            {"transport": "wire"},
            1,
            "Only 80 of 400 requests of the schedule were sent: the client was too slow, use a "
            "lower RATE, fewer CONNECTIONS or more PROCESSES",
            id="connections free: the client",
        ),
        pytest.param(
            open_loop(dict.fromkeys(range(0, 3_500, 500), 30.0), takes_ms=100),
            {"shape": "burst"},
            0,
            "Only 7 of 400 requests of the schedule were sent: the client was too slow, use "
            "TRANSPORT=wire, a lower RATE, fewer CONNECTIONS or more PROCESSES",
            id="volleys that go out late: the client",
        ),
        pytest.param(
            open_loop(dict.fromkeys(range(0, 3_500, 500), 1.0), takes_ms=400),
            {"shape": "burst"},
            0,
            "Only 7 of 400 requests of the schedule were sent: the server held the connections, "
            "use a lower RATE or raise CONNECTIONS or CONNECTIONS_MAX",
            id="volleys that go out in time: the server",
        ),
    ],
)
def test_whose_doing_it_is_that_a_schedule_was_not_sent(
    rows: list[dict[str, Any]], load: dict[str, Any], lag_ms: float, told: str
) -> None:
    samples = health("swarm-0", lag_ms=lag_ms) + health("locust-0", lag_ms=1)
    finding = exercised.check(run_with(rows + locust(), health=samples, rate_per_s=100, **load))
    assert finding.verdict is INCONCLUSIVE
    assert told in [piece.summary for piece in finding.evidence]


@pytest.mark.parametrize(
    ("sent", "load", "verdict"),
    [
        pytest.param(361, {}, PASS, id="nine tenths"),
        pytest.param(359, {}, INCONCLUSIVE, id="fewer"),
        pytest.param(300, {"arrivals": "poisson"}, PASS, id="by chance fewer"),
        pytest.param(280, {"arrivals": "poisson"}, INCONCLUSIVE, id="fewer than by chance"),
        pytest.param(191, {"shape": "ramp"}, PASS, id="a ramp asks for 52.5 %"),
        pytest.param(187, {"shape": "ramp"}, INCONCLUSIVE, id="fewer than a ramp asks for"),
        pytest.param(102, {"shape": "spike"}, PASS, id="a spike asks for 28 %"),
        pytest.param(100, {"shape": "spike"}, INCONCLUSIVE, id="fewer than a spike asks for"),
    ],
)
def test_how_much_of_a_schedule_must_be_sent(
    sent: int, load: dict[str, Any], verdict: Verdict
) -> None:
    every = {round(at * 3_999 / sent): 0.1 for at in range(sent)}
    rows = open_loop(every, takes_ms=5) + locust()
    samples = health("swarm-0", lag_ms=0.1) + health("locust-0", lag_ms=1)
    finding = exercised.check(run_with(rows, health=samples, rate_per_s=100, **load))
    assert finding.verdict is verdict
    assert finding.counts["schedule_lag_ms_p50"] == 0.1


@pytest.mark.parametrize(
    ("clients", "load", "due"),
    [
        pytest.param({"swarm": 48}, {"shape": "ramp"}, None, id="a ramp's last have no time"),
        pytest.param({"swarm": 47}, {"shape": "ramp"}, 48, id="but these have"),
        pytest.param({"locust": 18}, {"shape": "ramp"}, None, id="users follow a short ramp late"),
        pytest.param({"swarm": 50}, {"shape": "spike"}, None, id="a spike asks for all"),
        pytest.param({"swarm": 49}, {"shape": "spike"}, 50, id="and gets all"),
        pytest.param({"swarm": 25}, {"shape": "0:0.5,1:0.2"}, 25, id="half at the most"),
        pytest.param({"swarm": 24}, {"shape": "0:0.5,1:0.5"}, 25, id="half of them"),
        pytest.param({"swarm": 2}, {"rate_per_s": 100}, None, id="an open loop needs few"),
        pytest.param({"swarm": 60}, {"rate_per_s": 100}, None, id="or opens more"),
        pytest.param({"swarm": 49}, {"rate_per_s": 100, "shape": "burst"}, 50, id="a volley: all"),
        pytest.param({"swarm": 49}, {"shape": "burst"}, 50, id="without a rate, too"),
        pytest.param({"locust": 10}, {"shape": "0:0.5,1:0.5"}, None, id="users likewise"),
        pytest.param({"locust": 9}, {"shape": "0:0.5,1:0.5"}, 10, id="fewer users"),
    ],
)
def test_who_must_have_sent(clients: dict[str, int], load: dict[str, Any], due: int | None) -> None:
    asked = {"swarm": 50, "locust": 20} | clients
    rows = [row for source, count in asked.items() for row in closed_loop(source, count, 40)]
    finding = exercised.check(run_with(rows, **load))
    told = [piece.summary for piece in finding.evidence if "sent a request" in piece.summary]
    (source,) = clients
    noun = {"swarm": "swarm connections", "locust": "Locust users"}[source]
    if due is None or clients[source] >= due:
        assert told == []
    else:
        (sentence,) = told
        assert sentence.startswith(f"Only {clients[source]} of {due} {noun} sent a request: raise ")


@pytest.mark.parametrize(
    ("until_ms", "load", "silent"),
    [
        pytest.param(3_700, {}, False, id="to the end"),
        pytest.param(3_000, {}, True, id="a closed loop that stops"),
        pytest.param(3_000, {"shape": "0:1,0.5:0.02,1:0.02"}, True, id="one should go on"),
        pytest.param(3_000, {"rate_per_s": 100}, True, id="an open loop, 100 to come"),
        pytest.param(3_000, {"rate_per_s": 9}, False, id="an open loop, 9 to come"),
        pytest.param(3_000, {"rate_per_s": 55, "shape": "burst"}, False, id="one volley to come"),
        pytest.param(2_000, {"rate_per_s": 55, "shape": "burst"}, True, id="two volleys to come"),
        pytest.param(
            2_000, {"rate_per_s": 90, "shape": "0:1,0.5:1,0.5:0.05,1:0.05"}, False, id="9 to come"
        ),
    ],
)
def test_when_silence_is_a_sign(until_ms: int, load: dict[str, Any], *, silent: bool) -> None:
    rows = [row for row in closed_loop("swarm", 50, 40) if row["end_ns"] <= until_ms * MS]
    finding = exercised.check(run_with(rows + locust(), **load))
    told = [piece.summary for piece in finding.evidence if "fell silent" in piece.summary]
    assert told == ([f"swarm-0 fell silent after {until_ms / 1_000:.1f} s of 4.0 s"] * silent)


@pytest.mark.parametrize("processes", [1, 2])
def test_with_fewer_clients_than_processes_one_may_rest(processes: int) -> None:
    rows = [row for row in closed_loop("swarm", 50, 40) if row["end_ns"] <= S]
    run = run_with(rows + locust(), shape="0:1,0.2:1,0.2:0.02,1:0.02")
    assert run.manifest is not None
    swarm, locust_0 = run.manifest.processes
    others = [dataclasses.replace(swarm, process=f"swarm-{at}") for at in range(1, processes)]
    manifest = run.manifest.replace(processes=(swarm, *others, locust_0))
    finding = exercised.check(dataclasses.replace(run, manifest=manifest))
    told = [piece.summary for piece in finding.evidence if "fell silent" in piece.summary]
    assert len(told) == (processes == 1)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 30), st.integers(0, 20)), min_size=1),
    st.integers(1, 3),
)
def test_a_clients_own_lateness_against_counting(
    requests: list[tuple[int, int, int]], allowed: int
) -> None:
    """Tick by tick: while a request waits, what share of the connections is free."""
    rows = [
        ok(due + late, due + late + took, 0, intended_ns=due, process="swarm-0", source="swarm")
        for due, late, took in requests
    ]
    manifest = new_manifest()
    load: Load = dataclasses.replace(manifest.load, connections=allowed, connections_max=0)
    run = recorded(
        [row | {"value": at} for at, row in enumerate(rows)],
        load=load,
        load_started_ns=0,
        load_ended_ns=100,
    )
    client, _ = clients_of(run)
    assert client.schedule is not None
    spans = [(row["start_ns"], row["end_ns"]) for row in rows]
    lags = []
    for due, late, _ in requests:
        busy = sum(sum(s <= tick < e for s, e in spans) for tick in range(due, due + late))
        lags.append(max(0.0, late - busy / allowed))
    expected = sorted(lags)[(len(lags) - 1) // 2]
    assert client.schedule.own_lag_ns_p50 == pytest.approx(expected, abs=1)
    busy = sum(sum(s <= tick < e for s, e in spans) for tick in range(90, 100))
    assert client.schedule.busy_at_end == pytest.approx(busy / 10 / allowed)
