"""The search for an order, its parts, and what verifies it, on literal and on busy histories."""

import dataclasses
import heapq
import random

import numpy as np
import pytest

from analysis.mixed.alternation import Stuck, stuck_boundaries
from analysis.mixed.crossings import likeliest_final, uncoverable
from analysis.mixed.from_run import moves_of as moves_of_run
from analysis.mixed.history import ARRAYS, NEVER, Moves, sorted_moves
from analysis.mixed.narrow import Contradiction, Windows, narrow
from analysis.mixed.order import verify_order
from analysis.mixed.search import (
    ASK_EVERY,
    ASK_EVERY_CHOICES,
    Found,
    GaveUp,
    Impossible,
    luby,
    search,
)
from history.operation import Returns
from tests.analysis.mixed_moves import moves_of
from tests.analysis.oracle_mixed import Move
from tests.runs import lost, ok, read, run_of


def never() -> bool:
    return False


def busy(
    count: int, clients: int, *, decrements: float, unanswered: float = 0.0, seed: int = 1
) -> tuple[list[Move], int]:
    """What a correct counter answers to clients that each send when the last was answered.

    And what it holds in the end.
    """
    drawn = random.Random(seed)  # noqa: S311 -- no secret
    free = [(drawn.random(), client) for client in range(clients)]
    sent = []
    for _ in range(count):
        start, client = heapq.heappop(free)
        end = start + 0.2 + drawn.expovariate(1.0)
        delta = -1 if drawn.random() < decrements else 1
        sent.append((drawn.uniform(start, end), start, end, delta))
        heapq.heappush(free, (end + 0.001, client))
    moves, counter = [], 0
    for _, start, end, delta in sorted(sent):
        interval = int(start * 10**6), int(end * 10**6)
        if drawn.random() < unanswered:
            counter += delta * drawn.randrange(2)
            moves.append(Move(interval[0], NEVER, delta, None, certain=False))
        else:
            counter += delta
            moves.append(Move(*interval, delta, counter))
    return moves, counter


@pytest.mark.parametrize(
    ("count", "clients", "decrements", "unanswered"),
    [
        pytest.param(2_000, 30, 0.5, 0.0, id="half decrements"),
        pytest.param(2_000, 70, 0.2, 0.0, id="a fifth, 70 in flight"),
        pytest.param(1_000, 20, 0.2, 0.01, id="1 % unanswered"),
        pytest.param(300, 10, 0.0, 0.0, id="no decrements"),
    ],
)
def test_a_correct_counter_is_never_accused(
    count: int, clients: int, decrements: float, unanswered: float
) -> None:
    history, final = busy(count, clients, decrements=decrements, unanswered=unanswered)
    moves = moves_of(history)
    assert stuck_boundaries(moves, 1) == []
    for known in (final, None):
        moves = dataclasses.replace(moves, final=known)
        result = search(moves, never)
        assert isinstance(result, Found)
        assert verify_order(moves, result.order) is None


def test_a_lost_update_in_a_busy_history_is_proven() -> None:
    history, _ = busy(2_000, 30, decrements=0.5)
    bent = [
        dataclasses.replace(move, value=(move.value or 0) - (place >= 1_000))
        for place, move in enumerate(history)
    ]
    moves = moves_of(bent)
    assert uncoverable(moves) is not None
    result = search(moves, never)
    assert isinstance(result, Impossible)
    assert result.contradiction is not None


@pytest.mark.parametrize("patience", [1, 50])
def test_stepping_back_loses_nothing(patience: int) -> None:
    """Patience of one dead end: the search jumps all the time, and still finds and proves."""
    for seed in range(20):
        history, _ = busy(40, 8, decrements=0.5, seed=seed)
        found = search(moves_of(history), never, patience=patience)
        assert isinstance(found, Found)
        order = history.copy()
        swapped = dataclasses.replace(order[10], value=order[30].value, delta=order[30].delta)
        order[10] = swapped
        patient = search(moves_of(order), never, patience=10**9)
        assert type(search(moves_of(order), never, patience=patience)) is type(patient)


