"""What a mapping template may set: `$context.requestOverride` and `$context.responseOverride`.

AWS: "Override your API's request and response parameters and status codes".
"""

from typing import ClassVar, Self

from deploy.local.gateway.velocity import Exposed, RenderError
from deploy.local.json_values import Json

STATUS_MIN, STATUS_MAX = 200, 599
"""A 1xx is no final answer: a client would go on waiting for one."""


class HeaderOverride(Exposed):
    """`$context.responseOverride.header`: names without regard to case, values as text."""

    NAME: ClassVar[str] = "context.responseOverride.header"

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def assign(self, name: str, value: Json) -> None:
        """Set one header, once."""
        if name.lower() in map(str.lower, self.values):
            raise RenderError(f"$context.responseOverride.header.{name} is set twice")
        if not isinstance(value, str):
            raise RenderError(f"$context.responseOverride.header.{name} = {value!r}: no string")
        self.values[name] = value


class ResponseOverride(Exposed):
    """`$context.responseOverride`: each parameter can be set once, or the answer is a 5XX.

    What AWS does not document, a status that is none, fails as well.
    """

    NAME: ClassVar[str] = "context.responseOverride"
    PROPERTIES: ClassVar[frozenset[str]] = frozenset({"header", "status"})

    def __init__(self) -> None:
        self.header = HeaderOverride()
        self.status: int | None = None

    @property
    def used(self) -> bool:
        """Whether anything was set."""
        return self.status is not None or bool(self.header.values)

    def assign(self, name: str, value: Json) -> None:
        """Set the status, once."""
        if name != "status":
            raise RenderError(f"$context.responseOverride.{name} is nothing to set")
        if self.status is not None:
            raise RenderError("$context.responseOverride.status is set twice")
        if type(value) is not int or not STATUS_MIN <= value <= STATUS_MAX:
            raise RenderError(
                f"$context.responseOverride.status is set to {value!r}, no HTTP status"
            )
        self.status = value


class RequestOverride(Exposed):
    """`$context.requestOverride`: a DynamoDB action has nothing of what it overrides."""

    NAME: ClassVar[str] = "context.requestOverride"
    PROPERTIES: ClassVar[frozenset[str]] = frozenset({"header", "path", "querystring"})

    @property
    def header(self) -> Self:
        """Stand for all three kinds."""
        return self

    path = querystring = header

    def assign(self, name: str, value: Json) -> None:
        """Refuse: the override would not reach DynamoDB."""
        raise RenderError(
            f"$context.requestOverride of {name} to {value!r}: it calls DynamoDB actions, "
            "which take no headers, path or query string"
        )
