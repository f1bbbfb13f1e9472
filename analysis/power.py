"""What a run could have shown: formulas and words. Pure; knows of no record.

Of n requests that can have gone wrong, each with probability p by itself, all go right with
probability (1 - p)^n. Above 1 - 0.05^(1/n) that is less than 5 %: about 3/n, the rule of three
(Hanley and Lippman-Hand 1983, "If nothing goes wrong, is everything all right?", JAMA 249:1743).
"""

import math

MISSED = 0.05
"""The probability with which faults of that rate stay unseen."""


def detectable_one_in(contended: int) -> int | None:
    """Give the largest N such that faults in one request of N show with 95 %; None of none."""
    if contended < 1:
        return None
    # expm1 keeps the digits that 1 - 0.05**(1/n) loses for large n.
    return math.floor(-1 / math.expm1(math.log(MISSED) / contended))


def bound_words(one_in: int) -> str:
    """Say in plain words what was shown where no fault was found."""
    return (
        f"had one request in {one_in:,} been handled non-atomically, so that a number was given "
        "twice or skipped, this run would have shown it with probability 95 %"
    )
