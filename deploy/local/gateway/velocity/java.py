"""Java's values as Velocity handles them: their text, truth, equality, members and arithmetic.

A JSON array prints as JSON and a JSON object as `{a=1}`: what API Gateway's JSONPath library makes
of them are a list that prints so and a Java map. AWS documents neither.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import ClassVar

from deploy.local.gateway.velocity.source import RenderError
from deploy.local.json_values import Json, Literal, dump

JAVA_PLAIN_MIN, JAVA_PLAIN_MAX = 1e-3, 1e7
"""Between these Java prints a double without an exponent."""


class ArrayList(list[Json]):
    """A list that a template made, or a view of a map: prints as `[a, b]`, not as JSON."""


class JavaArray(list[Json]):
    """What `split` gives: its elements can be read, but it does not print itself in Java."""


class ReadOnlyMap(dict[str, Json]):
    """A map that a template may read, but not change."""


class Exposed:
    """An object of ours in a template: only the members it names can be reached."""

    NAME: ClassVar[str]
    METHODS: ClassVar[frozenset[str]] = frozenset()
    PROPERTIES: ClassVar[frozenset[str]] = frozenset()

    def assign(self, name: str, value: Json) -> None:
        """Set a member. Raises RenderError unless the object allows it."""
        raise RenderError(f"${self.NAME} has nothing to set under {name!r}, not even {value!r}")


def text_of(value: Json) -> str:
    """Print a value as `toString` does. Raises RenderError for what prints as an address."""
    if isinstance(value, str):
        text = value
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, int | Literal):
        text = str(value)
    elif isinstance(value, float):
        text = double_text(value)
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{name}={text_of(value[name])}" for name in value) + "}"
    elif isinstance(value, ArrayList | range):
        text = "[" + ", ".join(text_of(item) for item in value) + "]"
    elif isinstance(value, list) and not isinstance(value, JavaArray):
        text = dump(value)
    elif isinstance(value, tuple):
        text = f"{value[0]}={text_of(value[1])}"
    else:
        raise RenderError(f"{kind_of(value)} has no text of its own")
    return text


def double_text(value: float) -> str:
    """Print a double as Java does: 1.0, 1.0E7, 1.0E-4."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or JAVA_PLAIN_MIN <= abs(value) < JAVA_PLAIN_MAX:
        return repr(value)
    shortest = Decimal(repr(abs(value)))
    digits = "".join(map(str, shortest.as_tuple().digits)).rstrip("0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{shortest.adjusted()}"


def kind_of(value: Json) -> str:
    """Name a value's kind in a message."""
    if isinstance(value, Exposed):
        return f"${value.NAME}"
    names = {
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        Literal: "a number",
        tuple: "a map's entry",
        JavaArray: "a Java array",
    }
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list) and type(value) not in names:
        return "a list"
    return names.get(type(value), "null" if value is None else type(value).__name__)


def is_true(value: Json) -> bool:
    """Decide a condition. Raises RenderError for what is empty.

    Velocity 1.7 takes every value but false and null for true, Velocity 2 not the empty ones, and
    AWS does not say which it runs.
    """
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, Exposed) or value:
        return True
    raise RenderError(
        f"{kind_of(value)} that is empty or zero ({text_of(value)!r}) is true in Velocity 1 and "
        "false in Velocity 2: compare it instead"
    )


def equal(left: Json, right: Json) -> bool:
    """Compare with ==: numbers by value, unlike kinds by their text, as Velocity does."""
    if left is None or right is None:
        return left is right
    if is_number(left) and is_number(right):
        return bool(left == right)
    if isinstance(left, str) != isinstance(right, str) or type(left) is not type(right):
        if isinstance(left, list | dict) and isinstance(right, list | dict):
            return same(left, right)
        return text_of(left) == text_of(right)
    return same(left, right)


def same(left: Json, right: Json) -> bool:
    """Compare with Java's `equals`: true is not 1, and 1 is not 1.0, inside collections too."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list | range) and isinstance(right, list | range):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return left == right
    return type(left) is type(right) and bool(left == right)


def position(values: Iterable[Json], wanted: Json) -> int:
    """Return where a collection has a value first, -1 if it has not."""
    return next((at for at, value in enumerate(values) if same(value, wanted)), -1)


def is_number(value: Json) -> bool:
    """Whether a value is a Java number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def numbers(left: Json, right: Json, sign: str) -> tuple[Json, Json]:
    """Return both if they are numbers. Raises RenderError: Velocity only logs, and goes on."""
    if not is_number(left) or not is_number(right):
        raise RenderError(f"{kind_of(left)} {sign} {kind_of(right)}: both must be numbers")
    return plain(left), plain(right)


def plain(value: Json) -> Json:
    """Drop a number's text, so that a result does not inherit it."""
    return float(value) if isinstance(value, Literal) else value


def add(left: Json, right: Json) -> Json:
    """Add numbers, or join texts if either is one."""
    if isinstance(left, str) or isinstance(right, str):
        if left is None or right is None:
            raise RenderError("a string + null: the reference has no value")
        return text_of(left) + text_of(right)
    left, right = numbers(left, right, "+")
    return left + right


def divide(left: Json, right: Json) -> Json:
    """Divide: integers towards zero. Raises RenderError for a zero divisor."""
    left, right = divisible(left, right, "/")
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def remainder(left: Json, right: Json) -> Json:
    """Give the remainder, with the sign of the dividend."""
    left, right = divisible(left, right, "%")
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return math.fmod(left, right)


def divisible(left: Json, right: Json, sign: str) -> tuple[Json, Json]:
    """Return both numbers. Raises RenderError if the second is zero."""
    left, right = numbers(left, right, sign)
    if right == 0:
        raise RenderError(f"{left} {sign} 0: a division by zero")
    return left, right


def subtract(left: Json, right: Json) -> Json:
    """Subtract numbers."""
    left, right = numbers(left, right, "-")
    return left - right


def multiply(left: Json, right: Json) -> Json:
    """Multiply numbers."""
    left, right = numbers(left, right, "*")
    return left * right


def ordered(sign: str, holds: Callable[[Json, Json], bool]) -> Callable[[Json, Json], bool]:
    """Make a comparison of numbers."""

    def compare(left: Json, right: Json) -> bool:
        left, right = numbers(left, right, sign)
        return holds(left, right)

    return compare
