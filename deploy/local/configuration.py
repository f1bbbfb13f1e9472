"""A deployed API's configuration, as API Gateway's API describes it. Knows no requests."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.access import StageAccess
from deploy.local.json_values import Json

DEFAULT_TIMEOUT_MS = 29_000
OPEN_ACCESS = StageAccess()
PARAMETER = re.compile(r"\{([^}+]+)\+?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationResponse:
    """What one status of the backend becomes."""

    status: int
    pattern: re.Pattern[str] | None
    """Matches the backend's whole status; None marks the default response."""
    templates: Mapping[str, str]
    parameters: Mapping[str, str]
    """`method.response.header.X` to a quoted constant or `integration.response.header.Y`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """What a method calls, and how it maps request and response."""

    kind: str
    uri: str
    credentials: str
    passthrough: str
    timeout_ms: int
    request_templates: Mapping[str, str]
    responses: tuple[IntegrationResponse, ...]

    def response_for(self, status: int) -> IntegrationResponse | None:
        """Choose the response whose pattern matches, else the default one, else none."""
        text = str(status)
        for response in self.responses:
            if response.pattern is not None and response.pattern.fullmatch(text):
                return response
        return next((response for response in self.responses if response.pattern is None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One HTTP method of one resource."""

    resource_path: str
    verb: str
    """As declared, so perhaps ANY."""
    authorization: str
    api_key_required: bool
    integration: Integration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One path of the API, which may have `{parameters}`."""

    path: str
    pattern: re.Pattern[str]
    parameters: tuple[str, ...]
    """The names of the pattern's groups; they may have characters that group names may not."""
    methods: Mapping[str, Method]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """A customised answer of the gateway itself."""

    status: int | None
    headers: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a deployment freezes of an API."""

    resources: tuple[Resource, ...]
    gateway_responses: Mapping[str, GatewayResponse]
    api_key_source: str = "HEADER"

    @property
    def wants_keys(self) -> bool:
        """Whether any method needs an API key."""
        return any(
            method.api_key_required
            for resource in self.resources
            for method in resource.methods.values()
        )

    def resource_for(self, path: str) -> tuple[Resource, Mapping[str, str]] | None:
        """Find the resource of a path and its path parameters; the most specific comes first."""
        for resource in self.resources:
            match = resource.pattern.fullmatch(path)
            if match is not None:
                return resource, dict(zip(resource.parameters, match.groups(), strict=True))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedApi:
    """One stage of one API: what is live about it, and the definition its deployment froze."""

    api_id: str
    stage: str
    deployment_id: str
    region: str
    account: str
    variables: Mapping[str, str]
    definition: Definition
    access: StageAccess = OPEN_ACCESS


def resources_of(items: list[Json]) -> tuple[Resource, ...]:
    """Turn GetResources' items into resources, the most specific path first."""
    resources = [
        Resource(
            path=item["path"],
            pattern=path_pattern(item["path"]),
            parameters=tuple(PARAMETER.findall(item["path"])),
            methods={
                verb: method_of(item["path"], verb, method)
                for verb, method in (item.get("resourceMethods") or {}).items()
            },
        )
        for item in items
    ]
    return tuple(sorted(resources, key=lambda resource: specificity(resource.path)))


def specificity(path: str) -> list[int]:
    """Order paths segment by segment: a literal before a parameter before a greedy one."""
    return [
        2 if part.endswith("+}") else 1 if part.startswith("{") else 0
        for part in path.strip("/").split("/")
    ]


def path_pattern(path: str) -> re.Pattern[str]:
    """Compile a resource path; a trailing slash of the request makes no difference."""

    def piece(part: str) -> str:
        if part.endswith("+}"):
            return "(.+)"
        return "([^/]+)" if part.startswith("{") else re.escape(part)

    parts = [piece(part) for part in path.strip("/").split("/") if part]
    return re.compile("".join("/" + part for part in parts) + "/?")


def method_of(path: str, verb: str, item: Json) -> Method:
    """Turn a method as GetResources shows it into ours."""
    found = item.get("methodIntegration")
    return Method(
        resource_path=path,
        verb=verb,
        authorization=item.get("authorizationType") or "NONE",
        api_key_required=bool(item.get("apiKeyRequired")),
        integration=integration_of(found) if found else None,
    )


def integration_of(item: Json) -> Integration:
    """Turn an integration as GetResources shows it into ours."""
    return Integration(
        kind=item["type"],
        uri=item.get("uri") or "",
        credentials=item.get("credentials") or "",
        passthrough=item.get("passthroughBehavior") or "WHEN_NO_MATCH",
        timeout_ms=int(item.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS),
        request_templates=item.get("requestTemplates") or {},
        responses=tuple(
            IntegrationResponse(
                status=int(status),
                pattern=selection(response.get("selectionPattern")),
                templates=response.get("responseTemplates") or {},
                parameters=response.get("responseParameters") or {},
            )
            for status, response in (item.get("integrationResponses") or {}).items()
        ),
    )


def selection(pattern: str | None) -> re.Pattern[str] | None:
    """Compile a selection pattern; an empty one marks the default response."""
    return re.compile(pattern) if pattern else None


def gateway_responses_of(items: list[Json]) -> dict[str, GatewayResponse]:
    """Keep the customised gateway responses; the generated defaults are in `answers`."""
    prefix = "gatewayresponse.header."
    return {
        item["responseType"]: GatewayResponse(
            status=int(item["statusCode"]) if item.get("statusCode") else None,
            headers={
                name.removeprefix(prefix): value[1:-1]
                for name, value in (item.get("responseParameters") or {}).items()
                if name.startswith(prefix) and value.startswith("'")
            },
            templates=item.get("responseTemplates") or {},
        )
        for item in items
        if not item.get("defaultResponse")
    }
