"""What the search is given of a run: every sending, its window, what it adds."""

from typing import Any

import pytest

from analysis.mixed.from_run import moves_of
from analysis.mixed.history import NEVER
from tests.runs import lost, ok, read, run_of

Move = tuple[int, int, int, int | None, bool, int]
"""Start, end, delta, value where told, must, row."""


def blind(start: int, end: int | None, delta: int, outcome: str = "ok") -> dict[str, Any]:
    kind = "increment" if delta > 0 else "decrement"
    return {"start_ns": start, "end_ns": end, "outcome": outcome, "delta": delta, "kind": kind}


@pytest.mark.parametrize(
    ("rows", "fields", "expected"),
    [
        pytest.param([ok(1, 5, 1)], {}, [(1, 5, 1, 1, True, 0)], id="an increment"),
        pytest.param(
            [ok(1, 5, 1, kind="decrement")], {}, [(1, 5, -1, 1, True, 0)], id="a decrement"
        ),
        pytest.param([read(1, 5, 1)], {}, [(1, 5, 0, 1, True, 0)], id="a read"),
        pytest.param([lost(1)], {}, [(1, NEVER, 1, None, False, 0)], id="unanswered, for ever"),
        pytest.param(
            [lost(1, kind="decrement")],
            {"window_ns": 10},
            [(1, 11, -1, None, False, 0)],
            id="unanswered, within the window",
        ),
        pytest.param(
            [ok(1, 5, 1, attempts=3)],
            {"window_ns": 10},
            [(1, 5, 1, 1, True, 0), (1, 15, 1, None, False, 0), (1, 15, 1, None, False, 0)],
            id="sent three times",
        ),
        pytest.param(
            [blind(1, 5, 7)], {}, [(1, 5, 7, None, True, 0)], id="an add that told no value"
        ),
        pytest.param(
            [blind(1, None, -7, "indeterminate")],
            {},
            [(1, NEVER, -7, None, False, 0)],
            id="an unanswered add of any size",
        ),
        pytest.param([blind(1, 5, 7, "rejected")], {}, [], id="rejected: nothing"),
        pytest.param(
            [ok(5, 6, 2), ok(1, 2, 1)],
            {},
            [(1, 2, 1, 1, True, 1), (5, 6, 1, 2, True, 0)],
            id="sorted by start",
        ),
    ],
)
def test_moves_of_a_run(
    rows: list[dict[str, Any]], fields: dict[str, Any], expected: list[Move]
) -> None:
    moves = moves_of(run_of(rows, **fields))
    found = [
        (
            int(moves.start[i]),
            int(moves.end[i]),
            int(moves.delta[i]),
            int(moves.value[i]) if moves.told[i] else None,
            bool(moves.must[i]),
            int(moves.row[i]),
        )
        for i in range(len(moves))
    ]
    assert found == expected
