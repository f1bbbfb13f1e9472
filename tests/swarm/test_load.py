"""The swarm as the runner starts it, on real servers: when it sends, and what it writes down."""

import asyncio
import itertools
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from history.errors import UserError
from history.health import HealthSample, read_logs
from history.journal import KINDS, NO_TIME
from history.mixing import kind_chooser
from history.operation import Kind, Reason
from history.sealing import read_journal
from swarm.__main__ import main
from swarm.alarm import Alarm
from swarm.pacing import ClosedLoop
from tests import servers
from tests.runs import REPOSITORY
from tests.servers import CounterServer

Slots = npt.NDArray[np.void]
LENGTHS_S = (0.5, 2, 8, 32)
"""How long to load where all clients must come to send: on a slow machine they need longer."""
TRANSPORTS = pytest.mark.parametrize("transport", ["aiohttp", "wire"])


def swarm(server: CounterServer, folder: Path, **options: object) -> Slots:
    """Run one swarm process to its end; give its journal, complete and in sending order."""
    arguments = {"url": server.url, "journals": folder, "duration": 0.5, **options}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in arguments.items()]
    assert main(words) == 0
    journal = read_journal(folder / f"swarm-{options.get('process', 0)}.journal")
    assert journal.closed_records == len(journal.slots)
    return journal.slots


def most_in_flight(slots: Slots) -> int:
    """Count the operations in flight at the fullest instant."""
    starts = [(int(at), 1) for at in slots["start_ns"]]
    ends = [(int(at) + 1, -1) for at in slots["end_ns"]]
    return max(itertools.accumulate(step for _, step in sorted(starts + ends)))


@TRANSPORTS
@pytest.mark.parametrize("shape", ["constant", "burst"])
def test_every_request_is_recorded_once(transport: str, shape: str, tmp_path: Path) -> None:
    load = {"transport": transport, "shape": shape, "connections": 7}
    for length_s in LENGTHS_S:
        folder = tmp_path / f"{length_s}"
        folder.mkdir()
        with CounterServer(servers.correct) as server:
            slots = swarm(server, folder, duration=length_s, **load)
            assert len(slots) == server.received == server.value
        if len(set(slots["worker"])) == 7:
            break
    assert sorted(slots["value"]) == list(range(1, len(slots) + 1))
    assert set(slots["worker"]) == set(range(7))
    assert most_in_flight(slots) <= 7


@TRANSPORTS
@pytest.mark.parametrize("pacing", [{}, {"rate": 200}, {"shape": "burst"}, {"shape": "ramp"}])
def test_a_share_of_all_requests_decrements(
    transport: str, pacing: dict[str, object], tmp_path: Path
) -> None:
    with CounterServer(servers.correct, value=500, pause_s=0.005) as server:
        slots = swarm(
            server,
            tmp_path,
            transport=transport,
            connections=6,
            decrements=0.4,
            seed=11,
            process=1,
            processes=2,
            **pacing,
        )
        assert len(slots) == server.received
        assert server.value == 500 + len(slots) - 2 * server.decrements
    choose = kind_chooser(0.4, seed=11, process="swarm-1")
    kinds = [choose() for _ in range(len(slots))]
    assert [KINDS[kind] for kind in slots["kind"]] == kinds
    assert kinds.count(Kind.DECREMENT) == server.decrements


