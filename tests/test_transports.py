"""Every transport against servers that misbehave on the wire.

The same table for the swarm's two and for Locust's, and for each the invariant that everything
rests on: requests on the wire = operations recorded. A client that re-sends behind our back
would break it.
"""

import asyncio
import socket
import tempfile
from collections import Counter
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest
import uvloop

from history.classify import Answer, Classified
from history.destination import parse_destination
from history.journal import KINDS, NO_TIME, OUTCOMES, Journal
from history.operation import Kind, Outcome, Reason
from history.sealing import read_journal
from locustfiles.transport import SendOnceClient
from swarm.aiohttp_transport import AiohttpTransport
from swarm.transport import Client, Listener, Transport
from swarm.wire import WireClient, WireTransport
from tests import servers
from tests.patience import PATIENCE_S
from tests.servers import Answering, CounterServer

INCREMENT, DECREMENT = Kind.INCREMENT, Kind.DECREMENT
OK, REJECTED, INDETERMINATE = Outcome.OK, Outcome.REJECTED, Outcome.INDETERMINATE


class Send(Protocol):
    """Sends so many requests of a kind, one after the other; gives what became of each."""

    def __call__(
        self, url: str, count: int, timeout_s: float, kind: Kind = INCREMENT
    ) -> list[Answer]: ...


async def send_one_by_one(
    transport_class: type[Transport],
    folder: Path,
    url: str,
    count: int,
    timeout_s: float,
    *,
    kind: Kind,
) -> None:
    """Send `count` requests over one client, each when the last is recorded."""
    loop = asyncio.get_running_loop()
    left, over = count, loop.create_future()
    timer: asyncio.TimerHandle | None = None

    def send_next(client: Client) -> None:
        nonlocal left, timer
        left -= 1
        client.send(NO_TIME, kind)
        timer = loop.call_later(timeout_s, client.give_up)

    def answered(client: Client, _: Reason) -> None:
        assert timer is not None
        timer.cancel()
        if left:
            send_next(client)
        else:
            over.set_result(None)

    path = folder / "swarm-0.journal"
    with Journal(path, process="swarm-0", source="swarm") as journal:
        async with transport_class(url, timeout_s=timeout_s) as transport:
            client = transport.client(0, journal, Listener(answered, over.set_exception, bool))
            send_next(client)
            await over
            client.close()


def recorded(path: Path) -> list[Answer]:
    """Read a journal back as what became of each request, in order of sending."""
    return [
        Answer(
            Classified(
                outcome, int(slot["value"]) if outcome is OK else None, Reason(slot["reason"])
            ),
            int(slot["status"]),
            int(slot["attempts"]),
        )
        for slot in read_journal(path).slots
        for outcome in [OUTCOMES[slot["outcome"]]]
    ]


def by_transport(transport_class: type[Transport]) -> Send:
    def send(url: str, count: int, timeout_s: float, kind: Kind = INCREMENT) -> list[Answer]:
        with tempfile.TemporaryDirectory() as folder:
            sent = send_one_by_one(transport_class, Path(folder), url, count, timeout_s, kind=kind)
            uvloop.run(sent)
            path = Path(folder) / "swarm-0.journal"
            assert set(read_journal(path).slots["kind"]) == {KINDS.index(kind)}
            return recorded(path)

    return send


def by_locust(url: str, count: int, timeout_s: float, kind: Kind = INCREMENT) -> list[Answer]:
    client = SendOnceClient(parse_destination(url), timeout_s=timeout_s)
    try:
        return [client.send(kind) for _ in range(count)]
    finally:
        client.close()


EACH = pytest.mark.parametrize(
    "send",
    [
        pytest.param(by_transport(AiohttpTransport), id="aiohttp"),
        pytest.param(by_transport(WireTransport), id="wire"),
        pytest.param(by_locust, id="locust"),
    ],
)


