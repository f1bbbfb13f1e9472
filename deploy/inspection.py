"""`make inspect`: what a person would check in the console, method by method, and the differences.

Reads the API's definition through the API Gateway API and compares it field by field with what
`deploy/template.yml` intends. A stage serves the snapshot that its deployment took of it, which
cannot be read field by field: of that it says whether it is the stack's own and the newest.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from deploy.cloud import Cloud, aws_errors
from deploy.conditions import decided
from deploy.integration import DEFAULT_TIMEOUT_MS, timeout_ms
from deploy.intent import Resolver, intended_methods
from deploy.serving import own_deployment, served_deployment
from deploy.stack import Stack
from deploy.template import load_template

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

Node: TypeAlias = Any
Fields: TypeAlias = dict[str, str]
"""A method's fields by what a person calls them, in the order they are printed."""

SERVICE_URI = re.compile(
    r"arn:[\w-]+:apigateway:[\w-]+:(?P<service>[\w.-]+):action/(?P<action>\w+)"
)
ABSENT = "(absent)"
LABEL_WIDTH = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodReport:
    """One method: what is deployed, what the template intends."""

    path: str
    http_method: str
    deployed: Fields
    intended: Fields

    def differences(self) -> list[str]:
        """Name the fields that differ, in printing order."""
        names = [*self.deployed, *(name for name in self.intended if name not in self.deployed)]
        return [
            name
            for name in names
            if self.deployed.get(name, ABSENT) != self.intended.get(name, ABSENT)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """All methods of an API, and which deployment of it the stage serves."""

    stack: Stack
    methods: tuple[MethodReport, ...]
    served: str
    """The id of the deployment that the stage names..."""
    own: str
    """...and of the one that the stack made."""

    def equal(self) -> bool:
        """Whether all is as the template intends, nothing is missing, and the stage serves it."""
        return self.methods_equal() and self.stale() is None

    def methods_equal(self) -> bool:
        """Whether every method is as the template intends, and none is missing."""
        return bool(self.methods) and not any(method.differences() for method in self.methods)

    def stale(self) -> str | None:
        """Say why the stage does not serve the newest definition, and what to do; None if it does.

        Of a stack that we did not make, that the deployment is newer than the methods is not known.
        """
        stack = self.stack
        if self.served != self.own:
            does = "points it back" if stack.ours else "does not touch it, since it is not ours"
            return (
                f"stage {stack.stage} serves deployment {self.served}, not the stack's own "
                f"{self.own}: someone rolled it back or deployed by hand; `make deploy` {does}"
            )
        if stack.ours and stack.deployment != stack.deployment_due:
            return (
                f"stage {stack.stage} serves deployment {self.served}, made before the API was "
                "last changed: an update was cut short; `make deploy` completes it"
            )
        return None


def inspect_stack(cloud: Cloud, stack: Stack) -> Inspection:
    """Read every method of the deployed API and pair it with the template's intent."""
    template = decided(load_template(), stack.parameters)
    intended = intended_methods(template, Resolver(template, stack, cloud.region))
    with aws_errors(f"inspecting stack {stack.name}"):
        deployed = deployed_methods(cloud.apigateway(), stack.api_id)
    keys = sorted({*intended, *deployed}, key=lambda key: (key[0], -len(key[1]), key[1]))
    return Inspection(
        stack=stack,
        served=served_deployment(cloud, stack),
        own=own_deployment(cloud, stack),
        methods=tuple(
            MethodReport(
                path=path,
                http_method=verb,
                deployed=deployed.get((path, verb), {}),
                intended=intended_fields(intended[path, verb]) if (path, verb) in intended else {},
            )
            for path, verb in keys
        ),
    )


def deployed_methods(client: "APIGatewayClient", api_id: str) -> dict[tuple[str, str], Fields]:
    """Read the fields of every method of an API, by (path, HTTP method)."""
    return {
        key: deployed_fields(method, method.get("methodIntegration", {}))
        for key, method in described_methods(client, api_id)
    }


def described_methods(
    client: "APIGatewayClient", api_id: str
) -> Iterator[tuple[tuple[str, str], Mapping[str, Node]]]:
    """Read every method of an API as API Gateway describes it, by (path, HTTP method)."""
    for page in client.get_paginator("get_resources").paginate(restApiId=api_id):
        for resource in page.get("items", []):
            for verb in resource.get("resourceMethods", {}):
                yield (
                    (resource["path"], verb),
                    client.get_method(restApiId=api_id, resourceId=resource["id"], httpMethod=verb),
                )


def integration_timeout_ms(cloud: Cloud, stack: Stack) -> int:
    """Give the longest that any method of the deployed API waits for the database.

    Raises UserError when it cannot be read.
    """
    with aws_errors(f"reading the integrations of stack {stack.name}"):
        methods = [method for _, method in described_methods(cloud.apigateway(), stack.api_id)]
    return max(
        (
            timeout_ms(method["methodIntegration"])
            for method in methods
            if "methodIntegration" in method
        ),
        default=DEFAULT_TIMEOUT_MS,
    )


def deployed_fields(method: Mapping[str, Node], integration: Mapping[str, Node]) -> Fields:
    """Name the fields of a method as API Gateway describes it."""
    return fields(
        authorization=method.get("authorizationType"),
        kind=integration.get("type"),
        uri=integration.get("uri", ""),
        http_method=integration.get("httpMethod"),
        role=integration.get("credentials"),
        passthrough=integration.get("passthroughBehavior"),
        timeout_ms=integration.get("timeoutInMillis"),
        request_templates=integration.get("requestTemplates") or {},
        responses={
            status: (
                response.get("selectionPattern"),
                response.get("responseParameters") or {},
                response.get("responseTemplates") or {},
            )
            for status, response in (integration.get("integrationResponses") or {}).items()
        },
    )


def intended_fields(properties: Mapping[str, Node]) -> Fields:
    """Name the fields of a method as the template writes it."""
    integration = properties["Integration"]
    return fields(
        authorization=properties.get("AuthorizationType"),
        kind=integration.get("Type"),
        uri=integration.get("Uri", ""),
        http_method=integration.get("IntegrationHttpMethod"),
        role=integration.get("Credentials"),
        passthrough=integration.get("PassthroughBehavior"),
        timeout_ms=integration.get("TimeoutInMillis"),
        request_templates=integration.get("RequestTemplates") or {},
        responses={
            str(response["StatusCode"]): (
                response.get("SelectionPattern"),
                response.get("ResponseParameters") or {},
                response.get("ResponseTemplates") or {},
            )
            for response in integration.get("IntegrationResponses", [])
        },
    )


def fields(
    *,
    authorization: str | None,
    kind: str | None,
    uri: str,
    http_method: str | None,
    role: str | None,
    passthrough: str | None,
    timeout_ms: int | None,
    request_templates: Mapping[str, str],
    responses: Mapping[str, tuple[str | None, Mapping[str, str], Mapping[str, str]]],
) -> Fields:
    """Put a method's fields under the names they are printed with."""
    target = SERVICE_URI.fullmatch(uri)
    named = {
        "authorization": authorization or ABSENT,
        "integration type": kind or ABSENT,
        "service": target["service"] if target else ABSENT,
        "action": target["action"] if target else ABSENT,
        "integration HTTP method": http_method or ABSENT,
        "URI": uri or ABSENT,
        "role": role or ABSENT,
        "passthrough": passthrough or ABSENT,
        "time-out": f"{timeout_ms} ms",
    }
    for content_type, template in sorted(request_templates.items()):
        named[f"request {content_type}"] = template
    for status, (pattern, parameters, templates) in sorted(responses.items()):
        named[f"response {status} for status"] = pattern or "any other"
        for name, value in sorted(parameters.items()):
            named[f"response {status} {name.rpartition('.')[2]}"] = value
        for content_type, template in sorted(templates.items()):
            named[f"response {status} {content_type}"] = template
    return named


def lines(inspection: Inspection) -> list[str]:
    """Write the inspection for a person, ending with the verdict."""
    stack = inspection.stack
    printed = [
        f"stack {stack.name}: {stack.url}",
        f"  returns {stack.returns}, table {stack.table_name}",
        f"  stage {stack.stage}, deployment {inspection.served}",
    ]
    for method in inspection.methods:
        printed += ["", f"{method.http_method} {method.path}"]
        differing = set(method.differences())
        for name in [*method.deployed, *(differing - method.deployed.keys())]:
            printed += field_lines(name, method.deployed.get(name, ABSENT))
            if name in differing:
                expected = method.intended.get(name, ABSENT)
                printed += ["    DIFFERS from deploy/template.yml, which says:"]
                printed += field_lines(name, expected)
    return [*printed, "", verdict(inspection)]


def field_lines(name: str, value: str) -> list[str]:
    """Write one field, a template of several lines below its name."""
    if "\n" in value or len(value) > 80:  # noqa: PLR2004 (a terminal's width)
        return [f"  {name}", *(f"      {line}" for line in value.splitlines())]
    return [f"  {name:<{LABEL_WIDTH}} {value}"]


def verdict(inspection: Inspection) -> str:
    """Sum the inspection up in one line."""
    count, stale = len(inspection.methods), inspection.stale()
    if inspection.methods_equal():
        equal = f"{count} methods, all equal to deploy/template.yml"
        return equal if stale is None else f"{equal}, but NOT served: {stale}"
    differing = "; ".join(
        f"{method.http_method} {method.path} ({', '.join(method.differences())})"
        for method in inspection.methods
        if method.differences()
    )
    number = sum(bool(method.differences()) for method in inspection.methods)
    return f"{count} methods, {number} NOT equal to deploy/template.yml: {differing}" + (
        "" if stale is None else f"; and {stale}"
    )
