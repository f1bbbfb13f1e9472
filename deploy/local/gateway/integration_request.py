"""The integration request: what a method request becomes for DynamoDB.

AWS: "Integration passthrough behaviors", "Mapping template transformations for REST APIs in API
Gateway", "API Gateway stage variables reference".
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from deploy.local.engines.engine import Call
from deploy.local.gateway import vtl
from deploy.local.gateway.answers import Refusal, Refused
from deploy.local.gateway.configuration import JSON_TYPE, Integration
from deploy.local.gateway.context import Context
from deploy.local.gateway.parameters import Parameters
from deploy.local.gateway.velocity import RenderError

SERVICE_URI = re.compile(
    r"arn:aws[\w-]*:apigateway:(?P<region>[\w-]+):dynamodb:action/(?P<action>\w+)"
)
ROLE = re.compile(r"arn:aws[\w-]*:iam::(?P<account>\d{12}):role/.+")
STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")


def integration_call(
    integration: Integration,
    *,
    body: bytes,
    content_type: str,
    parameters: Parameters,
    context: Context,
    variables: Mapping[str, str],
) -> Call:
    """Build the DynamoDB call of a request. Raises Refused, RenderError."""
    action, region, account = target_of(integration, variables)
    text = mapped_body(
        integration,
        body=body,
        content_type=content_type,
        parameters=parameters,
        context=context,
        variables=variables,
    )
    return Call(action=action, region=region, account=account, body=text)


def target_of(integration: Integration, variables: Mapping[str, str]) -> tuple[str, str, str]:
    """Return an integration's action, region and account. Raises Refused."""
    uri, credentials = integration.uri, integration.credentials
    if "${stageVariables." in uri or "${stageVariables." in credentials:
        uri = STAGE_VARIABLE.sub(lambda name: variables.get(name[1], ""), uri)
        credentials = STAGE_VARIABLE.sub(lambda name: variables.get(name[1], ""), credentials)
    target = service_target(integration.kind, uri, credentials)
    if target is None:
        raise Refused(
            Refusal.CONFIGURATION,
            "only an AWS integration of a DynamoDB action, with a role for credentials, is "
            f"emulated: found {integration.kind} {uri!r} with {credentials!r}",
        )
    return target


@lru_cache(maxsize=256)
def service_target(kind: str, uri: str, credentials: str) -> tuple[str, str, str] | None:
    """Return the action, region and account of a DynamoDB integration, None for any other."""
    target = SERVICE_URI.fullmatch(uri)
    role = ROLE.fullmatch(credentials)
    if kind != "AWS" or target is None or role is None:
        return None
    return target["action"], target["region"], role["account"]


def mapped_body(
    integration: Integration,
    *,
    body: bytes,
    content_type: str,
    parameters: Parameters,
    context: Context,
    variables: Mapping[str, str],
) -> bytes:
    """Render the template of the request's content type, or pass the body through."""
    mime_type = content_type.partition(";")[0].strip().lower() if content_type else JSON_TYPE
    template = integration.request_templates.get(mime_type or JSON_TYPE)
    if template is None:
        unmapped_passes = integration.passthrough == "WHEN_NO_MATCH" or (
            integration.passthrough == "WHEN_NO_TEMPLATES" and not integration.request_templates
        )
        if not unmapped_passes:
            raise Refused(Refusal.UNSUPPORTED_TYPE)
        return body
    payload = vtl.Input(body.decode("utf-8", "replace"), parameters)
    try:
        text = vtl.render(
            template, source=lambda: payload, context=context, stage_variables=variables
        )
    except RenderError as error:
        if payload.unreadable:
            raise Refused(Refusal.UNREADABLE_BODY, f"{mime_type}: {error}") from None
        raise RenderError(f"the request template for {mime_type}: {error}") from error
    if context.response_override is not None and context.response_override.used:
        raise RenderError(
            f"the request template for {mime_type}: $context.responseOverride is for responses"
        )
    return text.encode()