def test_giving_up_for_want_of_time_and_of_memory() -> None:
    moves = moves_of(busy(2_000, 30, decrements=0.5)[0])
    result = search(moves, lambda: True)
    assert isinstance(result, GaveUp)
    assert (result.states, result.out_of_memory) == (1_024, False)
    assert 0 < result.deepest.taken <= 1_024
    result = search(moves, never, memory_bytes=-1)
    assert isinstance(result, GaveUp)
    assert result.out_of_memory


SIMPLE = [
    Move(0, 4, 1, 1),
    Move(1, 5, -1, 0),
    Move(6, 7, 2, None),
    Move(0, 9, 1, None, certain=False),
]


@pytest.mark.parametrize(
    ("order", "final", "problem"),
    [
        ([0, 2, 3], None, None),
        ([0, 2, 3, 1], 3, None),
        ([0, 1, 2, 3], None, "move 2 would have been told another value"),
        ([2, 0, 3], None, "move 0 would have been told another value"),
        ([0, 3, 2], None, "move 2 had ended before one before it began"),
        ([0, 2], None, "move 3 is missing from it"),
        ([0, 2, 3, 3], None, "move 3 stands in it twice"),
        ([0, 2, 3, 4], None, "it names a move that is not in the history"),
        ([0, 2, -1], None, "it names a move that is not in the history"),
        ([0, 2, 3], 3, "it ends at 2, not at 3"),
        ([], 0, "move 0 is missing from it"),
    ],
)
def test_orders(order: list[int], final: int | None, problem: str | None) -> None:
    """In `moves` the unanswered one, sent first with move 0, stands second."""
    assert verify_order(moves_of(SIMPLE, final=final), np.array(order)) == problem


def test_an_order_in_which_times_touch_is_one() -> None:
    moves = moves_of([Move(0, 4, 1, 1), Move(4, 6, 1, 2)], final=2)
    assert verify_order(moves, np.array([0, 1])) is None
    touching = moves_of([Move(4, 6, 1, 1), Move(0, 4, 1, 2)], final=2)
    assert verify_order(touching, np.array([1, 0])) is None


def test_an_order_beyond_64_bits_is_exact() -> None:
    most = 2**63 - 1
    history = [Move(0, 1, most, most), Move(2, 3, most, None), Move(4, 5, -most, most)]
    assert verify_order(moves_of(history, final=most), np.array([0, 1, 2])) is None
    assert isinstance(search(moves_of(history, final=most), never), Found)
    assert isinstance(search(moves_of(history, final=0), never), Impossible)


@pytest.mark.parametrize(
    ("history", "stuck"),
    [
        pytest.param([Move(0, 1, 1, 1), Move(2, 3, -1, 0), Move(4, 5, 1, 1)], [], id="in turn"),
        pytest.param([Move(0, 9, 1, 1), Move(0, 9, 1, 1), Move(0, 9, -1, 0)], [], id="at once"),
        pytest.param(
            [Move(0, 1, 1, 1), Move(2, 3, 1, 1), Move(4, 5, -1, 0)],
            [Stuck(x=0, up=False, waiting=1, taken=(0,), too_late=(2,))],
            id="down too late",
        ),
        pytest.param(
            [Move(0, 1, 1, 1), Move(2, 3, 1, 1), Move(2, NEVER, -1, None, certain=False)],
            [],
            id="an unanswered one in between",
        ),
        pytest.param(
            [Move(0, 1, 1, 1), Move(2, 3, 1, 1), Move(4, NEVER, -1, None, certain=False)],
            [Stuck(x=0, up=False, waiting=1, taken=(0,), too_late=())],
            id="an unanswered one sent too late",
        ),
        pytest.param(
            [Move(0, 1, -1, 1)],
            [Stuck(x=1, up=True, waiting=0, taken=(), too_late=())],
            id="down from where it never was",
        ),
    ],
)
def test_alternation(history: list[Move], stuck: list[Stuck]) -> None:
    assert stuck_boundaries(moves_of(history), 9) == stuck


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param(
            [Move(0, 9, 1, 1), Move(3, 5, 1, 2), Move(4, 9, -1, 1)],
            {0: (0, 3), 1: (1, 3), 2: (2, 4)},
            id="who must have been there before",
        ),
        pytest.param([Move(0, 1, 1, 1), Move(2, 3, 0, 0)], Contradiction(position=1), id="a read"),
        pytest.param([Move(0, 1, 1, 5)], Contradiction(position=0), id="nobody was ever there"),
        pytest.param([Move(0, 1, 1, 1), Move(2, 3, 1, 1)], Contradiction(x=0), id="twice up"),
    ],
)
def test_narrowing(
    history: list[Move], expected: dict[int, tuple[int, int]] | Contradiction
) -> None:
    """Windows are ranks among the distinct times of the history."""
    found = narrow(moves_of(history))
    if isinstance(found, Windows):
        windows = zip(found.start.tolist(), found.end.tolist(), strict=True)
        assert dict(enumerate(windows)) == expected
    else:
        assert found == expected


