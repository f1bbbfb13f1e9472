"""The section about the clients, and the load in words."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from analysis.clients import clients_of
from analysis.report import clients, page
from analysis.report.timeline import timeline
from analysis.run import Run
from history.health import HealthSample
from history.manifest import Manifest, ProcessRecord
from tests.report.builders import (
    ORIGIN_NS,
    S,
    finding,
    health_of,
    judgement_of,
    manifest_of,
    ok,
    run_of,
)
from tests.report.pagecheck import Page, checked

LATENCY_NS = 40_000_000


def requests(process: str, source: str, *, late_ns: int | None = None) -> list[dict[str, Any]]:
    rows = []
    for at in range(100):
        start = ORIGIN_NS + at * S // 10
        due = {} if late_ns is None else {"intended_ns": start - late_ns}
        rows.append(ok(at, start, start + LATENCY_NS, process=process, source=source, **due))
    return rows


def with_processes(*processes: str, **more: object) -> Manifest:
    return manifest_of(
        processes=tuple(
            ProcessRecord(
                process=process,
                source=process.rpartition("-")[0],
                exit_state="ended",
                journal_records=100,
                closed_records=100,
            )
            for process in processes
        ),
        **more,
    )


def page_of(run: Run) -> Page:
    return checked(page.render(run, judgement_of(run, finding("exercised")), Path()))


def two_generators(health: list[HealthSample]) -> Run:
    operations = requests("swarm-0", "swarm") + requests("locust-0", "locust")
    return run_of(operations, manifest=with_processes("swarm-0", "locust-0"), health=health)


def said(run: Run) -> str:
    return " ".join(clients.words(run, clients_of(run))).replace("\u00a0", " ")


def shown(run: Run) -> list[tuple[str, ...]]:
    """Every row of every table about the clients."""
    found = clients_of(run)
    return [row for table in clients.tables(found, found) for row in table.groups[0].rows]


def test_a_slow_server_and_a_slow_client_are_told_apart() -> None:
    fast, slow = health_of("swarm-0", lag_ms=0.5), health_of("locust-0", lag_ms=35)
    text = said(two_generators([*fast, *slow]))
    assert (
        "swarm: requests waited for the counter, hardly for the client. In the median its" in text
    )
    assert "locust: the client itself was slow. Much of what is recorded as latency is" in text
    assert "late where a request took 40 ms. The intervals: " in text
    between = said(two_generators(health_of("swarm-0", lag_ms=6)))
    assert "swarm: mostly the counter set the pace, in part the client itself." in between
    assert "locust: how its clients fared was not recorded." in between


def test_what_is_not_known_is_said() -> None:
    rows = requests("swarm-0", "swarm")
    old = page_of(run_of(rows, manifest=with_processes("swarm-0")))
    assert "How the clients fared was not recorded (there is no health.csv)" in old.text
    assert "swarm-0 \u2013 \u2013 \u2013 \u2013 40.00 0.4 1 \u2013" in old.text
    assert len(old.all("img")) == 5
    plain = clients.section(run_of(rows), timeline(run_of(rows)))
    assert plain.words == (
        "A plain history file does not tell how the clients fared that made it.",
    )
    assert (plain.tables, plain.figure) == ((), None)
    nothing = run_of([], manifest=with_processes("swarm-0"))
    assert shown(nothing) == [("swarm-0", *"\u2013" * 5, "0", "0", "\u2013")]


def test_the_figure_and_its_words() -> None:
    samples = health_of("swarm-0", count=20, cpu_share=0.5, connections=73)
    exact = [
        dataclasses.replace(
            sample,
            cpu_ns=sample.interval_ns // 2,
            loop_lag_ns_p50=10**6,
            loop_lag_ns_max=9 * 10**6,
        )
        for sample in samples
    ]
    found = page_of(two_generators(exact))
    (alt,) = (image["alt"] for image in found.all("img") if "CPU share" in image["alt"])
    assert alt == (
        "Two line charts over time. swarm-0: CPU share 50\u00a0% on average, event loop 1\u00a0ms "
        "late in the median and 9\u00a0ms at most."
    )
    wide_and_narrow = [svg for svg in found.images if "CPU share (% of a core)" in svg]
    assert ["loop late (ms, log)" in svg for svg in wide_and_narrow] == [True, True]
    assert "swarm-0 50 % 50 % 1.00 9.00 40.00 0.4 1 73" in found.text
    assert "How long after they were due" not in found.text


@pytest.mark.parametrize(
    ("connections", "own_ms", "why"),
    [
        (50, "49.00", "That is the client's own lateness; connections were free."),
        (1, "0.00", "Most of that was waiting for a connection: the counter"),
    ],
)
def test_a_schedule_that_was_late_has_its_reason(connections: int, own_ms: str, why: str) -> None:
    # Each takes its connection until the next one is sent.
    rows = [
        row | {"end_ns": row["start_ns"] + S // 10}
        for row in requests("swarm-0", "swarm", late_ns=S // 20)
    ]
    load = dataclasses.replace(manifest_of().load, rate_per_s=10.0, connections=connections)
    run = run_of(rows, manifest=with_processes("swarm-0", load=load))
    text = said(run)
    assert "The schedule: requests were sent 50 ms after they were due in the median" in text
    assert why in text
    assert shown(run)[1] == ("swarm-0", "50.00", "50.00", "50.00", own_ms, "1")


def test_many_processes_are_not_all_drawn() -> None:
    names = [f"swarm-{at}" for at in range(40)]
    rows = [row for name in names for row in requests(name, "swarm")[:20]]
    samples = [s for at, name in enumerate(names) for s in health_of(name, count=3, lag_ms=1 + at)]
    run = run_of(rows, manifest=with_processes(*names), health=samples)
    found = clients.section(run, timeline(run))
    assert len(found.tables[0].groups[0].rows) == clients.ROWS
    assert "(the 24 with the latest event loops, of 40)" in found.tables[0].caption
    assert found.figure is not None
    assert "Only the 5 of 40 processes are drawn that were latest." in found.figure.caption
    assert found.words[0].endswith(", in swarm-39, the latest of 40.")


def test_a_day_of_samples_gives_a_small_figure() -> None:
    day = health_of("swarm-0", count=170_000)
    rows = requests("swarm-0", "swarm")
    rows.append(ok(100, ORIGIN_NS + 85_000 * S, ORIGIN_NS + 85_000 * S + 1, process="swarm-0"))
    run = run_of(rows, manifest=with_processes("swarm-0"), health=day)
    found = clients.section(run, timeline(run))
    assert found.figure is not None
    assert len(found.figure.wide) < 120_000


def test_foreign_process_names_and_absurd_samples_do_no_harm() -> None:
    name = "<script>$x$\u202e-0"
    absurd = [
        dataclasses.replace(sample, at_ns=at, cpu_ns=2**63 - 1, loop_lag_ns_max=2**63 - 1)
        for sample, at in zip(health_of(name, count=3), (0, ORIGIN_NS + S, 2**63 - 1), strict=True)
    ]
    run = run_of(requests(name, "swarm"), manifest=with_processes(name), health=absurd)
    found = page_of(run)
    assert "\u202e" not in found.source
    assert "<script>$x$" in found.text


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (
            {"shape": "spike", "transport": "wire", "processes": 3, "locust_processes": 2},
            (
                "shape of the load spike: a fifth of the load, and all of it for a tenth",
                "swarm 50 connections in 3 processes by wire, closed loop",
                "Locust 20 users in 2 processes, closed loop, started and stopped by the shape",
                "SHAPE=spike",
                "LOCUST_PROCESSES=2",
                "TRANSPORT=wire RATE=0 PROCESSES=3",
            ),
        ),
        (
            {"rate_per_s": 500.0, "arrivals": "poisson", "connections_max": 200},
            (
                "swarm 50 connections, up to 200 when all are busy, in 1 process by aiohttp, open",
                "open loop at 500 requests/s, at random (poisson)",
                "RATE=500 ARRIVALS=poisson CONNECTIONS_MAX=200",
            ),
        ),
        (
            {"rate_per_s": 500.0, "shape": "0:0.1,1:1"},
            (
                "shape of the load 0:0.1,1:1: level at each share of the duration",
                "open loop at 500 requests/s, evenly spaced (uniform)",
                "ARRIVALS=uniform CONNECTIONS_MAX=50",
                "SHAPE=0:0.1,1:1",
            ),
        ),
        (
            {"users": 0, "connections": 0},
            (
                "swarm none",
                "Locust users as they were chosen in Locust's page",
                "make locust-ui TARGET=local",
            ),
        ),
    ],
)
def test_the_load_is_described_and_can_be_repeated(
    load: dict[str, Any], words: tuple[str, ...]
) -> None:
    manifest = manifest_of(load=dataclasses.replace(manifest_of().load, **load))
    text = page_of(run_of([], manifest=manifest)).text
    for some in words:
        assert some in text
    assert ("shape of the load" in text) == ("shape" in load)
