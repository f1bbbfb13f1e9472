"""The integration response: what DynamoDB's answer becomes for the caller.

AWS: "Set up an integration response using the API Gateway console", "Amazon API Gateway API request
and response data mapping reference", "Override your API's request and response parameters and
status codes".
"""

from collections.abc import Mapping

from deploy.local import vtl
from deploy.local.answers import GatewayAnswer, Refusal, Refused
from deploy.local.configuration import Integration
from deploy.local.context import Context
from deploy.local.engine import EngineAnswer
from deploy.local.mappings import Backend, response_value, set_header
from deploy.local.parameters import Parameters
from deploy.local.velocity import RenderError


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
    headers = {"Content-Type": content_type}
    status, body = response.status, answer.body
    try:
        for name, value in response.static_headers.items():
            set_header(headers, name, value)
        if response.mapped_headers:
            backend = Backend(answer.headers, answer.body)
            for mapping in response.mapped_headers:
                found = response_value(
                    mapping, backend=backend, context=context, variables=variables
                )
                if found is not None:
                    set_header(headers, mapping.header, found)
        if template is not None:
            rendering = vtl.render(
                template,
                source=lambda: vtl.Input(answer.body.decode("utf-8", "replace"), parameters),
                context=context,
                stage_variables=variables,
            )
            body = rendering.text.encode()
            if rendering.status is not None:
                status = rendering.status
            for name, value in rendering.headers.items():
                set_header(headers, name, value)
    except RenderError as error:
        raise RenderError(f"the integration response {response.status}: {error}") from error
    return GatewayAnswer(status=status, headers=headers, body=body)
