"""Load shapes and bursts, as Locust's users follow them."""

import time

import gevent
import numpy as np
import pytest

from history.gate import GATE_VARIABLE, LoadWindow
from locustfiles.shaping import SHAPE_VARIABLE, ShapedUsers, Volleys
from tests.locustfiles.conftest import Load, paced
from tests.patience import PATIENCE_S, until

HOUR_NS = 3_600_000_000_000


def shaped(shape: str) -> ShapedUsers:
    """Give the users of a shape, as Locust asks for them."""
    users = ShapedUsers.from_environment({SHAPE_VARIABLE: shape, GATE_VARIABLE: "3,4"})
    assert users is not None
    users.total = 50
    return users


@pytest.mark.parametrize(
    ("share", "expected"), [(-0.1, 10), (0.1, 10), (0.3, 20), (0.9, 50), (1.1, 50)]
)
def test_users_are_as_many_as_the_shape_says(share: float, expected: int) -> None:
    users = shaped("steps")
    start_ns = time.monotonic_ns() - int(share * HOUR_NS)
    users.window = LoadWindow(start_ns=start_ns, end_ns=start_ns + HOUR_NS)
    assert users.next_count() == expected


def test_a_change_is_waited_for() -> None:
    users = shaped("steps")
    assert users.next_count() == 10, "before the load"
    waiting = gevent.spawn(users.next_count)
    gevent.sleep(0)
    assert not waiting.ready()
    start_ns = time.monotonic_ns() - HOUR_NS
    users.window = LoadWindow(start_ns=start_ns, end_ns=start_ns + HOUR_NS)
    assert waiting.get(timeout=PATIENCE_S) == 50


def test_nobody_is_started_any_more_when_the_load_is_over() -> None:
    users = shaped("steps")
    users.next_count()
    waiting = gevent.spawn(users.next_count)
    gevent.sleep(0)
    users.frozen = True
    start_ns = time.monotonic_ns() - HOUR_NS
    users.window = LoadWindow(start_ns=start_ns, end_ns=start_ns + HOUR_NS)
    assert waiting.get(timeout=PATIENCE_S) == 10


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({GATE_VARIABLE: "3,4"}, id="none asked for"),
        pytest.param({SHAPE_VARIABLE: "constant", GATE_VARIABLE: "3,4"}, id="constant"),
        pytest.param({SHAPE_VARIABLE: "burst", GATE_VARIABLE: "3,4"}, id="burst"),
        pytest.param({SHAPE_VARIABLE: "0:1,1:1", GATE_VARIABLE: "3,4"}, id="all the time"),
        pytest.param({SHAPE_VARIABLE: "ramp"}, id="no window to follow it over"),
    ],
)
def test_locust_finds_no_shape_where_users_stay_as_they_are(variables: dict[str, str]) -> None:
    assert ShapedUsers.from_environment(variables) is None


def test_users_come_and_go_with_the_shape(load_of: type[Load]) -> None:
    # Within an hour's window: two users, from now + 3 s eight of them, 5.4 s later two again.
    shape = "0:0.25,0.5:0.25,0.5:1,0.5015:1,0.5015:0.25,1:0.25"
    with paced() as server:
        load = load_of(server.url, USERS="8", SHAPE=shape, LOCUST_PROCESSES="2")
        load.start()
        window = load.open(share=0.5 - 3 / 3600)

        def active(last: int) -> set[tuple[int, int]]:
            return {
                (index, worker)
                for index in range(2)
                for worker in load.slots(f"locust-{index}")["worker"][-last:]
            }

        until(lambda: len(active(0)) == 8, "eight users")
        until(lambda: len(active(100)) == 2, "two users again")
        load.close()
        assert set(load.ended().values()) == {"ended"}
        received = server.received
    slots = [load.answered("locust-0"), load.answered("locust-1")]
    # Nobody who left did so with a request in flight.
    assert sorted(np.concatenate(slots)["value"]) == list(range(1, received + 1))
    step_ns = (window.start_ns + window.end_ns) // 2
    early = [np.unique(own["worker"][own["start_ns"] < step_ns]) for own in slots]
    assert [list(workers) for workers in early] == [[0], [0]]


def test_all_users_fire_at_the_same_instants(load_of: type[Load]) -> None:
    with paced() as server:
        # 10 connections at 100 a second: a volley each tenth of a second.
        load = load_of(server.url, USERS="6", SHAPE="burst", CONNECTIONS="10", RATE="100")
        load.start()
        window = load.open()
        load.until_sent("locust-0", 60)
        load.close()
        assert load.ended() == {"locust-0": "ended"}
    slots = load.answered("locust-0")
    assert ((slots["intended_ns"] - window.start_ns) % 100_000_000 == 0).all()
    assert (slots["start_ns"] >= slots["intended_ns"]).all()
    volleys = [slots[slots["intended_ns"] == tick] for tick in np.unique(slots["intended_ns"])]
    assert any(len(volley) == 6 for volley in volleys)
    for volley in volleys:
        assert len(np.unique(volley["worker"])) == len(volley), "each user once"
        # Within one turn of the loop: nobody's answer is read before all have sent.
        assert volley["start_ns"].max() <= volley["end_ns"].min()


def test_who_waits_for_a_volley_is_sent_home_at_the_end() -> None:
    volleys = Volleys(start_ns=time.monotonic_ns(), interval_ns=HOUR_NS)
    caller = gevent.spawn(volleys.run)
    waiting = [gevent.spawn(volleys.wait) for _ in range(3)]
    gevent.sleep(0)
    volleys.stop()
    gevent.joinall(waiting, timeout=PATIENCE_S)
    assert [greenlet.value for greenlet in waiting] == [None] * 3
    assert volleys.wait() is None
    caller.kill()
