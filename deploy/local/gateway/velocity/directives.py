"""What references and directives do when a template is rendered."""

from typing import ClassVar, NamedTuple

from deploy.local.gateway.velocity.java import Exposed, is_true, text_of
from deploy.local.gateway.velocity.members import items_of
from deploy.local.gateway.velocity.references import Reference, Setter
from deploy.local.gateway.velocity.source import Expression, RenderError, Variables, Writer
from deploy.local.json_values import Json


class Break(Exception):  # noqa: N818 (a signal)
    """Leaves the innermost loop."""


class Stop(Exception):  # noqa: N818 (a signal)
    """Ends the template."""


class Loop(Exposed):
    """`$foreach`: where a loop is."""

    NAME: ClassVar[str] = "foreach"
    PROPERTIES: ClassVar[frozenset[str]] = frozenset(
        {"count", "index", "hasNext", "first", "last", "parent"}
    )

    def __init__(self, index: int, length: int, parent: Json) -> None:
        self.index, self.count = index, index + 1
        self.first, self.last = index == 0, index == length - 1
        self.hasNext = index < length - 1  # Velocity's name
        self.parent = parent


class Branch(NamedTuple):
    """One #if or #elseif."""

    condition: Expression
    body: Writer
    line: str


def nothing(_variables: Variables, _parts: list[str]) -> None:
    """Write nothing."""


class Macro:
    """A template's own directive."""

    def __init__(self, name: str, parameters: list[str]) -> None:
        self.name = name
        self.parameters = parameters
        self.body: Writer = nothing


def printing(reference: Reference) -> Writer:
    """Print a reference's value; without one, nothing if quiet, else the reference as written."""
    value, silent = reference.value, "" if reference.quiet else reference.text

    def write(variables: Variables, parts: list[str]) -> None:
        found = value(variables)
        if type(found) is str:
            parts.append(found)
        else:
            parts.append(silent if found is None else text_of(found))

    return write


def setting(reference: Reference, assign: Setter, value: Expression, line: str) -> Writer:
    """Set a variable or a member.

    Null leaves what was there alone in Velocity 1 and removes it in Velocity 2; AWS does not say
    which it runs, so that fails if there was anything.
    """

    def write(variables: Variables, _parts: list[str]) -> None:
        try:
            found = value(variables)
            if found is None:
                expect_nothing(reference.value(variables))
            else:
                assign(variables, found)
        except RenderError as error:
            raise RenderError(f"{line}, #set({reference.text}): {error}") from None

    return write


def expect_nothing(value: Json) -> None:
    """Raise RenderError if null is about to be set over a value."""
    if value is not None:
        raise RenderError(
            "null over another value, which Velocity 1 keeps and Velocity 2 removes: "
            'set "$!{...}" instead'
        )


def conditional(branches: list[Branch], otherwise: Writer | None) -> Writer:
    """Write the first branch whose condition holds."""

    def write(variables: Variables, parts: list[str]) -> None:
        for condition, body, line in branches:
            try:
                holds = is_true(condition(variables))
            except RenderError as error:
                raise RenderError(f"{line}, #if: {error}") from None
            if holds:
                body(variables, parts)
                return
        if otherwise is not None:
            otherwise(variables, parts)

    return write


def loop(name: str, values: Expression, body: Writer) -> Writer:
    """Write the body once for each item; afterwards the loop's variables are as they were."""
    own = (name, "foreach", "velocityCount", "velocityHasNext")

    def write(variables: Variables, parts: list[str]) -> None:
        items = items_of(values(variables))
        before = {key: variables.get(key) for key in own}
        try:
            for index, item in enumerate(items):
                position = Loop(index, len(items), before["foreach"])
                now = (item, position, position.count, position.hasNext)
                variables.update(zip(own, now, strict=True))
                body(variables, parts)
        except Break:
            pass
        restore(variables, before)

    return write


def invocation(macro: Macro, arguments: list[Expression]) -> Writer:
    """Write a macro's body with its arguments; other variables it sets stay set."""

    def write(variables: Variables, parts: list[str]) -> None:
        given = {
            name: argument(variables)
            for name, argument in zip(macro.parameters, arguments, strict=True)
        }
        before = {name: variables.get(name) for name in given}
        variables.update(given)
        macro.body(variables, parts)
        restore(variables, before)

    return write


def restore(variables: Variables, before: dict[str, Json]) -> None:
    """Give variables the values they had, or none."""
    for name, value in before.items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value
