"""The execute-api data plane: one request in, one DynamoDB action, one answer out.

The order of things is API Gateway's: method, authorization, request template, integration,
selection pattern, response template, overrides. AWS: "REST API integrations", "Mapping template
transformations for REST APIs in API Gateway".
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.local.engines.engine import Call, Engine, EngineAnswer
from deploy.local.gateway import answers
from deploy.local.gateway.access import ApiKey
from deploy.local.gateway.admission import Admission
from deploy.local.gateway.answers import GatewayAnswer, Refusal, Refused
from deploy.local.gateway.configuration import DeployedApi, Integration, Method, Resource
from deploy.local.gateway.context import Context, RequestIds
from deploy.local.gateway.integration_request import integration_call
from deploy.local.gateway.integration_response import method_answer
from deploy.local.gateway.parameters import Parameters
from deploy.local.gateway.reader import ConfigurationReader
from deploy.local.gateway.request import Request
from deploy.local.gateway.velocity import RenderError

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request on its way through the pipeline, and what is known of it so far."""

    request: Request
    ids: tuple[str, str]
    """The request id and the extended request id."""
    api: DeployedApi | None = None
    api_key: ApiKey | None = None
    """The one that came with it, if the method wants one."""
    resource: Resource | None = None
    path_parameters: Mapping[str, str] = field(default_factory=dict)

    def context(self) -> Context:
        """Build `$context`."""
        return Context(
            request=self.request,
            api=self.api,
            resource=self.resource,
            api_key=self.api_key,
            ids=self.ids,
        )

    def parameters(self) -> Parameters:
        """Gather the request's parameters."""
        request = self.request
        return Parameters(path=self.path_parameters, query=request.query, header=request.headers)


class Gateway:
    """Answers requests to deployed APIs."""

    def __init__(
        self, configurations: ConfigurationReader, engine: Engine, admission: Admission
    ) -> None:
        self._configurations = configurations
        self._admission = admission
        self._engine = engine
        self._ids = RequestIds()

    async def answer(self, request: Request) -> GatewayAnswer:
        """Answer one request; never raises."""
        exchange = Exchange(request=request, ids=self._ids.next())
        try:
            answer = await self._pipeline(exchange)
        except Refused as refused:
            if refused.reason:
                log.error("%s %r: %s", request.method, request.path, printable(refused.reason))  # noqa: TRY400 (all is said)
            answer = refuse(exchange, refused.refusal)
        except RenderError as error:
            why = printable(str(error))
            log.error("%s %r: template failed: %s", request.method, request.path, why)  # noqa: TRY400 (all is said)
            answer = refuse(exchange, Refusal.CONFIGURATION)
        except Exception:
            log.exception("%s %r failed", request.method, request.path)
            answer = refuse(exchange, Refusal.CONFIGURATION)
        answer.headers["x-amzn-RequestId"], answer.headers["x-amz-apigw-id"] = exchange.ids
        return answer

    async def _pipeline(self, exchange: Exchange) -> GatewayAnswer:
        request = exchange.request
        api = self._configurations.cached(request.api_id, request.stage)
        if api is None:
            api = await self._configurations.read(request.api_id, request.stage)
        exchange.api = api
        if api is None:
            raise Refused(Refusal.FORBIDDEN)
        method = method_for(exchange, api)
        check_authorization(method)
        exchange.api_key = self._admission.admit(api, method, request.headers)
        if request.too_large:
            raise Refused(Refusal.TOO_LARGE)
        integration = integration_of(method, api)
        context, parameters = exchange.context(), exchange.parameters()
        call = integration_call(
            integration,
            body=request.body,
            content_type=request.headers.get("Content-Type", ""),
            parameters=parameters,
            context=context,
            variables=api.variables,
        )
        return method_answer(
            integration,
            await self._run(call, integration.timeout_ms),
            accept=request.headers.get("Accept", ""),
            parameters=parameters,
            context=context,
            variables=api.variables,
        )

    async def _run(self, call: Call, timeout_ms: int) -> EngineAnswer:
        try:
            return await self._engine.call(call, timeout_s=timeout_ms / 1000)
        except TimeoutError:
            raise Refused(Refusal.TIMED_OUT) from None
        except ConnectionError as error:
            log.warning("the backend gave no answer: %s", error)
            raise Refused(Refusal.INTEGRATION_FAILED) from None


def printable(text: str) -> str:
    """Escape what is not printable: a request must not write lines of its own into the log."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def refuse(exchange: Exchange, refusal: Refusal) -> GatewayAnswer:
    """Let the gateway answer by itself."""
    return answers.answer_for(
        refusal,
        api=exchange.api,
        parameters=exchange.parameters(),
        context=exchange.context(),
    )


def method_for(exchange: Exchange, api: DeployedApi) -> Method:
    """Find the method; an unknown path and an unknown method get the same answer, as on AWS."""
    found = api.definition.resource_for(exchange.request.path)
    if found is None:
        raise Refused(Refusal.MISSING_TOKEN)
    exchange.resource, exchange.path_parameters = found
    methods = exchange.resource.methods
    method = methods.get(exchange.request.method) or methods.get("ANY")
    if method is None:
        raise Refused(Refusal.MISSING_TOKEN)
    return method


def check_authorization(method: Method) -> None:
    """Refuse what would need a signature or a token: this gateway checks none of them."""
    if method.authorization == "AWS_IAM":
        raise Refused(Refusal.MISSING_TOKEN)
    if method.authorization != "NONE":
        raise Refused(Refusal.UNAUTHORIZED)


def integration_of(method: Method, api: DeployedApi) -> Integration:
    """Return a method's integration. Raises Refused if it has none, or more than we emulate."""
    gaps = method.gaps or api.gaps or api.definition.gaps
    if gaps:
        raise Refused(Refusal.CONFIGURATION, "not emulated: " + "; ".join(gaps))
    if method.integration is None:
        raise Refused(Refusal.CONFIGURATION, "the method has no integration")
    return method.integration
