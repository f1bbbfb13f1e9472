"""The local cloud's HTTP server, byte by byte, against what RFC 9110 and 9112 ask of one."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.http1 import HEAD_LIMIT_BYTES
from deploy.local.listening import serving
from deploy.local.messages import Incoming, Outgoing, encode
from tests.patience import PATIENCE_S

BODY_LIMIT_BYTES = 1000


async def echo(request: Incoming) -> Outgoing:
    """Answer what was understood: method, target, one header, body."""
    sent = dict(request.headers).get(b"X-Sent", b"-")
    text = b"|".join(
        [request.method.encode(), request.target, sent, b"TOO LARGE" * request.too_large]
    )
    return Outgoing(status=200, headers=(("X-Echo", "yes"),), body=text + b"|" + request.body)


def talk(
    pieces: list[bytes], handler: Callable[[Incoming], Awaitable[Outgoing]] = echo
) -> list[tuple[int, str, bytes]]:
    """Send the pieces on one connection, half-close it, and return its answers."""

    async def run() -> bytes:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        async with serving(listener, handler, body_limit_bytes=BODY_LIMIT_BYTES):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            writer.write_eof()
            received = await asyncio.wait_for(reader.read(), PATIENCE_S)
            writer.close()
            await writer.wait_closed()
            return received

    return parsed(asyncio.run(run()))


def parsed(received: bytes) -> list[tuple[int, str, bytes]]:
    """Split a connection's bytes into answers: status, head, body; interim answers have no body."""
    answers = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        text = head.decode()
        status = int(text.split()[1])
        length = re.search(r"Content-Length: (\d+)", text)
        size = int(length[1]) if length else 0
        answers.append((status, text, received[:size]))
        received = received[size:]
    return answers


