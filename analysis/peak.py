"""In which parts of a load its shape asks for most. Pure."""

from itertools import pairwise

from history.shape import LoadShape

PEAK_SHARE = 0.90
"""From this share of a shape's highest level on, the load is at its highest."""


def highest_parts(shape: LoadShape) -> tuple[tuple[float, float], ...]:
    """Give the parts, as shares of the duration in order, where the level is at its highest."""
    least = PEAK_SHARE * max(level for _, level in shape.points)
    parts = []
    for (x0, l0), (x1, l1) in pairwise(shape.points):
        crossing = x0 + (x1 - x0) * (least - l0) / (l1 - l0) if l0 != l1 else x0
        first = x0 if l0 >= least else crossing
        last = x1 if l1 >= least else crossing
        if max(l0, l1) >= least and first < last:
            parts.append((first, last))
    return tuple(parts)
