"""What parameter mappings give for one request: the values of an answer's headers.

AWS: "Amazon API Gateway API request and response data mapping reference".
"""

from collections.abc import Mapping
from functools import cached_property

from deploy.local import json_values
from deploy.local.gateway import jsonpath
from deploy.local.gateway.context import Context
from deploy.local.gateway.header_mapping import RESERVED, UNFIT, HeaderMapping
from deploy.local.gateway.parameters import Parameters
from deploy.local.gateway.velocity import RenderError
from deploy.local.json_values import Json


class Backend:
    """The integration's answer, as mappings read it."""

    def __init__(self, headers: Mapping[str, str], body: bytes) -> None:
        self.headers = headers
        self.body = body

    @cached_property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def document(self) -> Json:
        """The body as JSON. Raises RenderError."""
        try:
            return json_values.parse(self.text)
        except ValueError as error:
            raise RenderError(f"the backend's body is not JSON: {error}") from None


def response_value(
    mapping: HeaderMapping, *, backend: Backend, context: Context, variables: Mapping[str, str]
) -> str | None:
    """Give the value of an integration response's header, None to leave it out."""
    kind, name = mapping.kind, mapping.name
    if kind == "integration.response.body":
        if not name:
            return backend.text
        return as_text(jsonpath.find(backend.document, f"$.{name}"))
    if kind.startswith("integration.response."):
        return backend.headers.get(name.lower())
    return common_value(mapping, context=context, variables=variables)


def gateway_value(
    mapping: HeaderMapping,
    *,
    parameters: Parameters,
    context: Context,
    variables: Mapping[str, str],
) -> str | None:
    """Give the value of a gateway response's header, None to leave it out."""
    if mapping.kind.startswith("method.request."):
        return parameters.get(mapping.kind.removeprefix("method.request."), mapping.name)
    return common_value(mapping, context=context, variables=variables)


def common_value(
    mapping: HeaderMapping, *, context: Context, variables: Mapping[str, str]
) -> str | None:
    """Give what both kinds of answers can map."""
    if mapping.kind == "static":
        return mapping.name
    if mapping.kind == "context":
        return as_text(context.find(mapping.name))
    return variables.get(mapping.name)


def as_text(value: Json) -> str | None:
    """Write a value into a header: a string as it is, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json_values.dump(value)


def set_header(headers: dict[str, str], name: str, value: str) -> None:
    """Set a header in place of the same one in other letters. Raises RenderError if unfit."""
    if name.lower() in RESERVED or UNFIT.search(value):
        raise RenderError(f"the header {name} cannot be set to {value!r}")
    for other in headers:
        if other.lower() == name.lower():
            del headers[other]
            break
    headers[name] = value
