"""One request through a gateway whose API and database are literals: for tables of cases.

What is configured is written as API Gateway's GetResources and GetGatewayResponses show it.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDict, MultiDict

from deploy.local.engines.engine import Call, EngineAnswer
from deploy.local.gateway import gaps
from deploy.local.gateway.admission import admission_for
from deploy.local.gateway.answers import GatewayAnswer
from deploy.local.gateway.configuration import (
    Definition,
    DeployedApi,
    gateway_responses_of,
    resources_of,
)
from deploy.local.gateway.pipeline import Gateway
from deploy.local.gateway.request import Request
from deploy.local.options import Limits

JSON_TYPE = "application/json"
ROLE = "arn:aws:iam::000000000000:role/any"
URI = "arn:aws:apigateway:us-east-1:dynamodb:action/PutItem"


def method(*responses: dict[str, Any], **integration: Any) -> dict[str, Any]:
    """Write a method of an AWS integration; each response's status and headers are declared."""
    found = responses or ({"statusCode": "200"},)
    return {
        "authorizationType": "NONE",
        "methodResponses": {
            response["statusCode"]: {
                "responseParameters": dict.fromkeys(response.get("responseParameters", {}), False)
            }
            for response in found
        },
        "methodIntegration": {
            "type": "AWS",
            "httpMethod": "POST",
            "uri": URI,
            "credentials": ROLE,
            "passthroughBehavior": "NEVER",
            "requestTemplates": {JSON_TYPE: "{}"},
            "integrationResponses": {response["statusCode"]: response for response in found},
            **integration,
        },
    }


def response(template: str | None = None, status: str = "200", **more: Any) -> dict[str, Any]:
    """Write an integration response."""
    templates = {} if template is None else {JSON_TYPE: template}
    return {"statusCode": status, "responseTemplates": templates, **more}


@dataclass(slots=True, kw_only=True)
class Deployed:
    """An API with one resource, and a database that answers one thing."""

    methods: dict[str, dict[str, Any]]
    path: str = "/things/{id}"
    gateway_responses: list[dict[str, Any]] = field(default_factory=list)
    answer: EngineAnswer | BaseException = field(
        default_factory=lambda: EngineAnswer(status=200, headers={}, body=b"{}")
    )
    variables: dict[str, str] = field(default_factory=lambda: {"colour": "blue"})
    called: list[Call] = field(default_factory=list)

    def cached(self, api_id: str, stage: str) -> DeployedApi:
        resources = [{"id": "r1", "path": self.path, "resourceMethods": self.methods}]
        return DeployedApi(
            api_id=api_id,
            stage=stage,
            deployment_id="d1",
            region="us-east-1",
            account="000000000000",
            variables=self.variables,
            definition=Definition(
                resources=resources_of(resources),
                gateway_responses=gateway_responses_of(self.gateway_responses),
                gaps=tuple(gaps.of_gateway_responses(self.gateway_responses)),
            ),
        )

    async def call(self, call: Call, *, timeout_s: float) -> EngineAnswer:
        assert timeout_s > 0
        self.called.append(call)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def ask(
        self, verb: str = "GET", path: str = "/things/7", *, body: bytes = b"", **request: Any
    ) -> GatewayAnswer:
        """Send one request."""
        sent = Request(
            api_id="a1",
            stage="v1",
            method=verb,
            path=path,
            query=MultiDict(request.get("query", {})),
            headers=CIMultiDict(request.get("headers", {})),
            body=body,
            source_ip="127.0.0.1",
            too_large=request.get("too_large", False),
        )
        gateway = Gateway(self, self, admission_for(Limits.NONE))  # type: ignore[arg-type]
        return asyncio.run(gateway.answer(sent))


def backend(body: str = "{}", status: int = 200, **headers: str) -> EngineAnswer:
    """Write the database's answer; underscores of header names are hyphens."""
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return EngineAnswer(status=status, headers=named, body=body.encode())
