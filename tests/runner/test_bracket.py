"""The requests that bracket a load: what the runner does to know the last value."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from history.destination import parse_destination
from history.journal import Journal
from history.operation import Outcome, Reason
from runner.bracket import LAST_TRIES, last_increment
from runner.targets import Counter
from tests import servers
from tests.servers import Answering, CounterServer


def throttling(times: int) -> Answering:
    """Refuse the first requests, having done nothing."""

    async def answer(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
        writer.write(servers.reply("no", status=429) if n <= times else servers.reply(n))
        return True

    return answer


def hanging_up(times: int) -> Answering:
    """Hang up on the first requests."""

    async def answer(server: CounterServer, n: int, writer: asyncio.StreamWriter) -> bool:
        if n > times:
            writer.write(servers.reply(n))
        return n > times

    return answer


@pytest.mark.parametrize("answering", [throttling, hanging_up])
@pytest.mark.parametrize(
    ("troubles", "tries"), [(0, 1), (1, 2), (LAST_TRIES - 1, LAST_TRIES), (9, LAST_TRIES)]
)
def test_a_last_request_without_a_number_is_tried_again(
    tmp_path: Path, answering: Callable[[int], Answering], troubles: int, tries: int
) -> None:
    with (
        CounterServer(answering(troubles)) as server,
        Journal(tmp_path / "runner-0.journal", process="runner-0", source="runner") as journal,
    ):
        where = parse_destination(server.url)
        counter = Counter(
            target="url",
            url=server.url,
            destination=where,
            origin=where,
            origin_url=server.url,
            allowed_hosts=(),
        )
        last = last_increment(counter, journal, timeout_s=20)
        assert server.received == len(journal) == tries, "each try is an operation of its own"
    known = troubles < LAST_TRIES
    assert (last.seen.outcome is Outcome.OK) is known
    assert last.seen.value == (tries if known else None)
    refused = {Reason.THROTTLED, Reason.CONNECTION_LOST}
    assert known or last.seen.reason in refused
