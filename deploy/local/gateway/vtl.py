"""Mapping templates: Velocity with API Gateway's `$input`, `$util`, `$context`, `$stageVariables`.

AWS: "API Gateway mapping template and access logging variable reference".
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import ClassVar
from urllib.parse import quote_plus, unquote_plus

from deploy.local import json_values
from deploy.local.gateway import jsonpath
from deploy.local.gateway.context import Context
from deploy.local.gateway.parameters import Parameters
from deploy.local.gateway.velocity import Exposed, ReadOnlyMap, RenderError, compiled
from deploy.local.json_values import Json

EMPTY_BODY = "{}"
"""What an empty payload shows as."""
MISSING = object()


class Input(Exposed):
    """`$input`: the payload the template maps, and the method request's parameters."""

    NAME: ClassVar[str] = "input"
    METHODS: ClassVar[frozenset[str]] = frozenset({"path", "json", "params"})
    PROPERTIES: ClassVar[frozenset[str]] = frozenset({"body"})

    def __init__(self, body: str, parameters: Parameters) -> None:
        self.body = body or EMPTY_BODY
        self._parameters = parameters
        self._document: Json = None
        self._parsed = False
        self.unreadable = False
        """Whether a template asked for a value of a payload that is not JSON."""

    def path(self, path: str) -> Json:
        """Return the value at a JSONPath, None if there is none."""
        return jsonpath.find(self._payload(), path)

    def json(self, path: str) -> str:
        """Return the value at a JSONPath as JSON text.

        Raises RenderError if there is none: AWS does not say what it writes then.
        """
        found = jsonpath.find(self._payload(), path, missing=MISSING)
        if found is MISSING:
            raise RenderError(f"nothing is at {path}, and what json() gives then is not documented")
        return json_values.dump(found)

    def _payload(self) -> Json:
        if not self._parsed:
            try:
                self._document = json_values.parse(self.body)
            except ValueError as error:
                self.unreadable = True
                raise RenderError(f"the payload is not JSON: {error}") from None
            self._parsed = True
        return self._document

    def params(self, name: str | None = None) -> Json:
        """Return all parameters by kind, or the first of one name in path, query, header."""
        if name is None:
            return self._parameters.by_kind()
        return self._parameters.first(name)


class Util(Exposed):
    """`$util`: the functions API Gateway offers to templates, under their AWS names."""

    NAME: ClassVar[str] = "util"
    METHODS: ClassVar[frozenset[str]] = frozenset(
        {
            "escapeJavaScript",
            "parseJson",
            "urlEncode",
            "urlDecode",
            "base64Encode",
            "base64Decode",
        }
    )

    def escapeJavaScript(self, text: Json) -> str:  # noqa: N802 (AWS's name)
        """Escape for a JavaScript string: like JSON, and a single quote and a slash too."""
        return json.dumps(printed(text))[1:-1].replace("'", "\\'").replace("/", "\\/")

    def parseJson(self, text: str) -> Json:  # noqa: N802
        """Parse JSON text."""
        return json_values.parse(text)

    def urlEncode(self, text: Json) -> str:  # noqa: N802
        """Encode as application/x-www-form-urlencoded."""
        return quote_plus(printed(text), safe="*").replace("~", "%7E")

    def urlDecode(self, text: Json) -> str:  # noqa: N802
        """Decode application/x-www-form-urlencoded."""
        return unquote_plus(printed(text), errors="strict")

    def base64Encode(self, text: Json) -> str:  # noqa: N802
        """Encode UTF-8 text as base64."""
        return base64.b64encode(printed(text).encode()).decode("ascii")

    def base64Decode(self, text: Json) -> str:  # noqa: N802
        """Decode base64 to UTF-8 text."""
        return base64.b64decode(printed(text), validate=True).decode()


def printed(value: Json) -> str:
    """Return a string. Raises RenderError for anything else, of which AWS says nothing."""
    if not isinstance(value, str):
        raise RenderError(f"a string is expected, found {value!r}")
    return value


UTIL = Util()


def render(
    template: str,
    *,
    source: Callable[[], Input],
    context: Context,
    stage_variables: Mapping[str, str],
) -> str:
    """Render one mapping template; what it overrides is kept in `context`.

    `source` is asked only if the template reads the payload or the parameters. Raises RenderError,
    with the reason in its message.
    """
    if "$" not in template and "#" not in template:
        return template
    parsed = compiled(template)
    roots = parsed.roots
    variables: dict[str, Json] = {"util": UTIL, "context": context}
    if "input" in roots:
        variables["input"] = source()
    if "stageVariables" in roots:
        variables["stageVariables"] = ReadOnlyMap(stage_variables)
    return parsed.render(variables)
