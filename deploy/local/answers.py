"""What the gateway answers by itself, without or instead of the integration's answer.

AWS: "Gateway response types for API Gateway". Gateway responses are not Velocity: a template may
only name `$context` and `$stageVariables` variables, which are put in as text.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from deploy.local.configuration import DeployedApi
from deploy.local.json_values import Json

JSON_TYPE = "application/json"
UNCHANGED_TEMPLATE = '{"message":$context.error.messageString}'
"""What a gateway response has for a template unless that was customised too."""
VARIABLE = re.compile(r"\$(context(?:\.[A-Za-z]+)+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAnswer:
    """One whole answer to the caller."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Refusal(Enum):
    """Why the gateway answers by itself: response type, status, message, error type."""

    FORBIDDEN = ("ACCESS_DENIED", 403, "Forbidden", "ForbiddenException")
    MISSING_TOKEN = (
        "MISSING_AUTHENTICATION_TOKEN",
        403,
        "Missing Authentication Token",
        "MissingAuthenticationTokenException",
    )
    INVALID_KEY = ("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException")
    THROTTLED = ("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException")
    QUOTA_EXCEEDED = ("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException")
    UNAUTHORIZED = ("UNAUTHORIZED", 401, "Unauthorized", "UnauthorizedException")
    TOO_LARGE = ("REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLargeException")
    UNSUPPORTED_TYPE = (
        "UNSUPPORTED_MEDIA_TYPE",
        415,
        "Unsupported Media Type",
        "BadRequestException",
    )
    CONFIGURATION = (
        "API_CONFIGURATION_ERROR",
        500,
        "Internal server error",
        "InternalServerErrorException",
    )
    INTEGRATION_FAILED = (
        "INTEGRATION_FAILURE",
        504,
        "Internal server error",
        "InternalServerErrorException",
    )
    TIMED_OUT = (
        "INTEGRATION_TIMEOUT",
        504,
        "Endpoint request timed out",
        "InternalServerErrorException",
    )

    @property
    def status(self) -> int:
        """The status unless a gateway response customises it."""
        return self.value[1]


class Refused(Exception):  # noqa: N818 (not an error: an answer)
    """Ends the pipeline with an answer of the gateway's own."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.name)
        self.refusal = refusal


def answer_for(
    refusal: Refusal, *, api: DeployedApi | None, context: Mapping[str, Json]
) -> GatewayAnswer:
    """Build the gateway's own answer, with what the API customised in it."""
    kind, status, message, error_type = refusal.value
    headers = {"Content-Type": JSON_TYPE, "x-amzn-ErrorType": error_type}
    # AWS writes this one with a space after the colon; the others without.
    space = " " if refusal is Refusal.TIMED_OUT else ""
    body = f'{{"message":{space}{json.dumps(message)}}}'
    family = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"  # noqa: PLR2004
    responses = api.definition.gateway_responses if api is not None else {}
    custom = responses.get(kind) or responses.get(family)
    if custom is not None:
        status = custom.status or status
        headers.update(custom.headers)
        error = {"message": message, "messageString": json.dumps(message), "responseType": kind}
        template = custom.templates.get(JSON_TYPE)
        if template and template != UNCHANGED_TEMPLATE:
            body = substituted(template, {**context, "error": error})
    return GatewayAnswer(status=status, headers=headers, body=body.encode())


def substituted(template: str, context: Mapping[str, Json]) -> str:
    """Put the context's variables into a gateway response's template."""

    def value(match: re.Match[str]) -> str:
        found: Json = {"context": context}
        for name in match[1].split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return "" if found is None else str(found)

    return VARIABLE.sub(value, template)
