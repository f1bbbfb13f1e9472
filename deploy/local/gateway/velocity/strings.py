"""The methods of java.lang.String that templates may call."""

import re
from collections.abc import Callable
from functools import lru_cache

from deploy.local.gateway.velocity.java import JavaArray, text_of
from deploy.local.gateway.velocity.source import RenderError
from deploy.local.json_values import Json

UNLIKE = re.compile(r"&&|\(\?P|\\Z|\[[^\]\\]*\[")
"""What Java's and Python's regular expressions both take, and read differently."""
TERMINATORS = re.compile("[\r\u0085\u2028\u2029]")
BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")
REPLACEMENT = re.compile(r"\\(.)|\$(\d)|([\\$])", re.DOTALL)


@lru_cache(maxsize=1024)
def java_regex(pattern: str) -> re.Pattern[str]:
    """Compile what java.util.regex and Python spell alike; classes are ASCII there.

    Raises RenderError for what they read differently, `re.error` for what Python does not have.
    """
    if UNLIKE.search(pattern):
        raise RenderError(f"the regular expression {pattern!r} means something else to Java")
    return re.compile(pattern, re.ASCII)


def regex_for(text: str, pattern: str) -> re.Pattern[str]:
    """Compile a pattern for a text: Java's `.` and `$` know more line ends than Python's."""
    if ("." in pattern or "$" in pattern) and TERMINATORS.search(text):
        raise RenderError(f"{pattern!r}: Java's . and $ treat a carriage return differently")
    return java_regex(pattern)


def matches(text: str, pattern: str) -> bool:
    """Whether the whole text matches."""
    return regex_for(text, pattern).fullmatch(text) is not None


def replacement(new: str, match: re.Match[str]) -> str:
    r"""Expand Java's replacement: `$1` is a group, `\x` is x."""

    def piece(part: re.Match[str]) -> str:
        if part[3] is not None:
            raise RenderError(f"the replacement {new!r} ends in, or has a lone, {part[3]}")
        return part[1] if part[1] is not None else match[int(part[2])] or ""

    return REPLACEMENT.sub(piece, new)


def replace_all(text: str, pattern: str, new: str) -> str:
    """Replace every match."""
    return regex_for(text, pattern).sub(lambda match: replacement(new, match), text)


def replace_first(text: str, pattern: str, new: str) -> str:
    """Replace the first match."""
    return regex_for(text, pattern).sub(lambda match: replacement(new, match), text, count=1)


def split(text: str, pattern: str) -> JavaArray:
    """Split at every match; empty parts at the end are dropped, also if there are no others.

    A text without a match stays whole, even an empty one.
    """
    regex = regex_for(text, pattern)
    if regex.match("") or regex.groups:
        raise RenderError(f"split({pattern!r}): Java splits there differently")
    parts = regex.split(text)
    if len(parts) == 1:
        return JavaArray(parts)
    while parts and not parts[-1]:
        parts.pop()
    return JavaArray(parts)


def positioned(text: str) -> str:
    """Return a text whose positions Java counts as Python does. Raises RenderError."""
    if not text.isascii() and BEYOND_16_BITS.search(text):
        raise RenderError("positions in a text with characters beyond 16 bits differ in Java")
    return text


def index_of(text: str, part: str, start: int = 0) -> int:
    """Return where a part begins, -1 if nowhere; a start outside of the text is one of its ends."""
    return positioned(text).find(part, min(max(start, 0), len(text)))


def substring(text: str, start: int, end: int | None = None) -> str:
    """Cut out a part. Raises RenderError where Java throws."""
    stop = len(positioned(text)) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise RenderError(f"substring({start}, {stop}) of a string of {len(text)} characters")
    return text[start:stop]


def char_at(text: str, index: int) -> str:
    """Return one character."""
    return substring(text, index, index + 1)


METHODS: dict[str, Callable[..., Json]] = {
    "length": lambda text: len(positioned(text)),
    "isEmpty": lambda text: not text,
    "contains": lambda text, part: part in text,
    "startsWith": lambda text, start: text.startswith(start),
    "endsWith": lambda text, end: text.endswith(end),
    "equals": lambda text, other: isinstance(other, str) and text == other,
    "equalsIgnoreCase": lambda text, other: text.lower() == other.lower(),
    "indexOf": index_of,
    "lastIndexOf": lambda text, part: positioned(text).rfind(part),
    "substring": substring,
    "charAt": char_at,
    "trim": lambda text: text.strip("".join(map(chr, range(33)))),
    "toLowerCase": lambda text: text.lower(),
    "toUpperCase": lambda text: text.upper(),
    "toString": lambda text: text,
    "concat": lambda text, other: text + other,
    "replace": lambda text, old, new: text.replace(old, new),
    "matches": matches,
    "replaceAll": replace_all,
    "replaceFirst": replace_first,
    "split": split,
}
"""By Java's name; the text comes first."""


def parse_int(_number: Json, text: str) -> int:
    """Integer.parseInt, which templates reach through any number."""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise RenderError(f"parseInt({text_of(text)!r}): not an integer")
    return int(text)
