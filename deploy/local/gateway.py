"""The execute-api data plane: one request in, one DynamoDB action, one answer out.

The order of things is API Gateway's: method, authorization, request template, integration,
selection pattern, response template, overrides. AWS: "REST API integrations", "Mapping template
transformations for REST APIs in API Gateway".
"""

import logging
import re
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from deploy.local import answers, vtl
from deploy.local.access import ApiKey
from deploy.local.admission import Admission
from deploy.local.answers import JSON_TYPE, GatewayAnswer, Refusal, Refused
from deploy.local.configuration import (
    DeployedApi,
    Integration,
    IntegrationResponse,
    Method,
)
from deploy.local.engine import Call, Engine, EngineAnswer
from deploy.local.json_values import Json
from deploy.local.reader import ConfigurationReader

log = logging.getLogger(__name__)

SERVICE_URI = re.compile(
    r"arn:aws[\w-]*:apigateway:(?P<region>[\w-]+):dynamodb:action/(?P<action>\w+)"
)
ROLE = re.compile(r"arn:aws[\w-]*:iam::(?P<account>\d{12}):role/.+")
HEADER = "method.response.header."
BACKEND_HEADER = "integration.response.header."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to a deployed API; `path` is below the stage and percent-decoded."""

    api_id: str
    stage: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    too_large: bool = False


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request on its way through the pipeline."""

    request: Request
    request_id: str
    context: dict[str, Json] = field(default_factory=dict)
    api: DeployedApi | None = None
    api_key: ApiKey | None = None
    """The one that came with it, if the method wants one."""


class Gateway:
    """Answers requests to deployed APIs."""

    def __init__(
        self, configurations: ConfigurationReader, engine: Engine, admission: Admission
    ) -> None:
        self._configurations = configurations
        self._admission = admission
        self._engine = engine

    async def answer(self, request: Request) -> GatewayAnswer:
        """Answer one request; never raises."""
        exchange = Exchange(request=request, request_id=str(uuid.uuid4()))
        try:
            answer = await self._pipeline(exchange)
        except Refused as refused:
            answer = self._refuse(exchange, refused.refusal)
        except vtl.RenderError as error:
            log.error("%s %s: template failed: %s", request.method, request.path, error)  # noqa: TRY400
            answer = self._refuse(exchange, Refusal.CONFIGURATION)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            answer = self._refuse(exchange, Refusal.CONFIGURATION)
        identity = {
            "x-amzn-RequestId": exchange.request_id,
            "x-amz-apigw-id": secrets.token_urlsafe(11) + "=",
        }
        return GatewayAnswer(
            status=answer.status, headers={**answer.headers, **identity}, body=answer.body
        )

    def _refuse(self, exchange: Exchange, refusal: Refusal) -> GatewayAnswer:
        context = {**exchange.context, "requestId": exchange.request_id}
        return answers.answer_for(refusal, api=exchange.api, context=context)

    async def _pipeline(self, exchange: Exchange) -> GatewayAnswer:
        request = exchange.request
        api = self._configurations.cached(request.api_id, request.stage)
        if api is None:
            api = await self._configurations.read(request.api_id, request.stage)
        exchange.api = api
        if api is None:
            raise Refused(Refusal.FORBIDDEN)
        method, path_parameters = method_for(api, request)
        check_authorization(method)
        exchange.api_key = self._admission.admit(api, method, request.headers)
        if request.too_large:
            raise Refused(Refusal.TOO_LARGE)
        exchange.context = context_of(exchange, method)
        integration = method.integration
        if integration is None:
            raise Refused(Refusal.CONFIGURATION)
        parameters = {
            "path": path_parameters,
            "querystring": request.query,
            "header": request.headers,
        }
        body = request_body(integration, exchange, api, parameters)
        backend = await self._integrate(integration, body)
        return mapped(integration, exchange, api, backend, parameters)

    async def _integrate(self, integration: Integration, body: str) -> EngineAnswer:
        target = service_target(integration.kind, integration.uri, integration.credentials)
        if target is None:
            log.error("not a DynamoDB integration: %s %s", integration.kind, integration.uri)
            raise Refused(Refusal.CONFIGURATION)
        action, region, account = target
        call = Call(action=action, region=region, account=account, body=body.encode())
        try:
            return await self._engine.call(call, timeout_s=integration.timeout_ms / 1000)
        except TimeoutError:
            raise Refused(Refusal.TIMED_OUT) from None
        except ConnectionError as error:
            log.warning("the backend gave no answer: %s", error)
            raise Refused(Refusal.INTEGRATION_FAILED) from None


