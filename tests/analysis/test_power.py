"""What a run of a size would have shown."""

from fractions import Fraction

import pytest

from analysis.power import bound_words, detectable_one_in


@pytest.mark.parametrize(
    ("contended", "one_in"),
    [
        pytest.param(0, None, id="nothing was at risk"),
        pytest.param(1, 1, id="one"),
        pytest.param(298, 99, id="one short of"),
        pytest.param(299, 100, id="one in a hundred"),
        pytest.param(22_497, 7_510, id="ten seconds of the local target"),
        pytest.param(10**8, 33_380_820, id="a day of one counter"),
    ],
)
def test_one_in(contended: int, one_in: int | None) -> None:
    assert detectable_one_in(contended) == one_in


@pytest.mark.parametrize("contended", [1, 2, 7, 30, 299, 1_000])
def test_that_rate_shows_with_95_percent_and_the_next_does_not(contended: int) -> None:
    one_in = detectable_one_in(contended)
    assert one_in is not None
    missed = Fraction(one_in - 1, one_in) ** contended
    assert missed <= Fraction(5, 100) < Fraction(one_in, one_in + 1) ** contended


def test_words() -> None:
    assert bound_words(7_510) == (
        "had one request in 7,510 been handled non-atomically, so that a number was given twice or "
        "skipped, this run would have shown it with probability 95 %"
    )
