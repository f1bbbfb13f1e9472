"""JSON as Velocity sees it: numbers keep every digit, and values print as Java prints them."""

import json
from typing import Any, Self, TypeAlias

Json: TypeAlias = Any
"""A parsed JSON document: the one place where the shape is the sender's choice."""


class JavaBoolean(int):
    """A boolean that prints as `true` or `false`, is still false when it is, and equals 0 or 1."""

    def __str__(self) -> str:
        return "true" if self else "false"


class Literal(float):
    """A JSON number with a fraction or exponent, printed digit for digit as it was sent."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Keep the text beside the value."""
        literal = super().__new__(cls, text)
        literal.text = text
        return literal

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


class JavaMap(dict[str, Json]):
    """A JSON object that prints as `{a=1, b=2}`."""

    def __str__(self) -> str:
        return "{" + ", ".join(f"{name}={value}" for name, value in self.items()) + "}"


class JavaList(list[Json]):
    """A JSON array that prints as `[1, 2]`, without quotes around strings."""

    def __str__(self) -> str:
        return "[" + ", ".join(str(value) for value in self) + "]"


def parse(text: str) -> Json:
    """Parse JSON with Java's way of printing. Raises ValueError."""
    return as_java(json.loads(text, parse_float=Literal, object_pairs_hook=JavaMap))


def as_java(value: Json) -> Json:
    """Give booleans and lists, which `json` has no hook for, their Java ways."""
    if isinstance(value, bool):
        return JavaBoolean(value)
    if isinstance(value, list):
        return JavaList(as_java(item) for item in value)
    if isinstance(value, dict):
        for name in value:
            value[name] = as_java(value[name])
    return value


def dump(value: Json) -> str:
    """Write JSON on one line, without spaces, every digit kept."""
    if isinstance(value, JavaBoolean | Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(n)}:{dump(v)}" for n, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dump(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
