"""What the :f of a Jepsen operation does to a counter, and what its answer tells.

In Jepsen's counter workload the :value of an add is what is added, and its :ok answers nothing:
it happened, and the counter's value was not told. Such an answer is a `delta`, no value.
"""

import re
from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from analysis.cells import quoted
from history.errors import UserError

Answers = Literal["the counter", "either", "an id", "after", "before"]


class Function(NamedTuple):
    """The sign of what an :f adds, and what its :ok answers."""

    sign: int
    answers: Answers


def _named(names: str, sign: int, answers: Answers) -> dict[str, Function]:
    return dict.fromkeys(names.split(), Function(sign, answers))


FUNCTIONS: Mapping[str, Function] = {
    **_named("read get r finalread", 0, "the counter"),
    **_named("add inc incr incrby increment", 1, "either"),
    **_named("dec decr decrby decrement sub subtract", -1, "either"),
    **_named("generate nextid", 1, "an id"),
    **_named("incrementandget incandget incrandget addandget addandfetch", 1, "after"),
    **_named("decrementandget decandget decrandget subandget subandfetch", -1, "after"),
    **_named("getandincrement getandinc getandadd fetchandincrement fetchandinc", 1, "before"),
    **_named("fetchandadd fetchadd faa", 1, "before"),
    **_named("getanddecrement getanddec getandsub fetchanddecrement fetchsub", -1, "before"),
    **_named("fetchandsub fas", -1, "before"),
}
"""By :f in small letters without hyphens. `either`: its :ok repeats what was added and tells
nothing, unless some :ok of that :f in the file differs from its invocation: then all of them
tell the counter's value."""

_SHOWN = "add, inc, dec, read, generate, fetch-and-add or increment-and-get"
_SEPARATORS = re.compile(r"[^a-z0-9]")


class Effect(NamedTuple):
    """What one operation added, and the value after it if its answer told that.

    `unused` says that an answer was told and cannot be: that of an add of more than 1.
    """

    added: int
    value: int | None
    unused: bool


def name_of(f: object, where: str) -> str:
    """Give the key of FUNCTIONS for an :f; raises UserError if it is no counter's."""
    name = _SEPARATORS.sub("", str(f).lower())
    if name not in FUNCTIONS:
        raise UserError(f"{where}: found :f {quoted(str(f))}, expected that of a counter: {_SHOWN}")
    return name


def integer(value: object, where: str) -> int | None:
    """Give a :value; raises UserError for what is neither an integer nor nil."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise UserError(
        f"{where}: found :value {quoted(str(value))}, expected an integer (of several keys, write "
        "one history each)"
    )


def effect(name: str, asked: int | None, answer: int | None, tellers: Collection[str]) -> Effect:
    """Say what a completed operation, or one that perhaps happened, did to the counter."""
    function = FUNCTIONS[name]
    if function.answers == "the counter":
        return Effect(0, answer, unused=False)
    added = function.sign * (1 if asked is None else asked)
    tells = answer is not None and (function.answers != "either" or name in tellers)
    if not tells or abs(added) != 1:
        return Effect(added, None, unused=tells)
    value = answer if answer is None or function.answers != "before" else answer + added
    return Effect(added, value, unused=False)
