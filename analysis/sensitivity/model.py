"""The model: each request is spoiled by chance, on its own, and each spoiled one is seen by chance.

Of n requests at rate r, with a chance q that one spoiled request is seen, the fault is caught with
the probability 1 - (1 - q r)^n. Pure.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.sensitivity.binomial import CONFIDENCE

_DROP = 1.920729
"""Half the 95 % point of chi-squared with one degree of freedom: how much of the log-likelihood a
value may lack and still lie in the interval."""
_LEAST_LOG10 = -9.0
_STEPS = 90
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Observation:
    """Not caught in the first `missed` requests, but in the first `caught`; None: never.

    0 and n: caught in n requests; n and None: not caught in them.
    """

    rate: float
    missed: int
    caught: int | None

    def __post_init__(self) -> None:
        """Refuse what cannot be observed."""
        if not 0 < self.rate < 1 or self.missed < 0:
            raise ValueError(str(self))
        if self.caught is not None and self.caught <= self.missed:
            raise ValueError(str(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A chance with its 95 % interval."""

    value: float
    low: float
    high: float


def chance(seen: float, rate: float, requests: float) -> float:
    """Give the probability of catching a fault in so many requests."""
    return -math.expm1(requests * math.log1p(-seen * rate))


def requests_needed(seen: float, rate: float, confidence: float = CONFIDENCE) -> int | None:
    """Give how many requests catch a fault with that probability; None: no number does."""
    if seen * rate <= 0:
        return None
    if seen * rate >= 1:
        return 1
    return math.ceil(math.log1p(-confidence) / math.log1p(-seen * rate))


def rarest(seen: float, requests: float, confidence: float = CONFIDENCE) -> float | None:
    """Give the lowest rate that so many requests catch with that probability; None: none is."""
    if seen <= 0 or requests <= 0:
        return None
    rate = -math.expm1(math.log1p(-confidence) / requests) / seen
    return rate if rate < 1 else None


def estimate(observations: Sequence[Observation]) -> Estimate | None:
    """Give the likeliest chance that a spoiled request is seen, with its profile interval.

    None where nothing was observed. The observations have to be independent.
    """
    if not observations:
        return None
    likelihood = _likelihood(observations)
    if all(one.caught is None for one in observations):
        best_log10 = _LEAST_LOG10
    else:
        inside = _highest(likelihood, _LEAST_LOG10, 0.0)
        best_log10 = max((0.0, inside), key=likelihood)
    enough = likelihood(best_log10) - _DROP
    low = _crossing(likelihood, enough, outside=_LEAST_LOG10, inside=best_log10)
    high = _crossing(likelihood, enough, outside=0.0, inside=best_log10)
    value, least, most = (0.0 if x <= _LEAST_LOG10 else 10.0**x for x in (best_log10, low, high))
    return Estimate(value=value, low=least, high=most)


def _likelihood(observations: Sequence[Observation]) -> Callable[[float], float]:
    """Give the log-likelihood as a function of the chance's decimal logarithm."""
    rate = np.array([one.rate for one in observations])
    missed = np.array([one.missed for one in observations], dtype=float)
    caught = np.array([one.caught is not None for one in observations])
    until = np.array([one.caught or 0 for one in observations], dtype=float)
    between = (until - missed)[caught]

    def of(log10: float) -> float:
        escape = np.log1p(-(10.0**log10) * rate)
        seen = np.log(-np.expm1(between * escape[caught]))
        return float(np.sum(missed * escape) + np.sum(seen))

    return of


def _highest(of: Callable[[float], float], low: float, high: float) -> float:
    """Find where a function with one peak is highest, by golden section; ends are not reached."""
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if of(left) < of(right):
            low = left
        else:
            high = right
    return (low + high) / 2


def _crossing(
    of: Callable[[float], float], enough: float, *, outside: float, inside: float
) -> float:
    """Find where a function falls below `enough` between its peak and an end of the range."""
    if of(outside) >= enough:
        return outside
    for _ in range(_STEPS):
        middle = (outside + inside) / 2
        if of(middle) >= enough:
            inside = middle
        else:
            outside = middle
    return inside
