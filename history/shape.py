"""Load shapes as data: how hard to press at each moment of the load.

A shape is a line of points (share of the duration, level): between two points the level goes
straight, two points at one share are a step. The level, above 0 and up to 1, scales whatever
is asked for: RATE in an open loop, CONNECTIONS in a closed one, USERS in Locust. Swarm, Locust
and judge read the same table, so that what was due is one and the same number. Pure.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]

CONSTANT = "constant"
BURST = "burst"
VOLLEY_TICK_NS = 20_000_000
"""In a burst without RATE, volleys start on multiples of this, common to all processes."""

SHAPES: dict[str, tuple[Point, ...]] = {
    CONSTANT: ((0, 1), (1, 1)),
    "ramp": ((0, 0.05), (1, 1)),
    "steps": (
        *((0, 0.2), (0.2, 0.2), (0.2, 0.4), (0.4, 0.4), (0.4, 0.6), (0.6, 0.6)),
        *((0.6, 0.8), (0.8, 0.8), (0.8, 1), (1, 1)),
    ),
    "spike": ((0, 0.2), (0.45, 0.2), (0.45, 1), (0.55, 1), (0.55, 0.2), (1, 0.2)),
    "soak": ((0, 0.1), (0.05, 1), (1, 1)),
    BURST: ((0, 1), (1, 1)),
}

MEANINGS: Mapping[str, str] = {
    CONSTANT: "full all the time",
    "ramp": "rises evenly to the end",
    "steps": "five of equal length",
    "spike": "a fifth of the load, and all of it for a tenth of the time",
    "soak": "up within a twentieth, then held, for hours",
    BURST: "all connections at the same instant, again and again",
}

_GRID = 1_000
_CUSTOM = re.compile(r"[0-9.]+:[0-9.]+(?:,[0-9.]+:[0-9.]+)+")
EXPECTED = (
    f"{', '.join(SHAPES)}, or points share:level such as 0:0.1,0.5:1,1:0.2 (shares rise from 0 "
    "to 1, levels above 0 and up to 1)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShape:
    """A shape: its name as it was asked for, and its points."""

    name: str
    points: tuple[Point, ...]

    @property
    def is_constant(self) -> bool:
        """Whether the level is the same from beginning to end."""
        return len({level for _, level in self.points}) == 1

    @property
    def mass(self) -> float:
        """The mean level: what share of the full load is due over the whole duration."""
        return sum(mass for *_, mass in _segments(self.points))


def parse_shape(text: str) -> LoadShape:
    """Read a shape's name or its points; raises ValueError saying what was expected."""
    if text in SHAPES:
        return LoadShape(name=text, points=SHAPES[text])
    if not _CUSTOM.fullmatch(text):
        raise ValueError(EXPECTED)
    try:
        pairs = [pair.split(":") for pair in text.split(",")]
        points = tuple((float(share), float(level)) for share, level in pairs)
    except ValueError:
        raise ValueError(EXPECTED) from None
    shares = [share for share, _ in points]
    rising = shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    if not rising or not all(0 < level <= 1 for _, level in points):
        raise ValueError(EXPECTED)
    return LoadShape(name=text, points=points)


def level_at(shape: LoadShape, share: float) -> float:
    """Give the level at a share of the duration; at a step, the level after it."""
    level = shape.points[0][1]
    for (x0, l0), (x1, l1) in pairwise(shape.points):
        if share < x0:
            break
        level = l1 if share >= x1 else l0 + (l1 - l0) * (share - x0) / (x1 - x0)
    return level


def clients_at(shape: LoadShape, total: int, share: float) -> int:
    """Give how many of `total` connections or users are to be active; at least one."""
    return _rounded_up(total * level_at(shape, share))


def _rounded_up(clients: float) -> int:
    # Rounded before it is rounded up: 0.2 * 50 is a hair above 10.
    return max(1, math.ceil(round(clients, 6)))


def clients_held(shape: LoadShape, total: int, *, least_share: float) -> int:
    """Give the most clients that a shape asks for during `least_share` of the load in all.

    A ramp asks for its last ones only at the very end: they may find no time to send.
    """
    levels = sorted((level_at(shape, at / _GRID) for at in range(_GRID)), reverse=True)
    return _rounded_up(total * levels[math.ceil(least_share * _GRID) - 1])


def fewest_clients(shape: LoadShape, total: int, *, first: float, last: float) -> int:
    """Give the fewest clients that are to be active at once between two shares of the load."""
    shares = [first, last, *(share for share, _ in shape.points if first < share < last)]
    # The level just before a step belongs to the piece that ends there.
    before = [level for share, level in shape.points if first < share <= last]
    level = min([level_at(shape, share) for share in shares] + before)
    return _rounded_up(total * level)


def requests_due(
    shape: LoadShape, *, rate_per_s: float, duration_s: float, after: float = 0.0
) -> float:
    """Give how many requests an open loop is to send after a share of the load."""
    mass = 0.0
    for (x0, l0), (x1, l1) in pairwise(shape.points):
        first = max(x0, after)
        if first < x1:
            mass += (x1 - first) * (l0 + (l1 - l0) * (first - x0) / (x1 - x0) + l1) / 2
    return rate_per_s * duration_s * mass


def volley_interval_ns(*, connections: int, rate_per_s: float) -> int:
    """Give the time between two volleys of a burst: RATE is kept on average, if there is one."""
    return int(connections / rate_per_s * 1e9) if rate_per_s > 0 else VOLLEY_TICK_NS


def shares_at(shape: LoadShape, masses: Iterator[float]) -> Iterator[float]:
    """Give the share of the duration at which each mass of load has been sent, in order.

    The inverse of the level's integral, for rising masses; ends when the load does.
    """
    segments = _segments(shape.points)
    x0, l0, slope, end_mass = 0.0, 0.0, 0.0, 0.0
    start_mass = 0.0
    for mass in masses:
        while mass >= end_mass:
            following = next(segments, None)
            if following is None:
                return
            start_mass = end_mass
            x0, l0, slope, segment_mass = following
            end_mass = start_mass + segment_mass
        inside = mass - start_mass
        # d of l0*d + slope*d^2/2 = inside, in the form that is exact for slope 0 and l0 0.
        root = l0 + math.sqrt(max(0.0, l0 * l0 + 2 * slope * inside))
        yield x0 + (2 * inside / root if root else 0.0)


def _segments(points: tuple[Point, ...]) -> Iterator[tuple[float, float, float, float]]:
    """Give each straight piece: its first share and level, its slope, its mass."""
    for (x0, l0), (x1, l1) in pairwise(points):
        if x1 > x0:
            yield x0, l0, (l1 - l0) / (x1 - x0), (x1 - x0) * (l0 + l1) / 2
