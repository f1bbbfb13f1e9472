"""The token bucket against its definition, by brute force."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.throttling import Buckets, RateLimit, TokenBucket

ONE_A_SECOND = RateLimit(rate_per_s=1, burst=2)

# Halves, eighths and so on: floats that are exact, so that the oracle's fractions must agree.
LIMITS = st.builds(
    RateLimit,
    rate_per_s=st.integers(0, 64).map(lambda eighths: eighths / 8),
    burst=st.integers(0, 6).map(float),
)
GAPS_S = st.lists(st.integers(0, 32).map(lambda sixteenths: sixteenths / 16), max_size=40)


def may_pass(limit: RateLimit, admitted_s: list[Fraction], now_s: Fraction) -> bool:
    """In every window that ends now, at most burst + rate * length requests may have passed."""
    windows = [(start, len(admitted_s) - index) for index, start in enumerate(admitted_s)]
    rate, burst = Fraction(limit.rate_per_s), Fraction(limit.burst)
    return all(
        passed + 1 <= burst + rate * (now_s - start) for start, passed in [*windows, (now_s, 0)]
    )


@given(limit=LIMITS, gaps_s=GAPS_S)
def test_never_more_than_allowed_in_any_window_and_never_less(
    limit: RateLimit, gaps_s: list[float]
) -> None:
    now_s = 1000.0
    bucket = TokenBucket(limit, now_s)
    admitted_s: list[Fraction] = []
    for gap_s in gaps_s:
        now_s += gap_s
        expected = may_pass(limit, admitted_s, Fraction(now_s))
        assert bucket.take(now_s) is expected
        if expected:
            admitted_s.append(Fraction(now_s))


def test_a_clock_that_goes_back_gives_no_tokens() -> None:
    bucket = TokenBucket(ONE_A_SECOND, 10.0)
    assert [bucket.take(at_s) for at_s in (10.0, 10.0, 5.0, 10.0, 11.0)] == [
        *(True, True, False, False),
        True,
    ]


def test_a_request_may_cost_more_than_one_token() -> None:
    bucket = TokenBucket(RateLimit(rate_per_s=1, burst=10), 0)
    assert [bucket.take(0, tokens) for tokens in (7, 4, 3)] == [True, False, True]


def test_each_key_has_a_bucket_and_a_changed_limit_a_new_one() -> None:
    buckets = Buckets()
    taken = [buckets.take(key, ONE_A_SECOND, 0) for key in ("a", "a", "a", "b")]
    assert taken == [True, True, False, True]
    assert buckets.take("a", RateLimit(rate_per_s=1, burst=3), 0)
    assert buckets.take("b", RateLimit(rate_per_s=1, burst=2), 0), "an equal limit is the same one"
    assert not buckets.take("b", ONE_A_SECOND, 0)


@pytest.mark.parametrize(
    ("waited_s", "kept"),
    [pytest.param(1, 3, id="all in use"), pytest.param(2, 1, id="all full again")],
)
def test_full_buckets_are_dropped_when_there_are_many(waited_s: float, kept: int) -> None:
    buckets = Buckets(kept_max=2)
    for key in ("a", "b"):
        assert buckets.take(key, ONE_A_SECOND, 0, tokens=2)
    assert buckets.take("c", ONE_A_SECOND, waited_s)
    assert len(buckets) == kept
    assert buckets.take("a", ONE_A_SECOND, waited_s, tokens=2) is (waited_s == 2)
