"""What the gateway answers by itself, without or instead of the integration's answer.

AWS: "Gateway response types for API Gateway", "Gateway responses in API Gateway". Gateway responses
are not Velocity: a template may only name `$context` and `$stageVariables` variables, which are put
in as text; one that has no value leaves nothing (AWS does not say what it leaves).
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from deploy.local.gateway.configuration import JSON_TYPE, DeployedApi, GatewayResponse
from deploy.local.gateway.context import Context
from deploy.local.gateway.mappings import gateway_value, set_header
from deploy.local.gateway.parameters import Parameters
from deploy.local.gateway.velocity import RenderError
from deploy.local.json_values import Json, dump

log = logging.getLogger(__name__)

UNCHANGED_TEMPLATE = '{"message":$context.error.messageString}'
"""What a gateway response has for a template unless that was customised too."""
VARIABLE = re.compile(r"\$(?:context((?:\.[\w-]+)+)|stageVariables\.([\w-]+))", re.ASCII)
ERROR_PREFIX = "error."
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAnswer:
    """One whole answer to the caller."""

    status: int
    headers: dict[str, str]
    """Its own: whoever sends the answer may add to them."""
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
    UNREADABLE_BODY = (
        "DEFAULT_4XX",
        400,
        "Could not parse request body into json",
        "BadRequestException",
    )
    """AWS's mapping reference says no more than "400"; the message is from a public report
    (serverless/serverless#2270), and so is that it has no response type of its own."""
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
    def response_type(self) -> str:
        """The type under which an API customises it."""
        return self.value[0]

    @property
    def status(self) -> int:
        """The status unless a gateway response customises it."""
        return self.value[1]


class Refused(Exception):  # noqa: N818 (not an error: an answer)
    """Ends the pipeline with an answer of the gateway's own."""

    def __init__(self, refusal: Refusal, reason: str = "") -> None:
        super().__init__(refusal.name)
        self.refusal = refusal
        self.reason = reason
        """What the log should say of it, if anything."""


def answer_for(
    refusal: Refusal, *, api: DeployedApi | None, parameters: Parameters, context: Context
) -> GatewayAnswer:
    """Build the gateway's own answer, with what the API customised in it."""
    kind, status, message, error_type = refusal.value
    headers = {"Content-Type": JSON_TYPE, "x-amzn-ErrorType": error_type}
    custom = customised(refusal, api)
    if custom is None or api is None:
        return GatewayAnswer(status=status, headers=headers, body=default_body(refusal))
    for mapping in custom.headers:
        value = gateway_value(
            mapping, parameters=parameters, context=context, variables=api.variables
        )
        if value is not None:
            try:
                set_header(headers, mapping.header, value)
            except RenderError as error:
                log.error("gateway response %s: %s", kind, error)  # noqa: TRY400 (all is said)
    content_type, template = template_of(custom)
    if template == UNCHANGED_TEMPLATE:
        body = default_body(refusal)
    else:
        set_header(headers, "Content-Type", content_type)
        said = {"message": message, "messageString": json.dumps(message), "responseType": kind}
        body = substituted(template, context, said, api.variables).encode()
    return GatewayAnswer(status=custom.status or status, headers=headers, body=body)


def customised(refusal: Refusal, api: DeployedApi | None) -> GatewayResponse | None:
    """Find the response type's own customisation, else that of all 4XX or all 5XX."""
    if api is None:
        return None
    responses = api.definition.gateway_responses
    family = "DEFAULT_4XX" if refusal.status < SERVER_ERROR else "DEFAULT_5XX"
    return responses.get(refusal.response_type) or responses.get(family)


def default_body(refusal: Refusal) -> bytes:
    """Write the message as API Gateway does."""
    _, _, message, _ = refusal.value
    # AWS writes this one with a space after the colon; the others without.
    space = " " if refusal is Refusal.TIMED_OUT else ""
    return f'{{"message":{space}{json.dumps(message)}}}'.encode()


def template_of(response: GatewayResponse) -> tuple[str, str]:
    """Choose a gateway response's template: for JSON, else the first."""
    templates = response.templates
    if not templates:
        return JSON_TYPE, UNCHANGED_TEMPLATE
    content_type = JSON_TYPE if JSON_TYPE in templates else next(iter(templates))
    return content_type, templates[content_type]


def substituted(
    template: str, context: Context, error: Mapping[str, str], variables: Mapping[str, str]
) -> str:
    """Put variables into a gateway response's template."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return variables.get(match[2], "")
        name = match[1].removeprefix(".")
        if name.startswith(ERROR_PREFIX):
            return error.get(name.removeprefix(ERROR_PREFIX), "")
        found: Json = context.find(name)
        if found is None or isinstance(found, str):
            return found or ""
        return dump(found)

    return VARIABLE.sub(value, template)
