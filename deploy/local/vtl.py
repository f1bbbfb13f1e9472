"""Velocity as API Gateway speaks it: airspeed, with `$input`, `$util`, `$context` and Java strings.

AWS: "API Gateway mapping template and access logging variable reference".
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, cast
from urllib.parse import quote_plus, unquote_plus

import airspeed

from deploy.local import json_values, jsonpath
from deploy.local.json_values import JavaMap, Json


class RenderError(Exception):
    """A template could not be parsed or rendered; the message says which and why."""


class Input:
    """`$input`: the payload the template maps, and the request's parameters.

    `body` is what arrived as text. An empty payload shows as `{}`, as API Gateway shows it.
    """

    def __init__(self, body: str, parameters: Mapping[str, Mapping[str, str]]) -> None:
        self.body = body or "{}"
        self._parameters = parameters

    @cached_property
    def _document(self) -> Json:
        return json_values.parse(self.body)

    def path(self, path: str) -> Json:
        """Return the value at a JSONPath, None if there is none."""
        return jsonpath.find(self._document, path)

    def json(self, path: str) -> str:
        """Return the value at a JSONPath as JSON text."""
        return json_values.dump(self.path(path))

    def params(self, name: str | None = None) -> Json:
        """Return all parameters by kind, or the first of one name in path, query, header."""
        if name is None:
            return JavaMap({kind: JavaMap(values) for kind, values in self._parameters.items()})
        for kind in ("path", "querystring", "header"):
            if name in self._parameters[kind]:
                return self._parameters[kind][name]
        return ""


class Util:
    """`$util`: the functions API Gateway offers to templates, under their AWS names."""

    def escapeJavaScript(self, text: Json) -> str:  # noqa: N802 (AWS's name)
        """Escape for a JavaScript string: like JSON, and a single quote too."""
        return json.dumps(str(text))[1:-1].replace("'", "\\'").replace("/", "\\/")

    def parseJson(self, text: str) -> Json:  # noqa: N802
        """Parse JSON text."""
        return json_values.parse(text)

    def urlEncode(self, text: Json) -> str:  # noqa: N802
        """Encode as application/x-www-form-urlencoded."""
        return quote_plus(str(text))

    def urlDecode(self, text: Json) -> str:  # noqa: N802
        """Decode application/x-www-form-urlencoded."""
        return unquote_plus(str(text))

    def base64Encode(self, text: Json) -> str:  # noqa: N802
        """Encode UTF-8 text as base64."""
        return base64.b64encode(str(text).encode()).decode("ascii")

    def base64Decode(self, text: Json) -> str:  # noqa: N802
        """Decode base64 to UTF-8 text."""
        return base64.b64decode(str(text), validate=True).decode()


UTIL = Util()
STATUS_MIN, STATUS_MAX = 100, 599


class ResponseOverride(dict[str, Json]):
    """`$context.responseOverride`: each parameter can be set once, or the answer is a 5XX.

    AWS: "Override your API's request and response parameters and status codes". What AWS does not
    document, a status that is none, fails as well.
    """

    def __init__(self) -> None:
        super().__init__(header=HeaderOverride())

    def __setitem__(self, name: str, value: Json) -> None:
        if name != "status":
            raise ValueError(f"$context.responseOverride.{name} is nothing to set")
        if name in self:
            raise ValueError("$context.responseOverride.status is set twice")
        number = isinstance(value, int) and not isinstance(value, bool | json_values.JavaBoolean)
        if not number or not STATUS_MIN <= value <= STATUS_MAX:
            raise ValueError(
                f"$context.responseOverride.status is set to {value!r}, no HTTP status"
            )
        super().__setitem__(name, value)


class HeaderOverride(dict[str, str]):
    """`$context.responseOverride.header`: names without regard to case, values as text."""

    def __setitem__(self, name: str, value: Json) -> None:
        if name.lower() in map(str.lower, self):
            raise ValueError(f"$context.responseOverride.header.{name} is set twice")
        super().__setitem__(name, str(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """A rendered template, and what it overrode."""

    text: str
    status: int | None
    headers: Mapping[str, str]


def render(
    template: str, *, source: Input, context: Mapping[str, Json], stage_variables: Mapping[str, str]
) -> Rendering:
    """Render one mapping template. Raises RenderError, with the reason in its message."""
    if "$" not in template and "#" not in template:
        return Rendering(text=template, status=None, headers={})
    override = ResponseOverride()
    namespace = {
        "input": source,
        "util": UTIL,
        "context": {**context, "responseOverride": override},
        "stageVariables": stage_variables,
    }
    try:
        text = compiled(template).merge(namespace)
    except Exception as error:
        # airspeed lets whatever a template's expression raised through (TypeError, re.error ...).
        raise RenderError(f"{type(error).__name__}: {error}") from error
    return Rendering(text=text, status=override.get("status"), headers=override["header"])


@lru_cache(maxsize=1024)
def compiled(template: str) -> Any:  # noqa: ANN401 (airspeed has no types)
    """Parse a template once: 60-290 µs, against 5-24 µs to render it again."""
    install_java_strings()
    parsed = airspeed.Template(template)
    parsed.ensure_compiled()
    return parsed


@lru_cache(maxsize=1)
def install_java_strings() -> None:
    """Give airspeed's strings the methods of java.lang.String that templates use.

    airspeed's table of additional methods is its way to be extended; its own `matches` accepts a
    prefix, Java's only the whole string.
    """
    strings = cast("dict[type, dict[str, Callable[..., Json]]]", airspeed.__additional_methods__)
    strings[str].update(
        {
            "matches": lambda text, pattern: re.fullmatch(java_regex(pattern), text) is not None,
            "replaceAll": lambda text, pattern, new: re.sub(
                java_regex(pattern), re.sub(r"\$(\d)", r"\\g<\1>", new), text
            ),
            "isEmpty": lambda text: not text,
            "equals": lambda text, other: text == other,
            "endsWith": lambda text, end: text.endswith(end),
            "startsWith": lambda text, start: text.startswith(start),
            "indexOf": lambda text, part: text.find(part),
            "substring": lambda text, start, end=None: text[start:end],
            "trim": lambda text: text.strip(),
            "toLowerCase": lambda text: text.lower(),
            "toUpperCase": lambda text: text.upper(),
            "toString": lambda text: text,
        }
    )
    for java, python in ((json_values.JavaMap, dict), (json_values.JavaList, list)):
        strings[java] = {**strings[python], "get": lambda values, key: values[key]}


@lru_cache(maxsize=1024)
def java_regex(pattern: str) -> re.Pattern[str]:
    """Compile the part of java.util.regex that Python spells alike; classes are ASCII there."""
    return re.compile(pattern, re.ASCII)
