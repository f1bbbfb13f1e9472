"""The model and the exact interval: known values, and truths found again."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.sensitivity.binomial import at_least, interval
from analysis.sensitivity.measure import measure
from analysis.sensitivity.model import Observation, chance, estimate, rarest, requests_needed
from tests.runs import busy, run_of


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        # Clopper and Pearson 1934, and the closed forms at the ends.
        (0, 10, 0.0, 1 - 0.025**0.1),
        (10, 10, 0.025**0.1, 1.0),
        (1, 10, 0.00252858, 0.44501612),
        (5, 10, 0.18708603, 0.81291397),
        (4, 20, 0.05733400, 0.43661400),
        (1, 1, 0.025, 1.0),
        (0, 1, 0.0, 0.975),
        (0, 0, 0.0, 1.0),
        (95, 100, 0.88716510, 0.98356810),
    ],
)
def test_the_exact_interval(hits: int, trials: int, low: float, high: float) -> None:
    assert interval(hits, trials) == pytest.approx((low, high), abs=2e-6)


@given(trials=st.integers(1, 3_000), data=st.data())
def test_the_interval_is_a_mirror_and_holds_the_share(trials: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, trials))
    low, high = interval(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1
    assert interval(trials - hits, trials) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    if hits:
        assert at_least(hits, trials, low) == pytest.approx(0.025, rel=1e-6)


def test_no_share_is_no_count() -> None:
    for hits, trials in ((-1, 3), (4, 3)):
        with pytest.raises(ValueError, match=f"{hits} of {trials}"):
            interval(hits, trials)


def test_the_binomial_sum() -> None:
    assert at_least(3, 4, 0.5) == pytest.approx(5 / 16)
    assert at_least(0, 4, 0.3) == pytest.approx(1)


def test_the_chance_of_detection() -> None:
    assert chance(1.0, 0.1, 2) == pytest.approx(0.19)
    assert chance(0.5, 0.1, 2) == pytest.approx(1 - 0.95**2)
    assert chance(0.0, 0.1, 1_000) == 0
    assert chance(1.0, 1e-9, 1) == pytest.approx(1e-9, rel=1e-6)


@pytest.mark.parametrize(
    ("seen", "rate", "requests"),
    [
        (1.0, 0.1, 29),
        (1.0, 0.01, 299),
        (1.0, 0.001, 2_995),
        (0.5, 0.001, 5_990),
        (1.0, 1e-5, 299_572),
        (1.0, 1.0, 1),
        (0.0, 0.1, None),
    ],
)
def test_requests_needed(seen: float, rate: float, requests: int | None) -> None:
    assert requests_needed(seen, rate) == requests


@given(seen=st.floats(0.01, 1), rate=st.floats(1e-8, 0.5))
def test_so_many_requests_are_just_enough(seen: float, rate: float) -> None:
    requests = requests_needed(seen, rate)
    assert requests is not None
    assert chance(seen, rate, requests) >= 0.95 - 1e-12
    assert chance(seen, rate, requests - 1) < 0.95 + 1e-12
    again = rarest(seen, requests)
    assert again is not None
    assert again <= rate * (1 + 1e-9)


def test_the_rarest_rate() -> None:
    assert rarest(1.0, 72_000) == pytest.approx(4.1607e-5, rel=1e-4)
    assert rarest(0.5, 72_000) == pytest.approx(2 * 4.1607e-5, rel=1e-4)
    assert rarest(0.0, 72_000) is None
    assert rarest(1.0, 0) is None
    assert rarest(0.001, 10) is None, "not even if all requests are spoiled"


def test_nothing_observed_is_nothing_known() -> None:
    assert estimate([]) is None


def test_an_estimate_by_hand() -> None:
    # 30 of 100 single requests at rate 0.5: q r = 0.3, and the binomial's likelihood interval.
    observed = [Observation(0.5, 0, 1)] * 30 + [Observation(0.5, 1, None)] * 70
    found = estimate(observed)
    assert found is not None
    assert found.value == pytest.approx(0.6, rel=1e-6)

    def lacking(chance_of_one: float) -> float:
        best = 30 * math.log(0.3) + 70 * math.log(0.7)
        return best - 30 * math.log(chance_of_one) - 70 * math.log(1 - chance_of_one)

    assert lacking(found.low / 2) == pytest.approx(1.9207, rel=1e-3)
    assert lacking(found.high / 2) == pytest.approx(1.9207, rel=1e-3)


def test_the_ends_of_the_chance() -> None:
    always = estimate([Observation(0.1, 0, 10)] * 20)
    assert always is not None
    assert (always.value, always.high) == (1.0, 1.0)
    assert 0 < always.low < 1
    never = estimate([Observation(0.1, 10, None)] * 20)
    assert never is not None
    assert (never.value, never.low) == (0.0, 0.0)
    # 200 requests without: exp(-20 q) has fallen by the drop.
    assert never.high == pytest.approx(-math.expm1(-1.9207 / 200) / 0.1, rel=1e-3)


@pytest.mark.parametrize(
    "wrong", [(0.0, 1, None), (1.0, 1, None), (0.1, -1, None), (0.1, 5, 5), (0.1, 5, 4)]
)
def test_what_cannot_be_observed(wrong: tuple[float, int, int | None]) -> None:
    with pytest.raises(ValueError, match="Observation"):
        Observation(*wrong)


@pytest.mark.parametrize("seen", [0.05, 0.4, 0.9])
@pytest.mark.parametrize("between", [False, True], ids=["windows", "beginnings"])
def test_the_interval_holds_the_truth_as_often_as_it_says(seen: float, *, between: bool) -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(200):
        observed = []
        for rate in (0.1, 0.01, 0.001):
            for _ in range(25):
                first = int(rng.geometric(seen * rate))
                size = round(2 / rate)
                steps = (0, size // 4, size, 4 * size, 16 * size) if between else (0, size)
                after = next((n for n in range(1, len(steps)) if steps[n] >= first), None)
                observed.append(
                    Observation(rate, steps[-1], None)
                    if after is None
                    else Observation(rate, steps[after - 1], steps[after])
                )
        found = estimate(observed)
        assert found is not None
        assert found.low <= found.value <= found.high
        held += found.low <= seen <= found.high
    assert held >= 180, f"{held} of 200 intervals hold the truth, 190 were to be expected"


def test_the_truth_is_found_again_in_histories() -> None:
    rng, seen, observed = np.random.default_rng(11), 0.5, []
    for rate in (0.01, 0.004, 0.002, 0.01, 0.004, 0.002):
        rows = busy(3_000)
        hit = rng.random(len(rows)) < rate * seen
        for at in np.flatnonzero(hit[1:]) + 1:  # half of the spoiled requests show nothing
            rows[at]["value"] = rows[at - 1]["value"]
        run = run_of(rows, final=3_000)
        caught = bool(hit[1:].any())
        observed += measure(
            run, fault="repeat", check="unique", rate=rate, caught=caught
        ).observations
    found = estimate(observed)
    assert found is not None
    assert found.low <= seen <= found.high
    assert found.high - found.low < 0.6
