"""What each fault does to the numbers, before a counter that is right."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.__main__ import BEHAVIOURS
from faults.behaviour import Behaviour, Setting
from faults.exchange import Asked, Broken, CutShort, Outcome, Reply
from history.destination import parse_destination
from history.operation import Returns

COUNTER = parse_destination("http://127.0.0.1:1/v1/")
UP = Asked(method="GET", path="/v1/")
DOWN = Asked(method="POST", path="/v1/decrement")


class AtomicCounter:
    """Answers as the deployed API does, each request at once and whole."""

    def __init__(self, value: int = 10, returns: Returns = Returns.NEW) -> None:
        self.value = value
        self.returns = returns
        self.asked: list[Asked] = []

    async def send(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        path = asked.path.removeprefix("/v1/")
        await asyncio.sleep(0)
        if asked.method == "PUT":
            assert asked.content_type == "application/json"
            self.value = int(asked.body.decode().removeprefix('{"value": ').removesuffix("}"))
            return Reply(status=200, body=b'{"ok":true}')
        if path == "unsafe":
            return Reply(status=200, body=str(self.value).encode())
        before = self.value
        self.value += asked.step
        number = self.value if self.returns is Returns.NEW else before
        return Reply(status=200, body=str(number).encode())


def behaviour(
    name: str,
    counter: AtomicCounter,
    amount: float,
    *,
    draws: Callable[[], float] = lambda: 0.0,
) -> Behaviour:
    setting = Setting(
        counter=COUNTER, send=counter.send, amount=amount, returns=counter.returns, draw=draws
    )
    made = BEHAVIOURS[name](setting)
    made.begin(counter.value)
    return made


def in_turn(asking: Behaviour, requests: Sequence[Asked]) -> list[Outcome]:
    async def ask() -> list[Outcome]:
        return [await asking.answer(asked) for asked in requests]

    return asyncio.run(ask())


def at_once(asking: Behaviour, requests: Sequence[Asked]) -> list[Outcome]:
    async def ask() -> list[Outcome]:
        return list(await asyncio.gather(*(asking.answer(asked) for asked in requests)))

    return asyncio.run(ask())


def numbers(outcomes: Sequence[Outcome]) -> list[int | None]:
    return [outcome.number if isinstance(outcome, Reply) else None for outcome in outcomes]


@pytest.mark.parametrize(
    ("name", "amount", "requests", "found", "value", "injected"),
    [
        pytest.param("none", 0, [UP, UP, DOWN], [11, 12, 11], 11, 0, id="none"),
        pytest.param("lost-update", 1, [UP, UP, DOWN], [11, 12, 11], 11, 3, id="one by one"),
        pytest.param("cache", 60_000, [UP, UP, UP], [11, 11, 11], 11, 2, id="cache"),
        pytest.param("cache", 60_000, [UP, DOWN, UP], [11, 10, 11], 10, 1, id="cache, POST not"),
        pytest.param("repeat", 1, [UP, UP, DOWN, UP], [11, 11, 10, 11], 10, 2, id="repeat"),
        pytest.param("resend", 1, [UP, UP, DOWN], [12, 14, 12], 12, 3, id="resend"),
        pytest.param("replica", 1, [UP, UP, DOWN], [11, 12, 11], 10, 3, id="replica"),
        pytest.param("blocks", 3, [UP, UP, UP, UP], [11, 14, 12, 15], 16, 2, id="blocks"),
        pytest.param("restore", 2, [UP, UP, UP, UP, UP], [11, 12, 13, 14, 13], 13, 1, id="restore"),
        pytest.param("throttle", 1, [UP, DOWN], [None, None], 10, 2, id="throttle"),
        pytest.param("drop", 1, [UP, DOWN, UP], [None, None, None], 11, 3, id="drop"),
        pytest.param("reset", 1, [UP], [None], 11, 1, id="reset"),
        pytest.param("hang", 1, [UP, UP], [None, None], 12, 2, id="hang"),
        pytest.param("unavailable", 1, [UP, UP], [None, None], 12, 2, id="passed on"),
        pytest.param("reorder", 0.001, [UP, UP], [11, 12], 12, 2, id="reorder"),
    ],
)
def test_one_request_after_the_other(
    *,
    name: str,
    amount: float,
    requests: list[Asked],
    found: list[int | None],
    value: int,
    injected: int,
) -> None:
    counter = AtomicCounter()
    asking = behaviour(name, counter, amount)
    assert numbers(in_turn(asking, requests)) == found
    assert counter.value == value
    assert asking.injected == injected


@pytest.mark.parametrize(
    ("name", "ending"),
    [("drop", Broken.HANG_UP), ("hang", Broken.SILENCE), ("reset", CutShort)],
)
def test_ways_of_not_answering(name: str, ending: object) -> None:
    (outcome,) = in_turn(behaviour(name, AtomicCounter(), 1), [UP])
    assert outcome is ending or (isinstance(ending, type) and isinstance(outcome, ending))


@pytest.mark.parametrize(("name", "status"), [("throttle", 429), ("unavailable", 503)])
def test_refusals(name: str, status: int) -> None:
    (outcome,) = in_turn(behaviour(name, AtomicCounter(), 1), [UP])
    assert isinstance(outcome, Reply)
    assert outcome.status == status


def test_half_of_what_is_unavailable_was_passed_on() -> None:
    counter = AtomicCounter()
    draws = iter([0.0, 0.4, 0.0, 0.6])
    in_turn(behaviour("unavailable", counter, 1, draws=lambda: next(draws)), [UP, UP])
    assert counter.value == 11


@pytest.mark.parametrize("name", ["lost-update", "replica", "repeat", "resend", "swap"])
def test_a_share_of_nothing_changes_nothing(name: str) -> None:
    counter = AtomicCounter()
    asking = behaviour(name, counter, 0)
    assert numbers(in_turn(asking, [UP, DOWN, UP])) == [11, 10, 11]
    assert (asking.injected, counter.value) == (0, 11)


def test_updates_are_lost_by_those_who_read_the_same() -> None:
    counter = AtomicCounter()
    asking = behaviour("lost-update", counter, 1)
    found = numbers(at_once(asking, [UP] * 5))
    assert found == [11] * 5
    assert counter.value == 11
    assert {asked.path for asked in counter.asked} == {"/v1/unsafe"}


def test_the_number_that_is_answered_is_the_counters_kind() -> None:
    counter = AtomicCounter(returns=Returns.OLD)
    assert numbers(in_turn(behaviour("lost-update", counter, 1), [UP, UP, DOWN])) == [10, 11, 12]
    assert counter.value == 11
    counter = AtomicCounter(returns=Returns.OLD)
    assert numbers(in_turn(behaviour("replica", counter, 1), [UP, UP, DOWN])) == [10, 11, 12]
    counter = AtomicCounter(returns=Returns.OLD)
    assert numbers(in_turn(behaviour("restore", counter, 1), [UP, UP, UP])) == [10, 11, 11]


@pytest.mark.parametrize("refused", ["GET", "PUT"])
def test_an_update_that_is_refused_on_the_way_is_none(refused: str) -> None:
    counter = AtomicCounter()

    async def send(asked: Asked) -> Reply:
        if asked.method == refused:
            return Reply(status=429, body=b"{}")
        return await counter.send(asked)

    asking = BEHAVIOURS["lost-update"](Setting(counter=COUNTER, send=send, amount=1))
    (outcome,) = in_turn(asking, [UP])
    assert isinstance(outcome, Reply)
    assert (outcome.status, asking.injected, counter.value) == (429, 0, 10)


@given(st.integers(1, 9), st.integers(1, 40))
def test_blocks_give_every_number_once(size: int, requests: int) -> None:
    counter = AtomicCounter()
    found = numbers(at_once(behaviour("blocks", counter, size), [UP] * requests))
    assert len(set(found)) == requests
    assert all(number is not None and 10 < number <= counter.value for number in found)
    assert counter.value - 10 - requests < 2 * size


def test_a_block_that_cannot_be_taken_is_answered_as_the_counter_did() -> None:
    async def send(_: Asked) -> Reply:
        return Reply(status=503, body=b"{}")

    asking = BEHAVIOURS["blocks"](Setting(counter=COUNTER, send=send, amount=3))
    (outcome,) = in_turn(asking, [UP])
    assert isinstance(outcome, Reply)
    assert (outcome.status, asking.injected) == (503, 0)


def swapped(
    holds: Sequence[bool], clock: Callable[[float], Awaitable[None]]
) -> tuple[list[int | None], int]:
    """Send a request every 10 ms; those that hold are to change places with a later one."""
    draws = iter(holds)
    counter = AtomicCounter()
    asking = behaviour("swap", counter, 0.5, draws=lambda: 0.0 if next(draws) else 1.0)

    async def ask() -> list[Outcome]:
        loop = asyncio.get_running_loop()
        answers = []
        for _ in holds:
            asked = Asked(method="GET", path="/v1/", arrived_s=loop.time())
            answers.append(loop.create_task(asking.answer(asked)))
            await clock(0.01)
        return [await answer for answer in answers]

    return numbers(asyncio.run(ask())), asking.injected


def test_a_swap_gives_every_number_once_and_the_earlier_one_late() -> None:
    found, injected = swapped([True] + [False] * 9, asyncio.sleep)
    assert injected == 1
    assert Counter(found) == Counter(range(11, 21))
    late = found.index(11)
    assert late >= 3, "its request was sent when others had been answered"
    assert found[0] == 11 + late


def test_who_finds_nobody_to_change_places_with_keeps_its_own() -> None:
    found, injected = swapped([False, True], asyncio.sleep)
    assert (found, injected) == ([11, 12], 0)


def test_a_slow_start_ends() -> None:
    counter = AtomicCounter()
    asking = behaviour("slow-start", counter, 0.05)

    async def ask() -> list[int]:
        slow = []
        for _ in range(3):
            await asking.answer(UP)
            slow.append(asking.injected)
        return slow

    assert asyncio.run(ask()) == [1, 1, 1]


def test_a_put_that_sets_nothing_restores_nothing_and_is_sent_once() -> None:
    counter = AtomicCounter()
    puts = 0

    async def send(asked: Asked) -> Reply:
        nonlocal puts
        if asked.method == "PUT":
            puts += 1
            return Reply(status=200, body=b"{}")
        return await counter.send(asked)

    asking = BEHAVIOURS["restore"](Setting(counter=COUNTER, send=send, amount=2))
    assert numbers(in_turn(asking, [UP] * 9)) == list(range(11, 20))
    assert (asking.injected, puts) == (0, 1)
