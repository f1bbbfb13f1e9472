"""References: `$name.property.method(argument)[index]`, `$!quiet` and `${formal}`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local.gateway.velocity.java import kind_of
from deploy.local.gateway.velocity.members import assign, call, element, property_of
from deploy.local.gateway.velocity.source import Expression, RenderError, Source, Variables
from deploy.local.json_values import Json

START = re.compile(r"\$(!?)(\{?)([A-Za-z_][\w-]*)", re.ASCII)
DOT_NAME = re.compile(r"\.([A-Za-z_][\w-]*)", re.ASCII)
OPEN, CLOSE = re.compile(r"\(\s*"), re.compile(r"\s*\)")
OPEN_INDEX, CLOSE_INDEX = re.compile(r"\[\s*"), re.compile(r"\s*\]")
COMMA = re.compile(r"\s*,\s*")
CLOSE_BRACE = re.compile(r"\}")

Step = Callable[[Json, Variables], Json]
Setter = Callable[[Variables, Json], None]
ExpressionParser = Callable[[Source], Expression]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A parsed reference."""

    root: str
    quiet: bool
    text: str
    """As it is written, which is what it prints without a value."""
    value: Expression
    assign: Setter | None
    """Sets what it refers to; None for the result of a method."""


def parse_reference(source: Source, expression: ExpressionParser) -> Reference | None:
    """Parse a reference here, None if the dollar sign is only text."""
    start = source.position
    match = source.take(START)
    if match is None:
        return None
    steps: list[Step] = []
    last: tuple[str, str | Expression] = ("root", match[3])
    while True:
        if name := source.take(DOT_NAME):
            if source.take(OPEN):
                steps.append(calling(name[1], parse_arguments(source, expression)))
                last = ("call", name[1])
            else:
                steps.append(reading(name[1]))
                last = ("property", name[1])
        elif source.take(OPEN_INDEX):
            index = expression(source)
            source.require(CLOSE_INDEX, "]")
            steps.append(indexing(index))
            last = ("index", index)
        else:
            break
    if match[2]:
        source.require(CLOSE_BRACE, "} at the end of a formal reference")
    text = source.text[start : source.position]
    target = evaluation(match[3], steps[:-1], text)
    value = evaluation(match[3], steps, text)
    last_kind, last_name = last
    if isinstance(last_name, str) and "-" in last_name and last_kind != "call":
        value = careful(value, target if steps else None, last_name.partition("-")[0], text)
    return Reference(
        root=match[3],
        quiet=bool(match[1]),
        text=text,
        value=value,
        assign=setting(target, last, text),
    )


def parse_arguments(source: Source, expression: ExpressionParser) -> list[Expression]:
    """Read the rest of (a, b)."""
    arguments: list[Expression] = []
    if source.take(CLOSE):
        return arguments
    arguments.append(expression(source))
    while source.take(COMMA):
        arguments.append(expression(source))
    source.require(CLOSE, ")")
    return arguments


def reading(name: str) -> Step:
    """Read a property."""
    return lambda value, _variables: property_of(value, name)


def calling(name: str, arguments: list[Expression]) -> Step:
    """Call a method."""
    if not arguments:
        return lambda value, _variables: call(value, name, [])
    return lambda value, variables: call(
        value, name, [argument(variables) for argument in arguments]
    )


def indexing(index: Expression) -> Step:
    """Read an element."""
    return lambda value, variables: element(value, index(variables))


def evaluation(root: str, steps: list[Step], text: str) -> Expression:
    """Go from the root step by step; null has null members."""
    if not steps:
        return lambda variables: variables.get(root)

    def evaluate(variables: Variables) -> Json:
        value = variables.get(root)
        try:
            for step in steps:
                if value is None:
                    return None
                value = step(value, variables)
        except RenderError as error:
            raise RenderError(f"{text}: {error}") from None
        except Exception as error:
            raise RenderError(f"{text}: {type(error).__name__}: {error}") from error
        return value

    return evaluate


def careful(value: Expression, holder: Expression | None, shorter: str, text: str) -> Expression:
    """Fail for a name with a hyphen that has no value, if what is before the hyphen has one.

    `$a-1` is a reference to "a-1" in Velocity 1, and `$a` followed by -1 in Velocity 2.
    """

    def evaluate(variables: Variables) -> Json:
        found = value(variables)
        if found is None:
            owner = variables if holder is None else holder(variables)
            if owner is not None and property_of(owner, shorter) is not None:
                raise RenderError(f"{text} has no value; is the hyphen for a ${{reference}}?")
        return found

    return evaluate


def setting(target: Expression, last: tuple[str, str | Expression], text: str) -> Setter | None:
    """Make the setter of a reference from its last step."""
    kind, name = last
    if kind == "root":

        def set_variable(variables: Variables, value: Json) -> None:
            variables[str(name)] = value

        return set_variable
    if kind == "call":
        return None

    def set_member(variables: Variables, value: Json) -> None:
        holder = target(variables)
        if holder is None:
            raise RenderError(f"{text} cannot be set: what holds it is {kind_of(holder)}")
        assign(holder, name if isinstance(name, str) else name(variables), value)

    return set_member