GET = b"GET /a?b=1 HTTP/1.1\r\nHost: x\r\nX-Sent: Yes\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
)
H2C = b"GET /u HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
H2C_BODY = POST.replace(b"Host", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHost")
H2C_CHUNKED = CHUNKED.replace(b"Host", b"Upgrade: h2c\r\nConnection: upgrade\r\nHost")
SMUGGLED = H2C_BODY.replace(b"5\r\n\r\nhello", b"%d\r\n\r\n%b" % (len(GET), GET))
LARGE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001
LIMIT = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000


@pytest.mark.parametrize(
    ("sent", "bodies"),
    [
        pytest.param(GET, [b"GET|/a?b=1|Yes||"], id="GET, a header's name as it was sent"),
        pytest.param(POST, [b"POST|/|-||hello"], id="body with a length"),
        pytest.param(CHUNKED, [b"PUT|/|-||abcde"], id="chunked body"),
        pytest.param(POST + GET, [b"POST|/|-||hello", b"GET|/a?b=1|Yes||"], id="in order"),
        pytest.param(H2C + GET, [b"GET|/u|-||", b"GET|/a?b=1|Yes||"], id="an upgrade is not made"),
        pytest.param(
            H2C_BODY + GET, [b"POST|/|-||hello", b"GET|/a?b=1|Yes||"], id="an upgrade with a body"
        ),
        pytest.param(H2C_CHUNKED, [b"PUT|/|-||abcde"], id="an upgrade with a chunked body"),
        pytest.param(SMUGGLED, [b"POST|/|-||" + GET], id="a request in an upgrade's body is body"),
        pytest.param(LARGE + GET, [b"POST|/|-|TOO LARGE|", b"GET|/a?b=1|Yes||"], id="too large"),
        pytest.param(LIMIT, [b"POST|/|-||" + b"x" * 1000], id="just not too large"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1_000_000, 1], ids=["whole", "byte by byte"])
def test_requests_are_understood(sent: bytes, bodies: list[bytes], size: int) -> None:
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    answers = talk(pieces)
    assert [status for status, _, _ in answers] == [200] * len(bodies)
    assert [body for _, _, body in answers] == bodies


@pytest.mark.parametrize(
    ("sent", "connection"),
    [
        pytest.param(GET, None, id="1.1 stays open"),
        pytest.param(GET.replace(b"Host", b"Connection: close\r\nHost"), "close", id="1.1 close"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", "close", id="1.0 closes"),
        pytest.param(
            b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive", id="1.0 keep-alive"
        ),
    ],
)
def test_the_connection_after_an_answer(sent: bytes, connection: str | None) -> None:
    answers = talk([sent + sent])
    found = re.findall(r"^Connection: (.*)$", answers[0][1], re.MULTILINE)
    assert [text.strip() for text in found] == ([] if connection is None else [connection])
    assert len(answers) == (1 if connection == "close" else 2)


def test_head_has_the_length_and_no_body() -> None:
    async def run(request: Incoming) -> Outgoing:
        return Outgoing(status=200, headers=(), body=b"12345")

    [(status, head, body)] = talk([b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"], run)
    assert (status, body) == (200, b"")
    assert "Content-Length: 5" in head


def test_every_answer_is_dated() -> None:
    [(_, head, _)] = talk([GET])
    assert re.search(r"\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", head)


def test_a_client_that_waits_for_it_is_told_to_go_on() -> None:
    sent = POST.replace(b"Host", b"Expect: 100-Continue\r\nHost")
    assert [status for status, _, _ in talk([sent])] == [100, 200]
    old = sent.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert [status for status, _, _ in talk([old])] == [200]


HUGE = b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_LIMIT_BYTES + b"\r\n\r\n"
CLOSE = GET.replace(b"Host", b"Connection: close\r\nHost")


@pytest.mark.parametrize(
    ("sent", "statuses", "applied"),
    [
        pytest.param(b"hello\r\n\r\n", [400], 0, id="not HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", [400], 0, id="bad length"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            [400],
            0,
            id="two lengths (request smuggling)",
        ),
        pytest.param(HUGE, [431], 0, id="a huge head"),
        pytest.param(b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", [400], 0, id="CONNECT"),
        pytest.param(GET + b"rubbish\r\n\r\n", [200, 400], 1, id="after a request"),
        pytest.param(GET + b"{}", [200, 400], 1, id="a body without a length"),
        pytest.param(POST + b"more", [200, 400], 1, id="a body longer than its length"),
        pytest.param(GET + HUGE + GET, [200, 431], 1, id="a huge head after a request"),
        pytest.param(CLOSE + GET, [200], 1, id="nothing follows a request to close"),
        pytest.param(CLOSE + b"rubbish", [200], 1, id="not even rubbish"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n!", [200], 1, id="nor does it in 1.0"),
    ],
)
def test_what_is_refused_was_not_begun_and_what_was_begun_is_answered(
    sent: bytes, statuses: list[int], applied: int
) -> None:
    begun = 0

    async def count(request: Incoming) -> Outgoing:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0)
        return await echo(request)

    answers = talk([sent + GET], count)
    assert ([status for status, _, _ in answers], begun) == (statuses, applied)
    assert "Connection: close" in answers[-1][1]


def test_a_client_far_ahead_is_read_again_later() -> None:
    answers = talk([GET * 500])
    assert [status for status, _, _ in answers] == [200] * 500


def test_a_handler_that_fails_is_500(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_request: Incoming) -> Outgoing:
        raise RuntimeError("broken on purpose")

    answers = talk([GET + GET], fail)
    assert [status for status, _, _ in answers] == [500, 500]
    assert "broken on purpose" in caplog.text


def test_a_line_break_in_a_header_does_not_reach_the_client() -> None:
    async def split(_request: Incoming) -> Outgoing:
        return Outgoing(status=200, headers=(("X", "a\r\nInjected: yes"),))

    [(status, head, _)] = talk([GET], split)
    assert (status, "Injected" in head) == (500, False)


@given(value=st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_head_has_the_lines_it_was_given_or_there_is_none(value: str) -> None:
    request = Incoming(method="GET", target=b"/", headers=[], peer_ip="")
    answer = Outgoing(status=200, headers=(("X", value),), body=b"")
    if "\r" in value or "\n" in value:
        with pytest.raises(ValueError, match="line break"):
            encode(answer, request)
    else:
        assert encode(answer, request).count(b"\r\n") == 5


def test_what_is_under_way_when_it_stops_is_still_answered() -> None:
    async def run() -> bytes:
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def slow(_request: Incoming) -> Outgoing:
            arrived.set()
            await go_on.wait()
            return Outgoing(status=200, headers=(), body=b"done")

        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        async with serving(listener, slow, body_limit_bytes=10):
            idle_reader, idle_writer = await asyncio.open_connection(*address)
            reader, writer = await asyncio.open_connection(*address)
            writer.write(GET)
            await arrived.wait()
            asyncio.get_running_loop().call_later(0.01, go_on.set)
        received = await reader.read()
        assert await idle_reader.read() == b""
        for stream in (writer, idle_writer):
            stream.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        return received

    [(status, _, body)] = parsed(asyncio.run(run()))
    assert (status, body) == (200, b"done")
