"""The text of a template while it is being parsed, and what a failing template raises."""

import re
from collections.abc import Callable, MutableMapping

from deploy.local.json_values import Json

Variables = MutableMapping[str, Json]
"""The references of one rendering, without their dollar signs."""
Expression = Callable[[Variables], Json]
"""A parsed expression: gives its value, None for a reference that has none."""
Writer = Callable[[Variables, list[str]], None]
"""A parsed piece of a template: appends its text."""


class RenderError(Exception):
    """A template could not be parsed or rendered; the message says where and why."""


class Source:
    """A template's text and how far it has been parsed."""

    def __init__(self, text: str, interpolate: Callable[[str], Writer]) -> None:
        self.text = text
        self.position = 0
        self.interpolate = interpolate
        """Parses the inside of a double-quoted string as a template of its own."""

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Step over what matches here, if it does."""
        match = pattern.match(self.text, self.position)
        if match is not None:
            self.position = match.end()
        return match

    def require(self, pattern: re.Pattern[str], expected: str) -> re.Match[str]:
        """Step over what has to be here. Raises RenderError."""
        match = self.take(pattern)
        if match is None:
            raise self.error(f"expected {expected}")
        return match

    def line(self) -> str:
        """Name the line that has been reached."""
        newlines = self.text.count("\n", 0, self.position)
        return f"line {newlines + 1}"

    def error(self, reason: str) -> RenderError:
        """Say what is wrong with the text from here on."""
        column = self.position - self.text.rfind("\n", 0, self.position)
        found = self.text[self.position : self.position + 20]
        return RenderError(f"{self.line()}, column {column}: {reason}, found {found!r}")