@EACH
@pytest.mark.parametrize(
    ("answering", "expected"),
    [
        (servers.correct, {(OK, Reason.INTEGER, 200): 100}),
        (servers.closing, {(OK, Reason.INTEGER, 200): 100}),
        (servers.byte_by_byte, {(OK, Reason.INTEGER, 200): 100}),
        (servers.chunked, {(OK, Reason.INTEGER, 200): 100}),
        (servers.until_closed, {(OK, Reason.INTEGER, 200): 100}),
        (
            servers.failing_every_tenth,
            {(OK, Reason.INTEGER, 200): 90, (REJECTED, Reason.THROTTLED, 429): 10},
        ),
        (
            servers.dropping,
            {(OK, Reason.INTEGER, 200): 98, (INDETERMINATE, Reason.CONNECTION_LOST, 0): 2},
        ),
        (servers.words, {(INDETERMINATE, Reason.NOT_AN_INTEGER, 200): 100}),
        (servers.erring, {(INDETERMINATE, Reason.SERVER_ERROR, 500): 100}),
        (servers.redirecting, {(INDETERMINATE, Reason.UNEXPECTED_STATUS, 307): 100}),
        (servers.oversized, {(INDETERMINATE, Reason.NOT_AN_INTEGER, 200): 100}),
        (servers.garbage, {(INDETERMINATE, Reason.MALFORMED_ANSWER, 0): 100}),
    ],
)
def test_answers(
    send: Send, answering: Answering, expected: dict[tuple[Outcome, Reason, int], int]
) -> None:
    with CounterServer(answering) as server:
        answers = send(server.url, 100, PATIENCE_S)
        received = server.received
    seen = Counter((a.seen.outcome, a.seen.reason, a.status) for a in answers)
    assert seen == expected
    assert received == sum(answer.attempts for answer in answers) == 100
    values = [answer.seen.value for answer in answers if answer.seen.value is not None]
    assert values == sorted(set(values))


@EACH
@pytest.mark.parametrize(
    ("answering", "lost"), [(servers.correct, 0), (servers.closing, 0), (servers.dropping, 2)]
)
def test_decrements_are_sent_once_below_the_counters_path(
    send: Send, answering: Answering, lost: int
) -> None:
    with CounterServer(answering, value=50) as server:
        answers = send(f"{server.url}v1/?key=1", 100, PATIENCE_S, DECREMENT)
        assert (server.decrements, server.received, server.value) == (100, 100, -50)
    unanswered = [answer for answer in answers if answer.seen.outcome is not OK]
    assert [answer.seen for answer in unanswered] == [
        (INDETERMINATE, None, Reason.CONNECTION_LOST)
    ] * lost
    assert sum(answer.attempts for answer in answers) == 100
    values = [answer.seen.value for answer in answers if answer.seen.value is not None]
    assert values == [n for n in range(49, -51, -1) if not lost or n % 50]


@EACH
@pytest.mark.parametrize(
    ("answering", "reason", "status"),
    [
        (servers.endless_head, Reason.MALFORMED_ANSWER, 0),
        (servers.hints_then_gone, Reason.CONNECTION_LOST, 0),
        (servers.half_a_head, Reason.CONNECTION_LOST, 0),
        (servers.switching, Reason.UNEXPECTED_STATUS, 101),
    ],
)
def test_an_answer_that_never_becomes_whole(
    send: Send, answering: Answering, reason: Reason, status: int
) -> None:
    with CounterServer(answering) as server:
        answers = send(server.url, 5, PATIENCE_S)
        received = server.received
    assert received == len(answers) == 5
    assert {answer.seen.outcome for answer in answers} == {INDETERMINATE}
    if send is not by_locust:  # whose client tells malformed and cut off answers apart less well
        assert {(answer.seen.reason, answer.status) for answer in answers} == {(reason, status)}


def test_an_answer_that_nobody_asked_for_is_not_the_next_ones() -> None:
    """Between two operations the wire transport listens, and leaves such a connection."""

    async def send_two(url: str, path: Path) -> list[Reason]:
        reasons: list[Reason] = []
        over = asyncio.get_running_loop().create_future()
        listener = Listener(lambda _, reason: reasons.append(reason), over.set_exception, bool)
        with Journal(path, process="swarm-0", source="swarm") as journal:
            client = WireTransport(url, timeout_s=PATIENCE_S).client(0, journal, listener)
            assert isinstance(client, WireClient)
            for _ in range(2):
                client.send(NO_TIME)
                # The server sends the second answer, and only that, after the first was read.
                while client.connection is not None or client.since_ns:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
        return reasons

    with CounterServer(servers.again_later) as server, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "swarm-0.journal"
        reasons = uvloop.run(send_two(server.url, path))
        assert server.received == 2
        assert reasons == [Reason.INTEGER, Reason.INTEGER]
        assert [answer.seen.value for answer in recorded(path)] == [1, 2]


