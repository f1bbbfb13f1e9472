"""When requests are meant to be sent, and how load is shared between processes. Pure."""

import itertools
import random
from collections.abc import Iterator

from history.manifest import POISSON
from history.shape import LoadShape, requests_due, shares_at

NS_PER_S = 1_000_000_000


def share(total: int, parts: int, index: int) -> int:
    """Give part `index` of a total divided as evenly as whole numbers allow."""
    return total // parts + (1 if index < total % parts else 0)


def intended_times(
    *,
    shape: LoadShape,
    rate_per_s: float,
    start_ns: int,
    end_ns: int,
    arrivals: str = "uniform",
    seed: int = 0,
    parts: int = 1,
    index: int = 0,
) -> Iterator[int]:
    """Give the times (ns) at which process `index` of `parts` is to send, in order.

    The schedule is absolute: when request k is due depends on nothing that became of the ones
    before it (wrk2's rule). All processes know the whole schedule, which is a function of the
    arguments alone, and each takes every parts-th of it. Times lie in [start, end).

    Uniform arrivals are evenly spaced, as the shape's level allows. Poisson arrivals are those
    of many independent callers: their times under a constant load of 1/s, stretched by the
    shape (time rescaling, Brown et al. 2002).
    """
    length_ns = end_ns - start_ns
    full = requests_due(shape, rate_per_s=rate_per_s, duration_s=length_ns / NS_PER_S) / shape.mass
    counts: Iterator[float]
    if arrivals == POISSON:
        draw = random.Random(seed)  # noqa: S311 -- load, not secrets
        counts = itertools.accumulate(draw.expovariate(1) for _ in itertools.count())
    else:
        counts = itertools.count(0.0)
    masses = (count / full for count in counts)
    mine = itertools.islice(shares_at(shape, masses), index, None, parts)
    # Rounded down, as k / rate is: never due at the end itself.
    return (start_ns + min(int(at * length_ns), length_ns - 1) for at in mine)
