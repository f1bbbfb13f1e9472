"""The requests that bracket a load, so that first and last value are known on any target."""

import time
from collections.abc import Callable

from history.classify import Answer
from history.errors import UserError
from history.journal import Journal
from history.manifest import KnownValue
from history.operation import Outcome, Returns
from runner.options import LoadOptions
from runner.requests import PUT_ABSENT, recorded_increment, set_counter
from runner.targets import Counter

HTTP_OK = 200
LAST_TRIES = 3
LAST_PAUSE_S = 0.3
"""Between two tries: who throttles does so by the second, who is started again needs a moment."""


def initialise(
    counter: Counter, options: LoadOptions, say: Callable[[str], None]
) -> KnownValue | None:
    """PUT the counter to INITIAL; None where the server has no PUT, or we cannot believe it."""
    status = set_counter(counter.destination, options.initial, timeout_s=options.load.timeout_s)
    if counter.target == "url":
        if status != HTTP_OK and status not in PUT_ABSENT:
            raise UserError(
                f"PUT {counter.url} answered {status}: expected 200, or 404, 405 or 501 from a "
                "server without PUT; nothing was loaded"
            )
        # Whatever a foreign server does with PUT, its first GET says where it stands.
        told = "200" if status == HTTP_OK else f"{status or 'no answer'} (it has no PUT)"
        say(f"PUT {counter.url}: {told}")
        return None
    if status != HTTP_OK:
        raise UserError(
            f"PUT {counter.url} answered {status or 'nothing'}, expected 200: the counter could "
            "not be initialised; see make inspect"
        )
    say(f"PUT {counter.url}: the counter is {options.initial}")
    return KnownValue(value=options.initial, how=f"PUT answered 200 to INITIAL={options.initial}")


def first_increment(counter: Counter, journal: Journal, *, timeout_s: float) -> Answer:
    """Take one number before the load, recorded; raises UserError when that gives none."""
    first = recorded_increment(counter.destination, journal, timeout_s=timeout_s)
    if first.seen.value is None:
        raise UserError(
            f"GET {counter.url} {_describe(first)}, expected 200 and one integer; nothing was "
            "loaded"
        )
    return first


def last_increment(counter: Counter, journal: Journal, *, timeout_s: float) -> Answer:
    """Take one more number after the load; without it the final value may be unknown.

    So a few times, where the answer is lost, the request refused (429) or nobody there. Each try
    is an operation of its own in the record, none is a re-send of another.
    """
    for tries_left in reversed(range(LAST_TRIES)):
        last = recorded_increment(counter.destination, journal, timeout_s=timeout_s)
        if last.seen.outcome is Outcome.OK:
            break
        if tries_left:
            time.sleep(LAST_PAUSE_S)
    return last


def before(first: Answer, returns: Returns) -> KnownValue:
    """Give the counter's value before the first number was taken."""
    value = first.seen.value
    if value is None:
        raise AssertionError(first)
    before = value - 1 if returns is Returns.NEW else value
    return KnownValue(value=before, how=f"the first GET answered {value}")


def final(counter: Counter, last: Answer) -> KnownValue:
    """Read the final value: from the table where there is one, else from the last GET."""
    trouble = ""
    if counter.read_final is not None:
        try:
            return KnownValue(
                value=counter.read_final(),
                how=f"strongly consistent read of table {counter.table}",
            )
        except Exception as error:  # noqa: BLE001 -- whatever it is, the record comes first
            trouble = f"the table could not be read: {error}; "
    if last.seen.value is None:
        return KnownValue(value=None, how=f"{trouble}the last GET {_describe(last)}")
    shift = 0 if counter.returns is Returns.NEW else 1
    return KnownValue(
        value=last.seen.value + shift, how=f"{trouble}the last GET answered {last.seen.value}"
    )


def _describe(answer: Answer) -> str:
    if answer.status:
        return f"answered {answer.status} ({answer.seen.reason.label})"
    return f"got no answer ({answer.seen.reason.label})"