@TRANSPORTS
def test_an_open_loop_opens_more_connections_up_to_its_bound(
    transport: str, tmp_path: Path
) -> None:
    with CounterServer(servers.slow) as server:
        slots = swarm(
            server,
            tmp_path,
            transport=transport,
            rate=100,
            connections=2,
            connections_max=5,
            duration=1,
        )
        assert len(slots) == server.received
    # 100/s of 0.2 s each would need 20 connections: all five were used, and the rest waited.
    assert set(slots["worker"]) == set(range(5))
    assert most_in_flight(slots) <= 5
    assert (slots["start_ns"] >= slots["intended_ns"]).all()
    # The schedule itself did not slow down: what was sent was sent in its order, none left out.
    spaced = np.diff(np.sort(slots["intended_ns"]))
    assert set((spaced // 1_000_000).tolist()) <= {9, 10}
    waited_ns = slots["start_ns"] - slots["intended_ns"]
    assert waited_ns[-1] > 400_000_000
    assert max(sample.queued for sample in read_logs(tmp_path)) > 10


@TRANSPORTS
@pytest.mark.parametrize("arrivals", ["uniform", "poisson"])
def test_an_open_loop_keeps_its_schedule(transport: str, arrivals: str, tmp_path: Path) -> None:
    with CounterServer(servers.correct) as server:
        slots = swarm(
            server, tmp_path, transport=transport, rate=200, arrivals=arrivals, connections=20
        )
    intended = slots["intended_ns"]
    assert (np.diff(intended) >= 0).all()
    assert (slots["start_ns"] >= intended).all()
    if arrivals == "uniform":
        assert len(slots) <= 100
        # A starved machine may not come to the end of it; what it sent it sent on time or late.
        assert set(np.diff(intended).tolist()) <= {4_999_999, 5_000_000, 5_000_001}


@TRANSPORTS
def test_a_volley_waits_for_the_last_answer_of_the_one_before(
    transport: str, tmp_path: Path
) -> None:
    load = {"transport": transport, "shape": "burst", "connections": 10}
    for length_s in LENGTHS_S:
        folder = tmp_path / f"{length_s}"
        folder.mkdir()
        with CounterServer(servers.correct) as server:
            slots = swarm(server, folder, duration=length_s, **load)
        volleys = [slots[slots["intended_ns"] == at] for at in np.unique(slots["intended_ns"])]
        if len(volleys) > 1:
            break
    assert len(volleys) > 1
    for volley in volleys:
        assert sorted(volley["worker"]) == list(range(10))
    for volley, following in itertools.pairwise(volleys):
        assert volley["end_ns"].max() < following["start_ns"].min()
        gap_ns = int(following["intended_ns"][0] - volley["intended_ns"][0])
        assert gap_ns % 20_000_000 == 0


def test_volleys_of_all_processes_meet(tmp_path: Path) -> None:
    """Their instants are multiples of one interval from the load's start."""
    with CounterServer(servers.correct) as server:
        for index in range(2):
            swarm(
                server,
                tmp_path,
                transport="wire",
                shape="burst",
                rate=100,
                connections=10,
                processes=2,
                process=index,
            )
    for index in range(2):
        slots = read_journal(tmp_path / f"swarm-{index}.journal").slots
        since_first = np.unique(slots["intended_ns"] - slots["intended_ns"][0])
        assert (since_first % 100_000_000 == 0).all()
        assert set(slots["worker"]) == set(range(5))


def test_a_burst_finds_the_race_that_steady_load_misses(tmp_path: Path) -> None:
    found: dict[str, tuple[int, int]] = {}
    for name, load in {"steady": {"shape": "constant"}, "burst": {"shape": "burst"}}.items():
        for length_s in LENGTHS_S:
            folder = tmp_path / f"{name}-{length_s}"
            folder.mkdir()
            asked = {"transport": "wire", "rate": 300, "connections": 50, "duration": length_s}
            with CounterServer(servers.racy_in_a_crowd) as server:
                slots = swarm(server, folder, **asked, **load)
            duplicates = len(slots) - len(np.unique(slots["value"]))
            found[name] = (duplicates, most_in_flight(slots))
            if duplicates or name == "steady":
                break
    assert found["burst"][0] > 0
    # The same server under the same 300 requests/s, evenly spread: its fault stays hidden as
    # long as the crowd does (only a machine that stalls for a while makes one of its own).
    assert found["steady"][0] == 0 or found["steady"][1] >= servers.CROWD


@TRANSPORTS
def test_a_closed_loop_follows_its_shape(transport: str, tmp_path: Path) -> None:
    for length_s in LENGTHS_S:
        folder = tmp_path / f"{length_s}"
        folder.mkdir()
        load = {"connections": 10, "shape": "0:0.2,0.5:0.2,0.5:1,1:1", "duration": length_s}
        before_ns = time.monotonic_ns()
        with CounterServer(servers.correct) as server:
            slots = swarm(server, folder, transport=transport, **load)
        if len(set(slots["worker"])) == 10:
            break
    later = slots[slots["worker"] >= 2]
    assert (later["start_ns"] >= before_ns + int(length_s * 500_000_000)).all()
    assert set(slots["worker"]) == set(range(10))


@TRANSPORTS
def test_silence_is_given_up_after_the_time_out_and_recorded(
    transport: str, tmp_path: Path
) -> None:
    with CounterServer(servers.silent) as server:
        slots = swarm(server, tmp_path, transport=transport, timeout=0.4, connections=3)
        # A connection that a starved machine could not make within the time-out is no request.
        sent = slots[slots["attempts"] > 0]
        assert server.await_received(len(sent)) == len(sent) > 0
    assert (slots["answered"] == 1).all()
    assert {(int(s["reason"]), int(s["status"])) for s in sent} == {(Reason.TIMEOUT, 0)}
    assert ((sent["end_ns"] - sent["start_ns"]) >= 390_000_000).all()
    assert (slots["intended_ns"] == NO_TIME).all()


@TRANSPORTS
def test_health_is_sampled_while_it_sends(transport: str, tmp_path: Path) -> None:
    with CounterServer(servers.correct) as server:
        slots = swarm(server, tmp_path, transport=transport, connections=4)
    samples = read_logs(tmp_path)
    assert all(isinstance(sample, HealthSample) for sample in samples)
    assert {sample.process for sample in samples} == {"swarm-0"}
    assert samples
    assert [sample.at_ns for sample in samples] == sorted(sample.at_ns for sample in samples)
    assert all(sample.cpu_ns > 0 for sample in samples[:-1])
    assert {sample.connections for sample in samples} == {4}
    assert all(0 <= sample.in_flight <= 4 for sample in samples)
    assert samples[-1].at_ns >= int(slots["end_ns"].max())
    assert sum(sample.interval_ns for sample in samples) >= 450_000_000


@TRANSPORTS
def test_a_mistake_of_ours_ends_the_load_aloud(
    transport: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def mistaken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ClosedLoop, "free", mistaken)
    with CounterServer(servers.correct) as server, pytest.raises(ZeroDivisionError):
        swarm(server, tmp_path, transport=transport, duration=60)


def test_more_connections_than_the_shell_allows_files(tmp_path: Path) -> None:
    with CounterServer(servers.correct) as server:
        command = f"{sys.executable} -m swarm --url {server.url} --journals {tmp_path}"
        options = "--transport wire --connections 150 --duration 0.5"
        subprocess.run(
            ["bash", "-c", f"ulimit -Sn 100; exec {command} {options}"], cwd=REPOSITORY, check=True
        )
    slots = read_journal(tmp_path / "swarm-0.journal").slots
    assert set(slots["worker"]) == set(range(150))


def test_more_connections_than_the_system_allows_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 500))
    with pytest.raises(UserError, match="raise PROCESSES, lower CONNECTIONS"):
        main(["--url=http://127.0.0.1:1/", f"--journals={tmp_path}", "--connections=450"])
    assert list(tmp_path.iterdir()) == []


def test_an_alarm_never_rings_early_and_only_for_its_last_setting() -> None:
    async def ring() -> list[tuple[int, int]]:
        rung: list[tuple[int, int]] = []
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        times = iter([3_000_000, 0, 1_500_000])
        due = 0

        def on_ring() -> None:
            nonlocal due
            rung.append((due, time.monotonic_ns()))
            wait_ns = next(times, None)
            if wait_ns is None:
                over.set_result(None)
                return
            due = time.monotonic_ns() + wait_ns
            alarm.set(due)

        alarm = Alarm(loop, on_ring)
        alarm.set(time.monotonic_ns() + 3_600_000_000_000)
        due = time.monotonic_ns()
        alarm.set(due)
        await over
        alarm.close()
        return rung

    rung = asyncio.run(ring())
    assert len(rung) == 4
    assert all(at >= due for due, at in rung)
