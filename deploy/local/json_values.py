"""JSON as templates see it: numbers keep every digit they were sent with."""

import json
from typing import Any, NoReturn, Self, TypeAlias

Json: TypeAlias = Any
"""A parsed JSON document: the one place where the shape is the sender's choice."""


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


def not_json(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python's parser would take."""
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_float=Literal, parse_constant=not_json)


def parse(text: str) -> Json:
    """Parse JSON, every digit kept. Raises ValueError."""
    return DECODER.decode(text)


def dump(value: Json) -> str:
    """Write JSON on one line, without spaces, every digit kept."""
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(n)}:{dump(v)}" for n, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dump(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
