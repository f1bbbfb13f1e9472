"""Both generators' transports against servers that misbehave on the wire.

The same table for both, and for each the invariant that everything rests on: requests on the
wire = operations recorded. A client that re-sends behind our back would break it.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable

import aiohttp
import pytest

from history.classify import Answer
from history.destination import parse_destination
from history.operation import Outcome, Reason
from locustfiles.transport import SendOnceClient
from swarm.transport import AiohttpTransport
from tests import servers
from tests.patience import PATIENCE_S
from tests.servers import Answering, CounterServer

Send = Callable[[str, int, float], list[Answer]]


def by_swarm(url: str, count: int, timeout_s: float) -> list[Answer]:
    async def send() -> list[Answer]:
        async with AiohttpTransport(url, timeout_s=timeout_s) as transport:
            return [await transport.increment() for _ in range(count)]

    return asyncio.run(send())


def by_locust(url: str, count: int, timeout_s: float) -> list[Answer]:
    client = SendOnceClient(parse_destination(url), timeout_s=timeout_s)
    try:
        return [client.increment() for _ in range(count)]
    finally:
        client.close()


BOTH = pytest.mark.parametrize("send", [by_swarm, by_locust])
OK, REJECTED, INDETERMINATE = Outcome.OK, Outcome.REJECTED, Outcome.INDETERMINATE


@BOTH
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


@BOTH
def test_a_truncated_answer_is_indeterminate(send: Send) -> None:
    with CounterServer(servers.truncated) as server:
        answers = send(server.url, 20, PATIENCE_S)
        received = server.received
    assert {answer.seen.outcome for answer in answers} == {INDETERMINATE}
    assert received == 20


@BOTH
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


@BOTH
@pytest.mark.parametrize("answering", [servers.twice_at_once, servers.late_after_hints])
def test_one_answer_is_never_taken_for_another(send: Send, answering: Answering) -> None:
    with CounterServer(answering) as server:
        answers = send(server.url, 20, 0.4)
        received, value = server.await_received(20), server.value
    assert received == value == len(answers) == 20
    for n, answer in enumerate(answers, start=1):
        assert answer.seen.value in {None, n}, f"request {n}"


@BOTH
def test_silence_is_a_time_out(send: Send) -> None:
    with CounterServer(servers.silent) as server:
        (answer,) = send(server.url, 1, 0.4)
        received = server.await_received(1)
    assert answer == ((INDETERMINATE, None, Reason.TIMEOUT), 0, 1, 0)
    assert received == 1


@BOTH
def test_a_refused_connection_was_never_sent(send: Send) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else's
        (answer,) = send(f"http://127.0.0.1:{taken.getsockname()[1]}/", 1, PATIENCE_S)
    assert answer == ((REJECTED, None, Reason.NEVER_SENT), 0, 0, 0)


@BOTH
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
