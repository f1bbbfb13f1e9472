"""The exact interval of a share that was counted. Pure."""

import math

import numpy as np

CONFIDENCE = 0.95
_HALVINGS = 60


def interval(hits: int, trials: int) -> tuple[float, float]:
    """Give Clopper and Pearson's 95 % interval of the chance behind `hits` of `trials`.

    Without trials nothing is known: 0 to 1.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials}")
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if hits == 0 else _where(hits, trials, tail)
    # At least so many misses is the mirror image of at most so many hits.
    high = 1.0 if hits == trials else 1.0 - _where(trials - hits, trials, tail)
    return low, high


def _where(hits: int, trials: int, tail: float) -> float:
    """Find the chance at which `hits` or more of `trials` come with probability `tail`."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if at_least(hits, trials, middle) < tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def at_least(hits: int, trials: int, chance: float) -> float:
    """Give the probability of `hits` or more of `trials`, 0 < chance < 1."""
    counts = np.arange(hits, trials + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    ways = logs[trials] - logs[counts] - logs[trials - counts]
    terms = ways + counts * math.log(chance) + (trials - counts) * math.log1p(-chance)
    return min(1.0, math.fsum(np.exp(terms)))
