"""Whether holes can all be filled: compared with trying every assignment."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.matching import match
from tests.analysis.oracle import matchable

RANGES = st.lists(st.tuples(st.integers(0, 6), st.integers(-1, 5)), max_size=7)
"""The first and the last hole of each effect; none where they are the wrong way round."""


@given(ranges=RANGES, holes=st.integers(1, 6))
@example(ranges=[(0, 5)], holes=1)
@example(ranges=[(0, 0), (0, 0), (1, 1), (0, 2)], holes=3)
@example(ranges=[(2, 2), (0, 1), (0, 1)], holes=4)
def test_a_matching_or_a_proof_that_there_is_none(
    ranges: list[tuple[int, int]], holes: int
) -> None:
    # No effect can fill a hole that is not asked about.
    ranges = [(first, min(last, holes - 1)) for first, last in ranges]
    first = np.array([first for first, _ in ranges], dtype=np.int64)
    last = np.array([last for _, last in ranges], dtype=np.int64)
    found = match(first, last, holes)
    able = [{n for n, (low, high) in enumerate(ranges) if low <= h <= high} for h in range(holes)]
    assert (found.lacking is None) == matchable(able)
    taker = found.taker.tolist()
    assert len(set(taker)) == len(taker)
    assert all(effect in able[hole] for hole, effect in enumerate(taker))
    if found.lacking is None:
        assert len(taker) == holes
        return
    short = found.lacking.holes.tolist()
    assert short == sorted(set(short))
    assert short[-1] == len(taker)
    neighbours = sorted(set().union(*(able[hole] for hole in short)))
    assert found.lacking.effects.tolist() == neighbours
    assert len(short) > len(neighbours)


def test_a_chain_of_holes_is_followed_however_long_it_is() -> None:
    # Each effect can fill two neighbours, and there is one fewer than holes.
    holes = 50_000
    first = np.arange(holes - 1)
    found = match(first, first + 1, holes)
    assert found.lacking is not None
    assert found.lacking.holes.tolist() == list(range(holes))
    assert found.lacking.effects.tolist() == list(range(holes - 1))
