"""Another host's clock, bounded from messages there and back."""

from collections.abc import Callable
from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from history.clocks import Exchange, clock_bound
from history.errors import UserError
from history.manifest import ClockBound

S = 1_000_000_000
LENGTH_NS = 10**12
PS = st.integers(0, 999)


def times(longest_ns: int) -> st.SearchStrategy[Fraction]:
    """Times down to a thousandth of what clocks can say."""
    return st.builds(lambda ns, ps: ns + Fraction(ps, 1000), st.integers(0, longest_ns), PS)


INSTANTS, WAYS = times(LENGTH_NS), times(10**9)
SPEEDS = st.integers(-20, 20).map(lambda twentieths: Fraction(twentieths, 20))


def clock(
    offset: Fraction, turns: list[tuple[Fraction, Fraction]], rate: Fraction
) -> Callable[[Fraction], Fraction]:
    """A clock by the common time: it runs up to `rate` too fast or slow, changed at each turn."""

    def at(time: Fraction) -> Fraction:
        remote, since, speed = time + offset, Fraction(0), Fraction(0)
        for turn, share in sorted(turns):
            if turn > time:
                break
            remote += (turn - since) * speed
            since, speed = turn, share * rate
        return remote + (time - since) * speed

    return at


@given(
    offset=st.integers(-(2**50), 2**50).map(Fraction),
    turns=st.lists(st.tuples(INSTANTS, SPEEDS), max_size=4),
    messages=st.lists(st.tuples(INSTANTS, WAYS, WAYS), min_size=1, max_size=6),
    looks=st.lists(INSTANTS, min_size=2, max_size=6).map(sorted),
    drift_ppm=st.sampled_from([0.0, 0.5, 50.0, 500.0, 100_000.0]),
)
def test_the_true_time_is_always_within(
    *,
    offset: Fraction,
    turns: list[tuple[Fraction, Fraction]],
    messages: list[tuple[Fraction, Fraction, Fraction]],
    looks: list[Fraction],
    drift_ppm: float,
) -> None:
    remote = clock(offset, turns, Fraction(drift_ppm) / 10**6)
    exchanges = [
        Exchange(
            sent_ns=floor(sent),
            remote_ns=floor(remote(sent + there)),
            received_ns=floor(sent + there + back),
        )
        for sent, there, back in messages
    ]
    first, last = looks[0], looks[-1]
    bound = clock_bound(
        "other", exchanges, first_ns=floor(first), last_ns=floor(last), drift_ppm=drift_ppm
    )
    stamped = [exchange.sent_ns for exchange in exchanges if first <= exchange.sent_ns <= last]
    for when in (*looks, *stamped):
        told = floor(remote(Fraction(when))) + bound.offset_ns
        assert abs(told - floor(when)) <= bound.error_ns
    # And it says no more than it must: one exchange alone bounds it no less, drift and all.
    loosest = min(
        exchange.received_ns
        - exchange.sent_ns
        + 2 * max(abs(first - exchange.sent_ns), abs(last - exchange.received_ns)) * drift_ppm / 1e6
        for exchange in exchanges
    )
    assert 2 * bound.error_ns <= 1.2 * loosest + 10


def bounded(*exchanges: tuple[int, int, int], drift_ppm: float = 0) -> ClockBound:
    return clock_bound(
        "b",
        [Exchange(sent_ns=t0, remote_ns=r, received_ns=t1) for t0, r, t1 in exchanges],
        first_ns=0,
        last_ns=100 * S,
        drift_ppm=drift_ppm,
    )


@pytest.mark.parametrize(
    ("exchanges", "drift_ppm", "offset_ns", "error_ns"),
    [
        pytest.param([(0, 5_000, 200)], 0, -4_900, 102, id="one: half of its time, and ticks"),
        pytest.param(
            [(0, 5_000, 200), (1_000, 6_190, 1_200)], 0, -4_995, 7, id="two that cut each other"
        ),
        # 10 ppm of 100 s is 1 ms: it drifts as far when nobody looks again.
        pytest.param([(0, 5_000, 200)], 10, -4_900, 1_000_103, id="before only"),
        # From both ends it is half of that at most, in the middle.
        pytest.param(
            [(0, 5_000, 200), (100 * S, 100 * S + 5_000, 100 * S + 200)],
            10,
            -4_900,
            500_102,
            id="before and after",
        ),
        pytest.param(
            [(at * S, at * S + 5_000, at * S + 200) for at in range(0, 101, 10)],
            10,
            -4_900,
            50_102,
            id="all along",
        ),
    ],
)
def test_bounds(
    exchanges: list[tuple[int, int, int]], drift_ppm: float, offset_ns: int, error_ns: int
) -> None:
    assert bounded(*exchanges, drift_ppm=drift_ppm) == ClockBound(
        host="b", offset_ns=offset_ns, error_ns=error_ns
    )


@pytest.mark.parametrize(
    ("exchanges", "drift_ppm", "message"),
    [
        ([], 0, "the clock of b cannot be bounded: there is no exchange with it"),
        ([(5, 0, 4)], 0, "exchange 1 with b was received at 4, before it was sent at 5"),
        ([(0, 5_000, 200), (1_000, 7_000, 1_200)], 0, "contradicts another by 798 ns"),
        ([(0, 0, 1), (S, S + 11_000, S + 1)], 10, "contradicts another by "),
        ([(0, 0, 1)], -1, "a clock's drift of -1 ppm is none"),
        ([(0, 0, 1)], float("nan"), "a clock's drift of nan ppm is none"),
    ],
)
def test_what_no_clock_can_have_said(
    exchanges: list[tuple[int, int, int]], drift_ppm: float, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        bounded(*exchanges, drift_ppm=drift_ppm)


@given(
    first=st.tuples(st.integers(0, S), st.integers(0, 1_000)),
    second=st.tuples(st.integers(0, S), st.integers(0, 1_000)),
    off_ns=st.integers(3_000, 10**9),
    drift_ppm=st.sampled_from([0.0, 10.0]),
)
@example(first=(0, 0), second=(0, 0), off_ns=3_000, drift_ppm=0.0)
def test_a_clock_that_was_set_in_between_is_noticed(
    first: tuple[int, int], second: tuple[int, int], off_ns: int, drift_ppm: float
) -> None:
    """By more than both ways' time and the drift, which is never seen as a bound."""
    (t0, took0), (t1, took1) = first, second
    jump = off_ns + took0 + took1 + abs(t1 - t0) * 10 // 10**6
    with pytest.raises(UserError, match="contradicts another"):
        bounded((t0, t0, t0 + took0), (t1, t1 + jump, t1 + took1), drift_ppm=drift_ppm)


def test_a_run_that_ends_before_it_begins() -> None:
    exchange = Exchange(sent_ns=0, remote_ns=0, received_ns=1)
    with pytest.raises(UserError, match="a run ends after it begins"):
        clock_bound("b", [exchange], first_ns=2, last_ns=1, drift_ppm=0)


def test_an_error_is_not_negative() -> None:
    with pytest.raises(ValueError, match="error of -1 ns"):
        ClockBound(host="b", offset_ns=0, error_ns=-1)
