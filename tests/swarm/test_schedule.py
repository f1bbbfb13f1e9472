"""Shapes and schedules: pure, so compared with the plainest ways to say the same."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from history.shape import (
    SHAPES,
    LoadShape,
    clients_at,
    level_at,
    parse_shape,
    requests_due,
    shares_at,
    volley_interval_ns,
)
from swarm.schedule import NS_PER_S, intended_times, share


def points_texts() -> st.SearchStrategy[str]:
    """Give shapes as people write them, steps included."""
    levels = st.integers(1, 100).map(lambda percent: percent / 100)
    inner = st.lists(st.integers(0, 100).map(lambda percent: percent / 100), max_size=4)

    def spelled(shares: list[float], draw: list[float]) -> str:
        return ",".join(f"{x:g}:{y:g}" for x, y in zip(shares, draw, strict=True))

    return inner.flatmap(
        lambda shares: st.lists(levels, min_size=len(shares) + 2, max_size=len(shares) + 2).map(
            lambda draw: spelled([0, *sorted(shares), 1], draw)
        )
    )


SHAPE_TEXTS = st.sampled_from(sorted(SHAPES)) | points_texts()


def integral(shape: LoadShape, until: float, steps: int = 2000) -> float:
    """Sum the level in small steps: the oracle of mass and its inverse."""
    width = until / steps
    return sum(level_at(shape, (k + 0.5) * width) for k in range(steps)) * width


@settings(max_examples=40)
@given(SHAPE_TEXTS, st.floats(0, 0.999))
def test_shares_invert_the_integral(text: str, part: float) -> None:
    shape = parse_shape(text)
    (found,) = shares_at(shape, iter([part * shape.mass]))
    assert integral(shape, found) == pytest.approx(part * shape.mass, abs=2e-3)


@pytest.mark.parametrize(
    ("text", "share_of_time", "level"),
    [
        ("constant", 0.5, 1),
        ("ramp", 0, 0.05),
        ("ramp", 1, 1),
        ("ramp", 0.5, 0.525),
        ("steps", 0.19, 0.2),
        ("steps", 0.2, 0.4),
        ("steps", 0.99, 1),
        ("spike", 0.44, 0.2),
        ("spike", 0.5, 1),
        ("spike", 0.55, 0.2),
        ("soak", 0.025, 0.55),
        ("soak", 0.9, 1),
        ("burst", 0.3, 1),
        ("0:0.1,0.5:1,1:0.2", 0.25, 0.55),
    ],
)
def test_levels(text: str, share_of_time: float, level: float) -> None:
    assert level_at(parse_shape(text), share_of_time) == pytest.approx(level)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cliff",
        "0:1",
        "0:1,1:2",
        "0:0,1:1",
        "0.1:1,1:1",
        "0:1,0.9:1",
        "0:1,0.6:1,0.5:1,1:1",
        "a:b",
    ],
)
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="constant, ramp, steps"):
        parse_shape(text)


def test_clients_follow_the_level_and_are_never_none() -> None:
    steps = parse_shape("steps")
    assert [clients_at(steps, 50, at) for at in (0, 0.3, 0.5, 0.7, 0.9)] == [10, 20, 30, 40, 50]
    assert clients_at(parse_shape("0:0.01,1:0.01"), 3, 0.5) == 1


def test_volleys_keep_the_rate_on_average() -> None:
    assert volley_interval_ns(connections=50, rate_per_s=500) == NS_PER_S // 10
    assert volley_interval_ns(connections=50, rate_per_s=0) == 20_000_000


@given(
    st.sampled_from(["uniform", "poisson"]), SHAPE_TEXTS, st.integers(1, 5), st.integers(0, 2**31)
)
def test_the_parts_of_all_processes_are_the_schedule(
    arrivals: str, text: str, parts: int, seed: int
) -> None:
    def times(parts: int = 1, index: int = 0) -> list[int]:
        found = intended_times(
            shape=parse_shape(text),
            rate_per_s=70,
            start_ns=5 * NS_PER_S,
            end_ns=8 * NS_PER_S,
            arrivals=arrivals,
            seed=seed,
            parts=parts,
            index=index,
        )
        return list(found)

    whole = times()
    assert whole == sorted(whole)
    assert all(5 * NS_PER_S <= at < 8 * NS_PER_S for at in whole)
    split = [times(parts, index) for index in range(parts)]
    assert sorted(itertools.chain(*split)) == whole
    assert max(map(len, split)) - min(map(len, split)) <= 1
    due = requests_due(parse_shape(text), rate_per_s=70, duration_s=3)
    slack = 1 if arrivals == "uniform" else 6 * math.sqrt(due) + 6
    assert abs(len(whole) - due) <= slack


def test_a_constant_uniform_schedule_is_evenly_spaced() -> None:
    times = list(
        intended_times(
            shape=parse_shape("constant"), rate_per_s=400, start_ns=0, end_ns=3 * NS_PER_S
        )
    )
    assert len(times) == 1200
    assert {b - a for a, b in itertools.pairwise(times)} <= {2_499_999, 2_500_000, 2_500_001}


def test_poisson_gaps_are_exponential() -> None:
    times = list(
        intended_times(
            shape=parse_shape("constant"),
            rate_per_s=1000,
            start_ns=0,
            end_ns=20 * NS_PER_S,
            arrivals="poisson",
            seed=7,
        )
    )
    gaps = [(b - a) / NS_PER_S for a, b in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert mean == pytest.approx(0.001, rel=0.03)
    assert deviation == pytest.approx(mean, rel=0.05)  # as of no other spacing
    assert sum(gap > mean for gap in gaps) / len(gaps) == pytest.approx(1 / math.e, abs=0.02)


@given(st.integers(0, 10_000), st.integers(1, 64))
def test_shares_are_even_and_whole(total: int, parts: int) -> None:
    found = [share(total, parts, index) for index in range(parts)]
    assert sum(found) == total
    assert max(found) - min(found) <= 1
