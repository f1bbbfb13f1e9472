"""Which requests of a mixed load are decrements: drawn from the seed, for each process anew."""

import random
from collections.abc import Callable

from history.operation import Kind


def parse_decrements(text: str) -> float:
    """Read what share of the requests are to be decrements.

    Raises ValueError saying what was expected.
    """
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        msg = "the share of requests that decrement, from 0 to less than 1, such as 0.2"
        raise ValueError(msg)
    return share


def kind_chooser(decrements: float, *, seed: int, process: str) -> Callable[[], Kind]:
    """Give a function that says, at its n-th call, what the n-th request of a process does.

    The same arguments give the same kinds in the same order; processes do not repeat each other.
    """
    up, down = Kind.INCREMENT, Kind.DECREMENT
    if not decrements:
        return lambda: up
    draw = random.Random(f"{seed}/{process}").random  # noqa: S311 -- load, not secrets
    return lambda: down if draw() < decrements else up
