"""The intermediary as a process, on the wire, before counters of our own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from itertools import count

import pytest

from history.destination import parse_destination
from history.fault import parse_fault
from history.operation import Returns
from runner.intermediary import standing_before
from tests import servers
from tests.faults.conftest import Between, ask, connected
from tests.patience import PATIENCE_S, until
from tests.runs import REPOSITORY
from tests.servers import CounterServer


def test_it_passes_everything_on(between: Between) -> None:
    with CounterServer(servers.correct, value=4) as server:
        stands = between(server.url + "v1/x", "none")
        assert stands.url.endswith("/v1/x")
        assert ask(stands.url) == (200, b"5")
        assert ask(stands.url, "POST", "/decrement") == (200, b"4")
        assert ask(stands.url, "PUT", body="{}")[0] == 405
        assert server.received == 2
    assert stands.counts() == {"received": 2, "sent": 3, "answered": 2, "injected": 0}


def test_it_keeps_a_connection_and_answers_headers(between: Between) -> None:
    with CounterServer(servers.correct) as server, connected(between(server.url, "none").url) as it:
        for number in (1, 2, 3):
            it.request("GET", "/")
            answer = it.getresponse()
            assert (answer.read(), answer.getheader("Cache-Control")) == (
                str(number).encode(),
                "no-store",
            )
            assert answer.getheader("Connection") is None


def test_the_first_request_never_goes_wrong(between: Between) -> None:
    with CounterServer(servers.correct) as server:
        stands = between(server.url, "throttle:1")
        assert [ask(stands.url) for _ in range(3)] == [
            (200, b"1"),
            (429, b'{"message":"Too Many Requests"}'),
            (429, b'{"message":"Too Many Requests"}'),
        ]
        assert server.received == 1
    assert stands.counts()["injected"] == 2


def test_only_the_counters_own_requests_go_wrong(between: Between) -> None:
    with CounterServer(servers.correct) as server:
        stands = between(server.url + "v1/", "throttle:1")
        ask(stands.url)
        elsewhere = stands.url.removesuffix("v1/") + "v2/"
        assert ask(elsewhere)[0] == 200, "another path is nobody's counter"
        assert ask(stands.url)[0] == 429
        assert ask(stands.url, "POST", "decrement")[0] == 429


@pytest.mark.parametrize("elsewhere", ["//127.0.0.1:{port}/stolen", "http://127.0.0.1:{port}/"])
def test_nothing_is_sent_anywhere_else(between: Between, elsewhere: str) -> None:
    with CounterServer(servers.correct) as server, CounterServer(servers.correct) as other:
        stands = between(server.url, "none")
        own, port = parse_destination(stands.url), parse_destination(other.url).port
        with closing(socket.create_connection((own.host, own.port), timeout=20)) as raw:
            target = elsewhere.format(port=port)
            raw.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert raw.recv(4096).startswith(b"HTTP/1.1 400 ")
        assert (server.received, other.received) == (0, 0)


def test_it_hangs_up(between: Between) -> None:
    with CounterServer(servers.correct) as server:
        stands = between(server.url, "drop:1")
        ask(stands.url)
        with pytest.raises(http.client.RemoteDisconnected):
            ask(stands.url)
        assert server.value == 2
    assert stands.counts() == {"received": 2, "sent": 2, "answered": 1, "injected": 1}


def test_it_resets_in_the_middle_of_an_answer(between: Between) -> None:
    with CounterServer(servers.correct, value=7_654_320) as server:
        stands = between(server.url, "reset:1")
        ask(stands.url)
        own = parse_destination(stands.url)
        with closing(socket.create_connection((own.host, own.port), timeout=20)) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            read = b""
            while not read.endswith(b"765"):
                read += raw.recv(4096)
            with pytest.raises(ConnectionResetError):
                raw.recv(4096)
        assert read.endswith(b"Content-Length: 7\r\n\r\n765")
        assert server.value == 7_654_322


def test_it_keeps_silent_until_it_is_given_up(between: Between) -> None:
    with CounterServer(servers.correct) as server:
        stands = between(server.url, "hang:1")
        ask(stands.url)
        with connected(stands.url, timeout_s=0.3) as connection:
            connection.request("GET", "/")
            with pytest.raises(TimeoutError):
                connection.getresponse()
        assert server.value == 2


@pytest.mark.parametrize(
    ("counter", "status"),
    [
        pytest.param(servers.half_a_head, 502, id="a connection that breaks"),
        pytest.param(servers.garbage, 502, id="not HTTP"),
        pytest.param(servers.oversized, 502, id="too long"),
        pytest.param(servers.truncated, 502, id="truncated"),
        pytest.param(servers.erring, 500, id="an error of its own"),
        pytest.param(servers.redirecting, 307, id="a redirection is not followed"),
    ],
)
def test_nothing_is_sent_on_twice(
    between: Between, counter: servers.Answering, status: int
) -> None:
    with CounterServer(counter) as server:
        stands = between(server.url, "none")
        found = [ask(stands.url)[0] for _ in range(6)]
        assert server.await_received(6) == server.value == 6
    assert set(found) <= {status, 200}
    assert status in found
    assert stands.counts()["sent"] == 6


def test_a_counter_that_is_gone(between: Between) -> None:
    with CounterServer(servers.correct) as server:
        stands = between(server.url, "none")
        ask(stands.url)
    status, body = ask(stands.url)
    assert status == 502
    assert b"message" in body


def test_the_seed_draws_the_same_requests_again() -> None:
    drawn = []
    for seed in (1, 1, 2):
        with (
            CounterServer(servers.correct) as server,
            standing_before(
                parse_destination(server.url),
                parse_fault("throttle:0.5"),
                returns=Returns.NEW,
                seed=seed,
                allowed_hosts=(),
            ) as stands,
        ):
            drawn.append([ask(stands.url)[0] for _ in range(40)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert {200, 429} == set(drawn[0])


def test_it_ends_with_who_started_it(between: Between) -> None:
    with CounterServer(servers.correct) as server:
        stands = between(server.url, "none")
        assert stands.alive()
        assert stands.process.stdin is not None
        stands.process.stdin.close()
        until(lambda: not stands.alive(), "the intermediary has ended")
        assert stands.process.returncode == 0
        assert stands.counts() == {}


def test_it_ends_when_told_to_while_it_keeps_silent(between: Between) -> None:
    with CounterServer(servers.correct) as server:
        stands = between(server.url, "hang:1")
        ask(stands.url)
        with connected(stands.url) as connection:
            connection.request("GET", "/")
            server.await_received(2)
            stands.process.send_signal(signal.SIGTERM)
            assert stands.process.wait(PATIENCE_S) == 0


def by_hand(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "faults", *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--upstream", "http://127.0.0.1:1/", "--fault", "resent"],
            "gapless: --fault resent: expected one of none, ",
        ),
        (
            ["--upstream", "http://192.0.2.1/"],
            "gapless: URL=http://192.0.2.1/: load is sent only to loopback addresses",
        ),
        (
            ["--upstream", "http://127.0.0.1:1/", "--host", "192.0.2.1"],
            "gapless: --host 192.0.2.1 --port 0: cannot listen there",
        ),
    ],
)
def test_what_a_person_can_fix_is_said(arguments: list[str], said: str) -> None:
    ended = by_hand(*arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith(said)
    assert ended.stdout == ""


def test_a_port_that_is_taken() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = by_hand("--upstream", "http://127.0.0.1:1/", "--port", port)
    assert ended.returncode == 2
    assert "cannot listen there" in ended.stderr


def test_help_names_every_fault() -> None:
    ended = by_hand("--help")
    assert ended.returncode == 0
    assert "  slow-start   delays answers by a second at first" in ended.stdout


def test_it_comes_back_on_its_port(between: Between) -> None:
    with CounterServer(servers.correct) as server:
        stands = between(server.url, "none")
        ask(stands.url)
        port = str(parse_destination(stands.url).port)
        os.kill(stands.process.pid, signal.SIGKILL)
        stands.process.wait(PATIENCE_S)
        again = subprocess.Popen(
            [sys.executable, "-m", "faults", "--upstream", server.url, "--port", port],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert again.stdout is not None
            assert again.stdout.readline()
            assert ask(stands.url) == (200, b"2")
        finally:
            again.communicate(timeout=PATIENCE_S)


def test_requests_of_many_connections_are_all_counted(between: Between) -> None:
    with CounterServer(servers.correct) as server:
        stands = between(server.url, "reorder:5")
        ask(stands.url)
        numbers = count(2)
        with connected(stands.url) as one, connected(stands.url) as other:
            for _ in range(20):
                one.request("GET", "/")
                other.request("GET", "/")
                answered = {int(each.getresponse().read()) for each in (one, other)}
                assert answered == {next(numbers), next(numbers)}
    assert stands.counts() == {"received": 41, "sent": 41, "answered": 41, "injected": 40}
