"""Clients are measured by differences, and only if what they say agrees with the counter."""

import asyncio
import functools
import os
import subprocess
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
    SAID,
    WIRE,
    Client,
    Cost,
    Look,
    cost,
    foreign,
    ratio_to_wrk,
    sample,
)
from bench.counter import CounterProcess, Tally
from bench.generators import OwnClient, lags_ms, load_options, record_fault
from bench.machine import is_alive, process_cpu_s, tree_cpu_s
from bench.timers import SLEEP, keep_schedule
from bench.timers import run as run_timers
from bench.tools import Tool
from history.errors import UserError
from history.schema import arrow_schema
from history.shape import parse_shape
from runner.generators import commands
from swarm.schedule import intended_times


def look(cpu_s: float, requests: int, at_s: float, server_s: float) -> Look:
    return Look(cpu_s=cpu_s, tally=Tally(requests=requests, cpu_s=server_s, at_s=at_s))


def test_only_what_lies_between_two_looks_counts() -> None:
    measured = cost("wrk", look(1.5, 5_000, 10.0, 0.5), look(4.0, 25_000, 14.0, 2.5))
    assert measured == Cost(cost_s=1.25, rate_per_s=5_000, server_share=0.5)


def test_a_client_that_sent_nothing_meanwhile_is_not_measured() -> None:
    with pytest.raises(UserError, match=r"^wrk sent nothing for 4\.0 s"):
        cost("wrk", look(1.0, 100, 10.0, 0.5), look(2.0, 100, 14.0, 0.5))


def test_a_ratio_is_taken_within_each_round() -> None:
    def rounds(*costs_s: float) -> list[Cost]:
        return [Cost(cost_s=cost_s, rate_per_s=1, server_share=0) for cost_s in costs_s]

    assert ratio_to_wrk(rounds(0.2, 0.8, 0.3), rounds(0.1, 0.4, 0.1)) == pytest.approx(2)
    assert ratio_to_wrk(rounds(0.2), []) is None


def test_the_time_of_descendants_counts_whether_gone_or_alive() -> None:
    spin = "import sys, time\nwhile time.process_time() < 0.1: pass\n"
    alive = spin + "print(flush=True)\nsys.stdin.read()\n"
    script = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {spin!r}])\n"
        f"subprocess.run([sys.executable, '-c', {alive!r}])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process_cpu_s(process.pid) < tree_cpu_s(process.pid)
        assert tree_cpu_s(process.pid) >= 0.2 - 2 / os.sysconf("SC_CLK_TCK")
        assert is_alive(process.pid)


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


def tool(script: str) -> Client:
    """A load generator that is a line of Python: it is told the URL and the seconds."""
    return foreign(
        Tool(
            name="tool",
            package="",
            command=lambda url, seconds, _connections: (
                [sys.executable, "-c", script, url, str(seconds)]
            ),
            answered=int,
            records="",
        )
    )


SENDING = """
import sys, time, urllib.request
url, seconds = sys.argv[1:]
began, sent = time.monotonic(), 0
while time.monotonic() < began + int(seconds):
    urllib.request.urlopen(url).read()
    sent += 1
print(sent)
"""


def test_a_tools_requests_and_cpu_are_measured_while_it_sends(program: Path) -> None:
    measured = sample(tool(SENDING), program, 1)
    assert measured.cost_s > 0
    assert measured.rate_per_s > 0
    assert 0 <= measured.server_share < 1


@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param("import sys; sys.exit('no route')", "exit code 1: no route$", id="complains"),
        pytest.param("print(0)", "^tool sent nothing", id="does nothing"),
    ],
)
def test_a_tool_that_does_not_send_is_no_measurement(
    program: Path, script: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        sample(tool(script), program, 1)


@pytest.mark.parametrize("answered", [100, 50])
def test_a_tools_count_agrees_but_for_what_was_under_way(tmp_path: Path, answered: int) -> None:
    (tmp_path / SAID).write_text(str(answered))
    tool("").check(tmp_path, 100)


@pytest.mark.parametrize("answered", [101, 49])
def test_a_tool_that_does_not_agree_with_the_counter_is_refused(
    tmp_path: Path, answered: int
) -> None:
    (tmp_path / SAID).write_text(str(answered))
    with pytest.raises(UserError, match=f"^tool speaks of {answered} answers, the counter of 100"):
        tool("").check(tmp_path, 100)


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
    client.start(counter.url, 1, tmp_path).finish()
    counted = counter.stop().requests
    assert len(client.record(tmp_path, counted=counted)) == counted > 0
    with pytest.raises(UserError, match=f"^{client.name}: the counter counted"):
        client.record(tmp_path, counted=counted + 1)


def test_an_open_loops_lag_comes_from_its_record(program: Path) -> None:
    measured = lag.sample(lag.own(WIRE), program, lag.Load(rate_per_s=500, arrivals="uniform"))
    assert 0 < measured.rate_per_s <= 500
    assert 0 <= measured.late_ms[0] <= measured.late_ms[-1]


@pytest.mark.parametrize(
    ("how", "new_loop", "arrivals"),
    [
        ("asyncio", asyncio.new_event_loop, "uniform"),
        ("asyncio", asyncio.new_event_loop, "poisson"),
        ("uvloop", uvloop.new_event_loop, "uniform"),
        ("uvloop", uvloop.new_event_loop, "poisson"),
        (SLEEP, asyncio.new_event_loop, "uniform"),
    ],
)
def test_simple_senders_send_what_is_due_and_never_early(
    counter: CounterProcess,
    how: str,
    new_loop: Callable[[], asyncio.AbstractEventLoop],
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