@lru_cache(maxsize=256)
def service_target(kind: str, uri: str, credentials: str) -> tuple[str, str, str] | None:
    """Return the action, region and account of a DynamoDB integration, None for any other."""
    target = SERVICE_URI.fullmatch(uri)
    role = ROLE.fullmatch(credentials)
    if kind != "AWS" or target is None or role is None:
        return None
    return target["action"], target["region"], role["account"]


def method_for(api: DeployedApi, request: Request) -> tuple[Method, Mapping[str, str]]:
    """Find the method; an unknown path and an unknown method get the same answer, as on AWS."""
    found = api.definition.resource_for(request.path)
    if found is None:
        raise Refused(Refusal.MISSING_TOKEN)
    resource, path_parameters = found
    method = resource.methods.get(request.method) or resource.methods.get("ANY")
    if method is None:
        raise Refused(Refusal.MISSING_TOKEN)
    return method, path_parameters


def check_authorization(method: Method) -> None:
    """Refuse what would need a signature or a token: this gateway checks none of them."""
    if method.authorization == "AWS_IAM":
        raise Refused(Refusal.MISSING_TOKEN)
    if method.authorization != "NONE":
        raise Refused(Refusal.UNAUTHORIZED)


def context_of(exchange: Exchange, method: Method) -> dict[str, Json]:
    """Build `$context`."""
    request = exchange.request
    key = exchange.api_key
    return {
        "requestId": exchange.request_id,
        "extendedRequestId": exchange.request_id,
        "apiId": request.api_id,
        "stage": request.stage,
        "httpMethod": request.method,
        "resourcePath": method.resource_path,
        "path": f"/{request.stage}{request.path}",
        "protocol": "HTTP/1.1",
        "requestTimeEpoch": time.time_ns() // 1_000_000,
        "identity": {
            "sourceIp": request.source_ip,
            "userAgent": request.headers.get("User-Agent", ""),
            **({} if key is None else {"apiKey": key.value, "apiKeyId": key.id}),
        },
    }


def request_body(
    integration: Integration,
    exchange: Exchange,
    api: DeployedApi,
    parameters: Mapping[str, Mapping[str, str]],
) -> str:
    """Render the request template of the request's content type, or pass the body through."""
    request = exchange.request
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    template = integration.request_templates.get(content_type or JSON_TYPE)
    try:
        body = request.body.decode()
    except UnicodeDecodeError:
        body = request.body.decode("utf-8", "replace")
    if template is None:
        unmapped_passes = integration.passthrough == "WHEN_NO_MATCH" or (
            integration.passthrough == "WHEN_NO_TEMPLATES" and not integration.request_templates
        )
        if not unmapped_passes:
            raise Refused(Refusal.UNSUPPORTED_TYPE)
        return body
    return vtl.render(
        template,
        source=vtl.Input(body, parameters),
        context=exchange.context,
        stage_variables=api.variables,
    ).text


def mapped(
    integration: Integration,
    exchange: Exchange,
    api: DeployedApi,
    backend: EngineAnswer,
    parameters: Mapping[str, Mapping[str, str]],
) -> GatewayAnswer:
    """Turn the backend's answer into the caller's."""
    response = integration.response_for(backend.status)
    if response is None:
        log.error(
            "no integration response matches status %d, and there is no default", backend.status
        )
        raise Refused(Refusal.CONFIGURATION)
    content_type, template = response_template(response)
    headers = {"Content-Type": content_type}
    status, body = response.status, backend.body
    headers.update(mapped_headers(response, backend))
    if template is not None:
        rendering = vtl.render(
            template,
            source=vtl.Input(backend.body.decode("utf-8", "replace"), parameters),
            context=exchange.context,
            stage_variables=api.variables,
        )
        body = rendering.text.encode()
        status = response.status if rendering.status is None else rendering.status
        headers.update(rendering.headers)
    return GatewayAnswer(status=status, headers=headers, body=body)


def response_template(response: IntegrationResponse) -> tuple[str, str | None]:
    """Choose the response template: application/json, else the first, else the body as it is."""
    if JSON_TYPE in response.templates:
        return JSON_TYPE, response.templates[JSON_TYPE]
    return next(iter(response.templates.items()), (JSON_TYPE, None))


def mapped_headers(response: IntegrationResponse, backend: EngineAnswer) -> dict[str, str]:
    """Map header parameters: a quoted constant, or a header of the backend's."""
    headers = {}
    for name, source in response.parameters.items():
        if not name.startswith(HEADER):
            continue
        if source.startswith("'"):
            headers[name.removeprefix(HEADER)] = source[1:-1]
        elif source.startswith(BACKEND_HEADER):
            value = backend.headers.get(source.removeprefix(BACKEND_HEADER).lower())
            if value is not None:
                headers[name.removeprefix(HEADER)] = value
    return headers
