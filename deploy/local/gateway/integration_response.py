"""The integration response: what DynamoDB's answer becomes for the caller.

AWS: "Set up an integration response using the API Gateway console", "Amazon API Gateway API request
and response data mapping reference", "Override your API's request and response parameters and
status codes".
"""

from collections.abc import Mapping

from deploy.local.engines.engine import EngineAnswer
from deploy.local.gateway import vtl
from deploy.local.gateway.answers import GatewayAnswer, Refusal, Refused
from deploy.local.gateway.configuration import Integration
from deploy.local.gateway.context import Context
from deploy.local.gateway.mappings import Backend, response_value, set_header
from deploy.local.gateway.parameters import Parameters
from deploy.local.gateway.velocity import RenderError


def method_answer(
    integration: Integration,
    answer: EngineAnswer,
    *,
    accept: str,
    parameters: Parameters,
    context: Context,
    variables: Mapping[str, str],
) -> GatewayAnswer:
    """Turn the backend's answer into the caller's. Raises Refused, RenderError."""
    response = integration.response_for(answer.status)
    if response is None:
        raise Refused(
            Refusal.CONFIGURATION,
            f"no integration response matches status {answer.status}, and there is no default",
        )
    content_type, template = response.template_for(accept)
    context.backend_headers = answer.headers
    headers = {"Content-Type": content_type, **response.static_headers}
    body = answer.body
    try:
        if response.mapped_headers:
            backend = Backend(answer.headers, answer.body)
            for mapping in response.mapped_headers:
                value = response_value(
                    mapping, backend=backend, context=context, variables=variables
                )
                if value is not None:
                    set_header(headers, mapping.header, value)
        if template is not None:
            body = vtl.render(
                template,
                source=lambda: vtl.Input(answer.body.decode("utf-8", "replace"), parameters),
                context=context,
                stage_variables=variables,
            ).encode()
        status = overridden(response.status, headers, context)
    except RenderError as error:
        raise RenderError(f"the integration response {response.status}: {error}") from error
    return GatewayAnswer(status=status, headers=headers, body=body)


def overridden(status: int, headers: dict[str, str], context: Context) -> int:
    """Put the template's overrides over the headers, and return its status or this one."""
    override = context.response_override
    if override is None:
        return status
    for name, value in override.header.values.items():
        set_header(headers, name, value)
    return status if override.status is None else override.status
