"""Clients are measured by differences, and only if what they say agrees with the counter."""

import asyncio
import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import uvloop

from bench import lag
from bench.clients import (
    AIOHTTP,
    LOCUST,
    WIRE,
    Client,
    Cost,
    Sample,
    cost,
    foreign,
    ratio_to_wrk,
    sample,
)
from bench.counter import CounterProcess
from bench.generators import OwnClient, lags_ms, load_options, record_fault
from bench.timers import SLEEP, keep_schedule
from bench.timers import run as run_timers
from bench.tools import Tool
from history.errors import UserError
from history.schema import arrow_schema
from history.shape import parse_shape
from runner.generators import commands
from swarm.schedule import intended_times


def seen(cpu_s: float, requests: int) -> Sample:
    return Sample(cpu_s=cpu_s, requests=requests, rate_per_s=9.0, server_share=0.5)


def test_start_up_is_in_both_loads_and_cancels_out() -> None:
    measured = cost("wrk", seen(1.5, 5_000), seen(4.5, 25_000))
    assert measured.cost_s == pytest.approx(1.5)
    assert (measured.rate_per_s, measured.server_share) == (9.0, 0.5)


def test_a_longer_load_without_more_requests_is_no_measurement() -> None:
    with pytest.raises(UserError, match=r"^wrk sent no more requests"):
        cost("wrk", seen(1.0, 100), seen(2.0, 100))


def test_a_ratio_is_taken_within_each_round() -> None:
    def rounds(*costs_s: float) -> list[Cost]:
        return [cost("x", seen(0, 0), seen(cost_s, 10_000)) for cost_s in costs_s]

    assert ratio_to_wrk(rounds(0.2, 0.8, 0.3), rounds(0.1, 0.4, 0.1)) == pytest.approx(2)
    assert ratio_to_wrk(rounds(0.2), []) is None


def table(*rows: tuple[str, int | None]) -> pa.Table:
    """Make a record of (outcome, value), each sent 1.5 ms after it was due."""
    count = len(rows)
    columns = {
        "start_ns": [index * 1_000_000 + 1_500_000 for index in range(count)],
        "intended_ns": [index * 1_000_000 for index in range(count)],
        "outcome": [outcome for outcome, _ in rows],
        "value": [value for _, value in rows],
    }
    schema = arrow_schema()
    return pa.table(
        {name: pa.array(c).cast(schema.field(name).type) for name, c in columns.items()}
    )


@pytest.mark.parametrize(
    ("record", "counted", "fault"),
    [
        pytest.param(table(("ok", 2), ("ok", 1)), 2, "", id="every value once"),
        pytest.param(
            table(("ok", 1), ("ok", 2)),
            3,
            "the counter counted 3 requests, the record holds 2, 2 of them answered, with 2 "
            "different values",
            id="a request is missing",
        ),
        pytest.param(
            table(("ok", 1), ("ok", 1)),
            2,
            "the counter counted 2 requests, the record holds 2, 2 of them answered, with 1 "
            "different values",
            id="a value twice",
        ),
        pytest.param(
            table(("ok", 1), ("indeterminate", None)),
            2,
            "the counter counted 2 requests, the record holds 2, 1 of them answered, with 1 "
            "different values",
            id="one without an answer",
        ),
        pytest.param(
            table(("ok", 1), ("ok", 3)),
            2,
            "the counter counted 2 requests, the record holds 2, 2 of them answered, with 2 "
            "different values",
            id="a value that was not given",
        ),
    ],
)
def test_a_record_is_what_the_counter_did_or_its_fault_is_said(
    record: pa.Table, counted: int, fault: str
) -> None:
    assert record_fault(record, counted=counted) == fault


def test_lag_is_read_from_the_record() -> None:
    assert lags_ms(table(("ok", 1), ("ok", 2))).tolist() == [1.5, 1.5]


def tool(script: str, claim: Callable[[str], int | None] = int) -> Client:
    """A load generator that is a line of Python; its first argument is the URL."""
    return foreign(
        Tool(
            name="tool",
            package="",
            command=lambda url, _seconds, _connections: [sys.executable, "-c", script, url],
            answered=claim,
            records="",
        )
    )


TEN = "import sys, urllib.request as u; [u.urlopen(sys.argv[1]).read() for _ in range(10)]; "


def test_a_tools_cpu_and_requests_are_measured(program: Path) -> None:
    measured = sample(tool(TEN + "print(10)"), program, 1)
    assert measured.requests == 10
    assert measured.cpu_s > 0
    assert measured.rate_per_s > 0


@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param(TEN + "print(11)", "^tool speaks of 11 answers, the counter of 10", id="more"),
        pytest.param(
            TEN * 7 + "print(10)", "^tool speaks of 10 answers, the counter of 70", id="far fewer"
        ),
        pytest.param("sys.exit('no route')", "^tool ended with exit code 1: .*", id="failed"),
    ],
)
def test_a_tool_that_does_not_agree_with_the_counter_is_refused(
    program: Path, script: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        sample(tool(script), program, 1)


@pytest.mark.parametrize("client", [WIRE, AIOHTTP], ids=lambda client: client.name)
def test_the_swarm_is_started_with_the_transport_that_its_row_names(client: OwnClient) -> None:
    planned = commands(
        load_options(1, client.variables),
        url="http://127.0.0.1:1/",
        allowed_hosts=(),
        journals=Path("journal"),
        locust_report=Path("locust.html"),
    )
    ((_, command),) = [plan for plan in planned.values() if plan[0] == client.source]
    assert client.variables["TRANSPORT"] == command[command.index("--transport") + 1]


@pytest.mark.parametrize("client", [WIRE, AIOHTTP, LOCUST], ids=lambda client: client.name)
def test_our_clients_record_what_the_counter_did(
    client: OwnClient, counter: CounterProcess, tmp_path: Path
) -> None:
    client.run(counter.url, 1, tmp_path)
    counted = counter.stop().requests
    assert len(client.record(tmp_path, counted=counted)) == counted > 0
    with pytest.raises(UserError, match=f"^{client.name}: the counter counted"):
        client.record(tmp_path, counted=counted + 1)


def test_an_open_loops_lag_comes_from_its_record(program: Path) -> None:
    measured = lag.sample(lag.own(WIRE), program, lag.Load(rate_per_s=500, arrivals="uniform"))
    assert 0 < measured.rate_per_s <= 500
    assert 0 <= measured.late_ms[0] <= measured.late_ms[-1]


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize(
    ("how", "arrivals"),
    [("timers", "uniform"), ("timers", "poisson"), (SLEEP, "uniform")],
)
def test_simple_senders_send_what_is_due_and_never_early(
    counter: CounterProcess,
    new_loop: Callable[[], asyncio.AbstractEventLoop],
    how: str,
    arrivals: str,
) -> None:
    keep = functools.partial(
        keep_schedule, how=how, rate_per_s=500, arrivals=arrivals, seconds=0.2, seed=1
    )
    with asyncio.Runner(loop_factory=new_loop) as runner:
        late_ns = runner.run(run_timers(counter.url, keep))
    due = intended_times(
        shape=parse_shape("constant"),
        rate_per_s=500,
        start_ns=0,
        end_ns=200_000_000,
        arrivals=arrivals,
        seed=1,
    )
    assert min(late_ns) >= 0
    assert len(late_ns) in (range(1, 101) if how == SLEEP else [len(list(due))])
    assert counter.stop().requests == len(late_ns)
