"""What a load shape asks for, against counting on a fine grid."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from history.shape import (
    MEANINGS,
    SHAPES,
    LoadShape,
    clients_at,
    clients_held,
    fewest_clients,
    level_at,
    parse_shape,
    requests_due,
)

GRID = 2_000
points = st.builds(
    lambda inner, levels: tuple(zip([0.0, *sorted(inner), 1.0], levels, strict=False)),
    st.lists(st.integers(1, 19).map(lambda share: share / 20), max_size=4),
    st.lists(st.integers(1, 20).map(lambda level: level / 20), min_size=6, max_size=6),
)
shapes = st.one_of(
    st.sampled_from(sorted(SHAPES)).map(parse_shape),
    points.map(lambda found: LoadShape(name="custom", points=found)),
)


def test_every_shape_has_its_meaning() -> None:
    assert MEANINGS.keys() == SHAPES.keys()


@settings(max_examples=60)
@given(shapes, st.integers(0, 20).map(lambda share: share / 20))
def test_requests_due_are_the_area_under_the_shape(shape: LoadShape, after: float) -> None:
    middles = [(at + 0.5) / GRID for at in range(GRID)]
    area = sum(level_at(shape, middle) for middle in middles if middle > after) / GRID
    due = requests_due(shape, rate_per_s=50, duration_s=8, after=after)
    assert due == pytest.approx(50 * 8 * area, abs=1e-3 * 50 * 8)
    assert requests_due(shape, rate_per_s=50, duration_s=8) == pytest.approx(50 * 8 * shape.mass)


@settings(max_examples=60)
@given(
    shapes,
    st.integers(1, 500),
    st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted),
)
def test_the_fewest_clients_between_two_shares(
    shape: LoadShape, total: int, between: list[int]
) -> None:
    first, last = (share / 20 for share in between)
    inside = [clients_at(shape, total, at / GRID) for at in range(GRID + 1)]
    seen = min(inside[round(first * GRID) : round(last * GRID) + 1])
    fewest = fewest_clients(shape, total, first=first, last=last)
    # Just before a step the grid misses the lowest level, by less than a step of the grid.
    assert seen - total / GRID * 25 - 1 <= fewest <= seen


@pytest.mark.parametrize(
    ("shape", "total", "held"),
    [
        ("constant", 50, 50),
        ("ramp", 50, 48),
        ("ramp", 20, 20),
        ("steps", 50, 50),
        ("spike", 50, 50),
        ("0:0.2,0.97:0.2,0.97:1,1:1", 50, 10),
        ("0:0.5,1:0.5", 7, 4),
        ("burst", 3, 3),
    ],
)
def test_clients_that_are_held_long_enough_to_send(shape: str, total: int, held: int) -> None:
    assert clients_held(parse_shape(shape), total, least_share=0.05) == held