SWARM = pytest.mark.parametrize("transport", [AiohttpTransport, WireTransport])


@SWARM
@pytest.mark.parametrize("answering", [servers.correct, servers.closing, servers.chunked])
def test_tls(
    transport: type[Transport], answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.CERTIFICATE))
    with CounterServer(answering, tls=True) as server:
        answers = by_transport(transport)(server.url, 20, PATIENCE_S)
    assert [answer.seen.value for answer in answers] == list(range(1, 21))


@SWARM
def test_a_certificate_that_nobody_vouches_for_gets_no_request(transport: type[Transport]) -> None:
    with CounterServer(servers.correct, tls=True) as server:
        (answer,) = by_transport(transport)(server.url, 1, PATIENCE_S)
        assert server.received == 0
    assert answer.seen == (REJECTED, None, Reason.NEVER_SENT)


@EACH
def test_a_truncated_answer_is_indeterminate(send: Send) -> None:
    with CounterServer(servers.truncated) as server:
        answers = send(server.url, 20, PATIENCE_S)
        received = server.received
    assert {answer.seen.outcome for answer in answers} == {INDETERMINATE}
    assert received == 20


@EACH
def test_connections_that_die_unannounced_are_never_sent_over_twice(send: Send) -> None:
    with CounterServer(servers.closing_unannounced) as server:
        answers = send(server.url, 200, PATIENCE_S)
        received, value = server.received, server.value
    assert len(answers) == 200
    # A request may meet a connection that is already dead; then it is counted as lost, and
    # what the server got is what was answered.
    assert received == value == sum(answer.seen.outcome is OK for answer in answers)
    lost = [answer for answer in answers if answer.seen.outcome is not OK]
    assert {answer.seen for answer in lost} <= {
        (INDETERMINATE, None, Reason.CONNECTION_LOST),
        (REJECTED, None, Reason.NEVER_SENT),
    }


@EACH
@pytest.mark.parametrize("answering", [servers.twice_at_once, servers.late_after_hints])
def test_one_answer_is_never_taken_for_another(send: Send, answering: Answering) -> None:
    with CounterServer(answering) as server:
        answers = send(server.url, 20, 0.4)
        # On a starved machine connecting may take longer than the time-out: then nothing was sent.
        sent = [answer for answer in answers if answer.attempts]
        received, value = server.await_received(len(sent)), server.value
    assert received == value == len(sent)
    assert sent
    for n, answer in enumerate(sent, start=1):
        assert answer.seen.value in {None, n}, f"request {n}"


@EACH
def test_silence_is_a_time_out(send: Send) -> None:
    with CounterServer(servers.silent) as server:
        answers = send(server.url, 3, 0.4)
        sent = [answer for answer in answers if answer.attempts]
        assert server.await_received(len(sent)) == len(sent) > 0
    assert set(sent) == {((INDETERMINATE, None, Reason.TIMEOUT), 0, 1, 0)}


@EACH
def test_a_refused_connection_was_never_sent(send: Send) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else's
        (answer,) = send(f"http://127.0.0.1:{taken.getsockname()[1]}/", 1, PATIENCE_S)
    assert answer == ((REJECTED, None, Reason.NEVER_SENT), 0, 0, 0)


@EACH
def test_an_unknown_host_was_never_sent(send: Send) -> None:
    (answer,) = send("http://no-such-host.invalid/", 1, PATIENCE_S)
    assert answer.seen == (REJECTED, None, Reason.NEVER_SENT)


def test_the_switch_is_what_prevents_re_sends() -> None:
    """The test of the tests: aiohttp without our middleware re-sends, and this server sees it."""

    async def get_100(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(100):
                async with session.get(url) as response:
                    await response.read()

    with CounterServer(servers.dropping) as server:
        asyncio.run(get_100(server.url))
        assert server.received > 100
