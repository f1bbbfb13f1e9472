"""What is decided of mixed histories, against brute force over all orders."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.mixed.alternation import stuck_boundaries
from analysis.mixed.crossings import balance
from analysis.mixed.history import Moves
from analysis.mixed.narrow import Contradiction, narrow
from analysis.mixed.order import verify_order
from analysis.mixed.search import Found, Impossible, search
from tests.analysis.mixed_moves import arbitrary, moves_of, nearly_right
from tests.analysis.oracle_mixed import Move, possible

EXAMPLES = int(os.environ.get("GAPLESS_ORACLE_EXAMPLES", "300"))
UNITS = st.one_of(nearly_right(unit=True), arbitrary(unit=True))
ANYTHING = st.one_of(nearly_right(unit=False), arbitrary(unit=False))
FINALS = st.none() | st.integers(-2, 3)


def never() -> bool:
    return False


def agree(history: list[Move], final: int | None, patience: int) -> tuple[bool, Moves]:
    moves = moves_of(history, final=final)
    expected = possible(history, initial=0, final=final)
    result = search(moves, never, patience=patience)
    if isinstance(result, Found):
        assert verify_order(moves, result.order) is None
        assert expected
    else:
        assert isinstance(result, Impossible)
        assert not expected
    return expected, moves


@settings(max_examples=EXAMPLES)
@given(history=UNITS, final=FINALS, patience=st.sampled_from([1, 50]))
def test_moves_of_one_step(history: list[Move], final: int | None, patience: int) -> None:
    expected, moves = agree(history, final, patience)
    if expected:
        assert stuck_boundaries(moves, 9) == []
        if moves.must.all():
            assert not isinstance(narrow(moves), Contradiction)
            assert not balance(moves, moves.initial + int(moves.delta.sum()), limit=9).surplus.any()


@settings(max_examples=EXAMPLES)
@given(history=ANYTHING, final=FINALS, patience=st.sampled_from([1, 50]))
def test_moves_of_any_size_and_untold_ones(
    history: list[Move], final: int | None, patience: int
) -> None:
    agree(history, final, patience)
