"""Brute force: is there any order in which a counter could have given these answers?

Exponential, and written with nothing of the product's own reasoning: the definition itself.

- Something happened at one instant of a closed interval; ties are concurrent.
- a came before b if a's interval ended before b's began, by one host's clock; on two hosts, if
  it did so by both clocks brought to the common time, whatever their errors; clocks of which
  nothing is known say nothing.
- An answered increment happened once, and left the counter at its value. An answered read
  happened once, and found its value. A rejected one did not happen.
- An unanswered increment happened once between its start and `window` later, or never.
- One that was sent r times may have happened r - 1 times more, or less, from its start until
  `window` after its end; for ever after, if it has none.
- An increment that ended before it began happened at some time.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import permutations

ALWAYS = math.inf
Clocks = Mapping[str, tuple[int, int]]
"""Of each host that is known: what to add to its times, and the error of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One row of a history; `value` is the counter after an increment, or what a read found.

    `outcome` is spelled as in a history. What is rejected has an end, what has no answer may.
    """

    start: int
    end: int | None = None
    outcome: str = "ok"
    value: int | None = None
    is_read: bool = False
    attempts: int = 1
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Requests in any order, and what is known of the counter and of the clocks."""

    requests: tuple[Request, ...]
    base: int = 0
    final: int | None = None
    window: int | None = None
    clocks: Clocks = field(default_factory=dict)

    @property
    def hosts(self) -> set[str]:
        """The hosts that stamped it."""
        return {request.host for request in self.requests}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened at one instant of an interval: certainly when `value` is not None."""

    request: int
    start: float
    until: float
    host: str
    value: int | None = None
    is_read: bool = False


def events(history: History) -> Iterator[Event]:
    """Give all that happened, and all that may have."""
    window = ALWAYS if history.window is None else history.window
    for position, request in enumerate(history.requests):
        end = ALWAYS if request.end is None else request.end
        torn = end < request.start
        event = Event(
            request=position,
            start=-ALWAYS if torn else request.start,
            until=ALWAYS if torn else end,
            host=request.host,
            is_read=request.is_read,
        )
        if request.outcome == "ok":
            yield replace(event, value=request.value)
        if request.is_read:
            continue
        if request.outcome == "indeterminate" or (torn and request.outcome != "ok"):
            yield replace(event, until=ALWAYS if torn else request.start + window)
        for _ in range(request.attempts - 1):
            yield replace(event, until=event.until + window)


def came_before(a: Event, b: Event, clocks: Clocks) -> bool:
    """Say whether a certainly happened before b."""
    if a.host == b.host:
        return a.until < b.start
    if a.host not in clocks or b.host not in clocks:
        return False
    (offset_a, error_a), (offset_b, error_b) = clocks[a.host], clocks[b.host]
    return a.until + offset_a + error_a < b.start + offset_b - error_b


def linearizable(history: History) -> bool:
    """Try every order of the certain events and of any of the others."""
    happened = list(events(history))
    every = sum(1 << n for n, event in enumerate(happened) if event.value is not None)
    too_late_after = [
        sum(1 << n for n, b in enumerate(happened) if came_before(a, b, history.clocks))
        for a in happened
    ]

    @cache
    def reachable(done: int) -> bool:
        counter = history.base + sum(
            not event.is_read for n, event in enumerate(happened) if done >> n & 1
        )
        if done & every == every and history.final in (None, counter):
            return True
        return any(
            reachable(done | 1 << n)
            for n, event in enumerate(happened)
            if not done >> n & 1
            and not done & too_late_after[n]
            and event.value in (None, counter + (not event.is_read))
        )

    return reachable(0)


def inverted(history: History, a: Event, b: Event) -> bool:
    """Say whether their values say that b came before a, and a's came before b's by the clocks.

    The clocks are taken for exact; those of which nothing is known, for the common time.
    """
    if a.value is None or b.value is None:
        return False
    known = {host: (history.clocks.get(host, (0, 0))[0], 0) for host in history.hosts}
    later = a.value > b.value or (a.value == b.value and a.is_read and not b.is_read)
    return later and came_before(a, b, known)


def hiding_error(history: History) -> int | None:
    """Give the smallest error of each clock by which no two hosts contradict each other."""
    happened = list(events(history))
    pairs = [(a, b) for a, b in permutations(happened, 2) if inverted(history, a, b)]
    if not pairs:
        return None
    for error in range(10**6):
        clocks = {host: (history.clocks.get(host, (0, 0))[0], error) for host in history.hosts}
        apart = [(replace(a, host=a.host + "'"), b) for a, b in pairs]
        clocks |= {host + "'": clock for host, clock in clocks.items()}
        if not any(came_before(a, b, clocks) for a, b in apart):
            return error
    raise AssertionError(pairs)


def verdict(history: History) -> str:
    """Give the verdict that the checks of increments owe, every explained hole allowed.

    FAIL exactly where there is no order; where there is one, INCONCLUSIVE when no increment
    returned, and when several hosts' clocks are not known well enough: not at all, or not so
    well that two operations that look out of order cannot be.
    """
    if not linearizable(history):
        return "FAIL"
    happened = list(events(history))
    if not any(event.value is not None and not event.is_read for event in happened):
        return "INCONCLUSIVE"
    if len(history.hosts) > 1 and (
        not history.hosts <= set(history.clocks)
        or any(inverted(history, a, b) for a, b in permutations(happened, 2))
    ):
        return "INCONCLUSIVE"
    return "PASS"


def matchable(can_fill: Sequence[set[int]]) -> bool:
    """Say whether each hole can have an effect of its own; `can_fill` are the effects of each."""
    if not can_fill:
        return True
    first, *others = can_fill
    return any(matchable([hole - {effect} for hole in others]) for effect in first)
