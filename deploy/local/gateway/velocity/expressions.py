"""Literals, operators and references: everything in a template that has a value.

Velocity: "VTL Reference", "References" and "Directives". Names may have hyphens, as in Velocity 1,
and as AWS's own examples have them ($context.responseOverride.header.Content-Type).
"""

import operator
import re
from collections.abc import Callable

from deploy.local.gateway.velocity import java
from deploy.local.gateway.velocity.java import ArrayList, is_true
from deploy.local.gateway.velocity.references import parse_reference
from deploy.local.gateway.velocity.source import Expression, RenderError, Source, Variables
from deploy.local.json_values import Json

SPACE = re.compile(r"\s*")
NUMBER = re.compile(r"-?\d+(?!\.\d|\d)|-?\d*\.\d+(?:[eE][+-]?\d+)?", re.ASCII)
STRING = re.compile(r"'((?:[^']|'')*)'|\"((?:[^\"]|\"\")*)\"", re.DOTALL)
WORD = re.compile(r"(?:true|false)(?![\w-])")
NOT = re.compile(r"!|not(?![\w-])")
OPEN, CLOSE = re.compile(r"\(\s*"), re.compile(r"\s*\)")
OPEN_LIST, CLOSE_LIST = re.compile(r"\[\s*"), re.compile(r"\s*\]")
OPEN_MAP, CLOSE_MAP = re.compile(r"\{\s*"), re.compile(r"\s*\}")
COMMA, COLON, DOTS = re.compile(r"\s*,\s*"), re.compile(r"\s*:\s*"), re.compile(r"\s*\.\.\s*")
DOLLAR = re.compile(r"(?=\$)")
UNICODE_ESCAPE = re.compile(r"\\u[0-9A-Fa-f]{4}")

Operation = Callable[[Json, Json], Json]
OR = re.compile(r"\s*(?:\|\||or(?![\w-]))")
AND = re.compile(r"\s*(?:&&|and(?![\w-]))")
LEVELS: tuple[tuple[re.Pattern[str], dict[str, Operation]], ...] = (
    (
        re.compile(r"\s*(==|!=|eq(?![\w-])|ne(?![\w-]))"),
        {
            "==": java.equal,
            "eq": java.equal,
            "!=": lambda left, right: not java.equal(left, right),
            "ne": lambda left, right: not java.equal(left, right),
        },
    ),
    (
        re.compile(r"\s*(<=|>=|<|>|[lg][et](?![\w-]))"),
        {
            sign: java.ordered(sign, holds)
            for sign, holds in (
                ("<", operator.lt),
                ("lt", operator.lt),
                ("<=", operator.le),
                ("le", operator.le),
                (">", operator.gt),
                ("gt", operator.gt),
                (">=", operator.ge),
                ("ge", operator.ge),
            )
        },
    ),
    (re.compile(r"\s*([+-])"), {"+": java.add, "-": java.subtract}),
    (
        re.compile(r"\s*([*/%])"),
        {"*": java.multiply, "/": java.divide, "%": java.remainder},
    ),
)
"""Binary operators from the loosest to the tightest, below || and &&."""


def parse_expression(source: Source) -> Expression:
    """Parse a whole expression; || and && stop as soon as they know."""
    left = parse_conjunction(source)
    while source.take(OR):
        left = either(left, parse_conjunction(source))
    return left


def parse_conjunction(source: Source) -> Expression:
    """Parse what && joins."""
    left = parse_binary(source, 0)
    while source.take(AND):
        left = both(left, parse_binary(source, 0))
    return left


def either(left: Expression, right: Expression) -> Expression:
    """Join with ||."""
    return lambda variables: is_true(left(variables)) or is_true(right(variables))


def both(left: Expression, right: Expression) -> Expression:
    """Join with &&."""
    return lambda variables: is_true(left(variables)) and is_true(right(variables))


def parse_binary(source: Source, level: int) -> Expression:
    """Parse what the operators of one level join, from left to right."""
    if level == len(LEVELS):
        return parse_unary(source)
    pattern, operations = LEVELS[level]
    left = parse_binary(source, level + 1)
    while match := source.take(pattern):
        left = joined(operations[match[1]], left, parse_binary(source, level + 1))
    return left


def joined(operation: Operation, left: Expression, right: Expression) -> Expression:
    """Join with a binary operator."""
    return lambda variables: operation(left(variables), right(variables))


def parse_unary(source: Source) -> Expression:
    """Parse an operand, or its negation."""
    source.take(SPACE)
    if source.take(NOT):
        operand = parse_unary(source)
        return lambda variables: not is_true(operand(variables))
    if source.take(OPEN):
        inner = parse_expression(source)
        source.require(CLOSE, ")")
        return inner
    return parse_value(source)


def parse_value(source: Source) -> Expression:
    """Parse a reference or a literal."""
    source.take(SPACE)
    if source.take(DOLLAR):
        reference = parse_reference(source, parse_expression)
        if reference is not None:
            return reference.value
    if match := source.take(NUMBER):
        return constant(float(match[0]) if "." in match[0] else int(match[0]))
    if match := source.take(STRING):
        return parse_string(source, match)
    if match := source.take(WORD):
        return constant(match[0] == "true")
    if source.take(OPEN_LIST):
        return parse_list(source)
    if source.take(OPEN_MAP):
        return parse_map(source)
    raise source.error("expected a value")


def constant(value: Json) -> Expression:
    """Give a value that is always the same."""
    return lambda _variables: value


def parse_string(source: Source, match: re.Match[str]) -> Expression:
    """Read a string: a doubled quote is one, a backslash is itself; "..." is interpolated."""
    if UNICODE_ESCAPE.search(match[0]):
        raise source.error("a \\u escape in a string, which Velocity's versions read differently")
    if match[1] is not None:
        return constant(match[1].replace("''", "'"))
    text = match[2].replace('""', '"')
    if "$" not in text and "#" not in text:
        return constant(text)
    write = source.interpolate(text)

    def interpolated(variables: Variables) -> str:
        parts: list[str] = []
        write(variables, parts)
        return "".join(parts)

    return interpolated


def parse_list(source: Source) -> Expression:
    """Read the rest of [a, b] or [1..9]."""
    if source.take(CLOSE_LIST):
        return lambda _variables: ArrayList()
    items = [parse_expression(source)]
    if source.take(DOTS):
        end = parse_expression(source)
        source.require(CLOSE_LIST, "]")
        return lambda variables: span(items[0](variables), end(variables))
    while source.take(COMMA):
        items.append(parse_expression(source))
    source.require(CLOSE_LIST, "]")
    return lambda variables: ArrayList(item(variables) for item in items)


def span(first: Json, last: Json) -> range:
    """Give the integers from the first to the last, which may be the smaller."""
    if type(first) is not int or type(last) is not int:
        raise RenderError("a range goes from one integer to another")
    return range(first, last + 1) if first <= last else range(first, last - 1, -1)


def parse_map(source: Source) -> Expression:
    """Read the rest of {"name": value}."""
    entries: list[tuple[Expression, Expression]] = []
    if not source.take(CLOSE_MAP):
        while True:
            name = parse_expression(source)
            source.require(COLON, ":")
            entries.append((name, parse_expression(source)))
            if not source.take(COMMA):
                break
        source.require(CLOSE_MAP, "}")
    return lambda variables: {name(variables): value(variables) for name, value in entries}
