"""The client that calls a database: once each, over connections that are used again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from deploy.local.engines.engine import Call, EngineAnswer
from deploy.local.engines.http_engine import HttpEngine, http_engine
from tests.patience import PATIENCE_S

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Type: A\r\n\r\n{}"


@dataclass
class Server:
    """Answers with what the test says, byte for byte; None closes the connection instead."""

    answers: list[bytes | None]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split()[0])
                self.requests.append(head + await reader.readexactly(length))
                await self.release.wait()
                answer = self.answers.pop(0)
                if answer is None:
                    return
                writer.write(answer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[HttpEngine]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener, http_engine(lambda: f"http://127.0.0.1:{port}") as engine:
        yield engine


def a_call(body: bytes = b"{}") -> Call:
    return Call(action="GetItem", region="eu-west-1", account="111122223333", body=body)


def exchange(
    server: Server, act: Callable[[HttpEngine], Awaitable[None]], *, held: bool = False
) -> None:
    async def run() -> None:
        if not held:
            server.release.set()
        async with serving(server) as engine:
            await act(engine)

    asyncio.run(run())


def test_one_connection_serves_one_call_after_the_other() -> None:
    server = Server([PLAIN, PLAIN])
    answers: list[EngineAnswer] = []

    async def act(engine: HttpEngine) -> None:
        answers.append(await engine.call(a_call(b'{"a": 1}'), timeout_s=PATIENCE_S))
        answers.append(await engine.call(a_call(b""), timeout_s=PATIENCE_S))

    exchange(server, act)
    headers = {"content-length": "2", "x-type": "A"}
    assert answers == [EngineAnswer(status=200, headers=headers, body=b"{}")] * 2
    assert server.connections == 1
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b'{"a": 1}'
    lines = head.decode().splitlines()
    assert lines[0] == "POST / HTTP/1.1"
    named = dict(line.split(": ", 1) for line in lines[1:])
    assert named["X-Amz-Target"] == "DynamoDB_20120810.GetItem"
    assert named["Content-Type"] == "application/x-amz-json-1.0"
    assert named["Content-Length"] == "8"
    assert "Credential=111122223333/20000101/eu-west-1/dynamodb/" in named["Authorization"]


def test_as_many_connections_as_calls_at_once() -> None:
    server = Server([PLAIN] * 30)

    async def act(engine: HttpEngine) -> None:
        for _ in range(3):
            await asyncio.gather(*(engine.call(a_call(), timeout_s=PATIENCE_S) for _ in range(10)))

    exchange(server, act)
    assert (server.connections, len(server.requests)) == (10, 30)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
            b"{}",
            id="in chunks",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", id="empty"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
            b"{}",
            id="and no more on this connection",
        ),
    ],
)
def test_forms_of_an_answer(answer: bytes, body: bytes) -> None:
    server = Server([answer, PLAIN])
    seen: list[bytes] = []

    async def act(engine: HttpEngine) -> None:
        seen.extend([(await engine.call(a_call(), timeout_s=PATIENCE_S)).body for _ in range(2)])

    exchange(server, act)
    assert seen == [body, b"{}"]
    assert server.connections == 1 + (b"close" in answer)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(None, "closed before an answer", id="nothing"),
        pytest.param(b"SSH-2.0-x\r\n", "the answer is not HTTP", id="another protocol"),
    ],
)
def test_no_answer_is_an_error_and_nothing_is_sent_again(answer: bytes | None, why: str) -> None:
    server = Server([answer, PLAIN])

    async def act(engine: HttpEngine) -> None:
        with pytest.raises(ConnectionError, match=why):
            await engine.call(a_call(), timeout_s=PATIENCE_S)
        assert len(server.requests) == 1
        assert (await engine.call(a_call(), timeout_s=PATIENCE_S)).status == 200

    exchange(server, act)
    assert len(server.requests) == 2


def test_after_the_time_out_the_call_goes_on_by_itself() -> None:
    server = Server([PLAIN, PLAIN])

    async def act(engine: HttpEngine) -> None:
        with pytest.raises(TimeoutError):
            await engine.call(a_call(), timeout_s=0.05)
        server.release.set()
        assert (await engine.call(a_call(), timeout_s=PATIENCE_S)).status == 200

    exchange(server, act, held=True)
    assert len(server.requests) == 2
    assert server.connections == 2  # the first was not idle yet


INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
NUMBERED = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d"


@pytest.mark.parametrize("interim", [INTERIM, HINTS, INTERIM + HINTS])
def test_an_interim_answer_is_no_answer(interim: bytes) -> None:
    server = Server([interim + NUMBERED % 1, NUMBERED % 2, interim + NUMBERED % 3])
    answers: list[EngineAnswer] = []

    async def act(engine: HttpEngine) -> None:
        answers.extend([await engine.call(a_call(), timeout_s=PATIENCE_S) for _ in range(3)])

    exchange(server, act)
    headers = {"content-length": "1"}
    assert answers == [
        EngineAnswer(status=200, headers=headers, body=body) for body in (b"1", b"2", b"3")
    ]
    assert server.connections == 1


def test_an_answer_that_changes_the_protocol_is_none() -> None:
    switching = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    server = Server([switching, PLAIN])

    async def act(engine: HttpEngine) -> None:
        with pytest.raises(ConnectionError, match=r"not HTTP/1\.1"):
            await engine.call(a_call(), timeout_s=PATIENCE_S)
        assert (await engine.call(a_call(), timeout_s=PATIENCE_S)).status == 200

    exchange(server, act)
    assert server.connections == 2