def test_moves_of_a_run() -> None:
    rows = [
        ok(5, 9, 1),
        ok(4, 6, 1, kind="decrement"),
        read(7, 8, 3),
        lost(3),
        lost(2, kind="decrement", attempts=2),
        {"start_ns": 1, "end_ns": 2, "outcome": "rejected"},
    ]
    moves = moves_of_run(run_of(rows, initial=4, final=6, returns=Returns.OLD))
    found = {name: getattr(moves, name).tolist() for name in ARRAYS}
    assert found == {
        "start": [2, 2, 3, 4, 5, 7],
        "end": [NEVER, NEVER, NEVER, 6, 9, 8],
        "delta": [-1, -1, 1, -1, 1, 0],
        "value": [0, 0, 0, 0, 2, 3],
        "told": [False, False, False, True, True, True],
        "must": [False, False, False, True, True, True],
        "row": [4, 4, 3, 1, 0, 2],
    }
    assert (moves.initial, moves.final, moves.is_unit) == (4, 6, True)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"end": np.zeros(1, dtype=np.int64)}, "arrays of different lengths"),
        ({"start": np.array([3, 2, 1, 0])}, "moves must be sorted by start"),
        ({"must": np.zeros(4, dtype=bool)}, "a move whose value is known has happened"),
    ],
)
def test_moves_refuse_what_makes_no_sense(changes: dict[str, object], problem: str) -> None:
    moves = moves_of(SIMPLE)
    fields = {field.name: getattr(moves, field.name) for field in dataclasses.fields(moves)}
    with pytest.raises(ValueError, match=problem):
        Moves(**(fields | changes))


@pytest.mark.parametrize(
    ("history", "final"),
    [
        (
            [
                Move(0, 1, 1, 1),
                Move(2, 3, 1, 3),
                Move(4, 5, 1, 4),
                Move(0, NEVER, 1, None, certain=False),
            ],
            4,
        ),
        (
            [
                Move(0, 1, -1, -1),
                Move(2, 3, -1, -3),
                Move(4, 5, -1, -4),
                Move(0, NEVER, -1, None, certain=False),
            ],
            -4,
        ),
        ([Move(0, 1, 1, 1), Move(0, NEVER, 1, None, certain=False)], 1),
        ([Move(0, 1, 1, 5)], 1),
    ],
)
def test_the_likeliest_final_value(history: list[Move], final: int) -> None:
    assert likeliest_final(moves_of(history)) == final


def test_luby() -> None:
    assert [luby(n) for n in range(1, 16)] == [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]


def test_it_asks_whether_to_give_up_where_each_step_has_many_choices() -> None:
    asked: list[None] = []

    def give_up() -> bool:
        asked.append(None)
        return True

    # As many kinds as moves, and a read that fits none of their sums before all are tried.
    count = ASK_EVERY_CHOICES // 10
    moves = sorted_moves(
        {
            "start": np.zeros(count, dtype=np.int64),
            "end": np.full(count, 9),
            "delta": np.arange(1, count + 1),
            "value": np.zeros(count, dtype=np.int64),
            "told": np.zeros(count, dtype=bool),
            "must": np.ones(count, dtype=bool),
            "row": np.arange(count),
        },
        initial=0,
        final=None,
    )
    result = search(moves, give_up)
    assert isinstance(result, GaveUp)
    assert len(asked) == 1
    assert result.states < ASK_EVERY
