"""The compiled counter is a counter, whatever way requests come in."""

import http.client
import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench import counter as bench_counter
from bench.counter import CounterProcess, compiled, pinned, running
from history.errors import UserError
from tests.patience import PATIENCE_S

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSING = b"GET /v1/ HTTP/1.1\r\nHost: x\r\ncookie: a\r\nconnection: Close\r\n\r\n"


def address(counter: CounterProcess) -> tuple[str, int]:
    where = urlsplit(counter.url)
    assert where.hostname == "127.0.0.1"
    assert where.port
    return where.hostname, where.port


def heard(counter: CounterProcess, *pieces: bytes) -> bytes:
    """Send pieces over one connection, one after the other, and read until the server closes it."""
    with socket.create_connection(address(counter), timeout=PATIENCE_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        said = b""
        while more := connection.recv(65_536):
            said += more
        return said


def answer(value: int, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n%d" % (
        len(str(value)),
        headers,
        value,
    )


def test_many_connections_at_once_take_every_number_once(counter: CounterProcess) -> None:
    def take(count: int) -> list[int]:
        connection = http.client.HTTPConnection(*address(counter), timeout=PATIENCE_S)
        taken = []
        for _ in range(count):
            connection.request("GET", "/")
            taken.append(int(connection.getresponse().read()))
        connection.close()
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, [250] * 8))
    assert sorted(value for each in taken for value in each) == list(range(1, 2_001))
    assert all(each == sorted(each) for each in taken)
    before, after = counter.look(), counter.stop()
    assert before.requests == after.requests == 2_000
    assert 0 < before.cpu_s <= after.cpu_s
    assert before.at_s < after.at_s


LAST = b"Connection: close\r\n"


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        pytest.param([CLOSING], answer(1, LAST), id="asked to close"),
        pytest.param(
            [bytes([byte]) for byte in GET + CLOSING],
            answer(1) + answer(2, LAST),
            id="byte by byte",
        ),
        pytest.param(
            [GET * 3 + CLOSING],
            b"".join(map(answer, (1, 2, 3))) + answer(4, LAST),
            id="several at once",
        ),
        pytest.param(
            [b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"],
            answer(1, b"Connection: keep-alive\r\n") + answer(2, LAST),
            id="HTTP/1.0, kept and not",
        ),
        pytest.param(
            [b"PUT / HTTP/1.1\r\nHost: x\r\n\r\n"],
            b"HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n",
            id="not a GET",
        ),
        pytest.param(
            [b"nonsense\r\n\r\n"],
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n",
            id="not HTTP",
        ),
        pytest.param(
            [b"GET / HTTP/1.1\r\nX: ", b"y" * 8_173],
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n",
            id="a head without end",
        ),
    ],
)
def test_requests_come_in_any_way(
    counter: CounterProcess, pieces: list[bytes], said: bytes
) -> None:
    assert heard(counter, *pieces) == said
    assert counter.stop().requests == said.count(b"200 OK")


def test_a_client_that_does_not_read_yet_loses_nothing(counter: CounterProcess) -> None:
    """More answers than the counter keeps, and than sockets hold: it stops reading meanwhile."""
    count = 50_000
    with socket.socket() as connection:
        connection.settimeout(PATIENCE_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(address(counter))
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(connection.sendall, GET * (count - 1) + CLOSING)
            # Nothing has been read so far; what was answered waits in sockets and in the counter.
            said = b""
            while more := connection.recv(65_536):
                said += more
            sending.result(PATIENCE_S)
    assert said == b"".join(map(answer, range(1, count))) + answer(count, LAST)


def test_a_counter_that_died_is_told(program: Path) -> None:
    dying = subprocess.Popen(
        ["sh", "-c", "echo 1234"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with dying, pytest.raises(UserError, match=r"epoll_counter\.c\) ended by itself"):
        CounterProcess(dying).stop()


def test_what_is_started_runs_on_the_core_it_is_given(program: Path) -> None:
    cores = os.sched_getaffinity(0)
    for core in cores:
        with pinned(core):
            said = subprocess.run(
                ["grep", "Cpus_allowed_list", "/proc/self/status"],
                capture_output=True,
                text=True,
                check=True,
            )
        assert said.stdout.split() == ["Cpus_allowed_list:", str(core)]
    assert os.sched_getaffinity(0) == cores


def test_without_a_compiler_one_sentence_names_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt-get install gcc libc6-dev"), compiled():
        raise AssertionError


def test_a_compiler_without_headers_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "broken.c"
    source.write_text("#include <no-such-header.h>\n")
    monkeypatch.setattr(bench_counter, "SOURCE", source)
    with pytest.raises(UserError, match=r"libc6-dev.*no-such-header\.h"), compiled():
        raise AssertionError


def test_a_counter_is_gone_after_its_block_even_if_never_stopped(program: Path) -> None:
    with running(program, core=bench_counter.server_core()) as left:
        place = address(left)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, timeout=PATIENCE_S)
