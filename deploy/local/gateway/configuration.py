"""A deployed API's configuration, as API Gateway's API describes it. Knows no requests."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deploy.integration import timeout_ms
from deploy.local.gateway import gaps
from deploy.local.gateway.access import StageAccess
from deploy.local.gateway.header_mapping import (
    GATEWAY_HEADER,
    GATEWAY_SOURCE,
    RESPONSE_HEADER,
    RESPONSE_SOURCE,
    HeaderMapping,
    parse_mapping,
)
from deploy.local.json_values import Json

OPEN_ACCESS = StageAccess()
PARAMETER = re.compile(r"\{([^}+]+)\+?\}")


JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationResponse:
    """What one status of the backend becomes."""

    status: int
    pattern: re.Pattern[str] | None
    """Matches the backend's whole status; None marks the default response."""
    templates: Mapping[str, str]
    static_headers: Mapping[str, str]
    mapped_headers: tuple[HeaderMapping, ...]
    """The headers that are not the same every time."""

    def template_for(self, accept: str) -> tuple[str, str | None]:
        """Choose the template by the Accept header, and its type; without any, the body passes.

        AWS: "Amazon API Gateway API request and response data mapping reference". "The first
        existing template", which it takes when nothing matches, is one for JSON here if there is
        one: the order of a JSON object is not documented.
        """
        templates = self.templates
        wanted = accept.partition(";")[0].strip().lower()
        for content_type in (wanted, JSON_TYPE):
            if content_type in templates:
                return content_type, templates[content_type]
        return next(iter(templates.items()), (JSON_TYPE, None))


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
    chosen: dict[int, IntegrationResponse | None] = field(default_factory=dict, compare=False)
    """The response of each status seen so far."""

    def response_for(self, status: int) -> IntegrationResponse | None:
        """Choose the response whose pattern matches, else the default one, else none."""
        if status not in self.chosen:
            self.chosen[status] = self._choose(str(status))
        return self.chosen[status]

    def _choose(self, status: str) -> IntegrationResponse | None:
        for response in self.responses:
            if response.pattern is not None and response.pattern.fullmatch(status):
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
    gaps: tuple[str, ...] = ()
    """What it is configured to do that this gateway does not do: it answers 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One path of the API, which may have `{parameters}`."""

    id: str
    path: str
    pattern: re.Pattern[str]
    parameters: tuple[str, ...]
    """The names of the pattern's groups; they may have characters that group names may not."""
    methods: Mapping[str, Method]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """A customised answer of the gateway itself."""

    status: int | None
    headers: tuple[HeaderMapping, ...]
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a deployment freezes of an API."""

    resources: tuple[Resource, ...]
    gateway_responses: Mapping[str, GatewayResponse]
    gaps: tuple[str, ...] = ()
    """What the whole API is configured to do that this gateway does not do."""
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
    gaps: tuple[str, ...] = ()
    """What the stage is configured to do that this gateway does not do."""
    access: StageAccess = OPEN_ACCESS


def resources_of(items: list[Json]) -> tuple[Resource, ...]:
    """Turn GetResources' items into resources, the most specific path first."""
    resources = [
        Resource(
            id=item.get("id") or "",
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
    return re.compile("".join("/" + part for part in parts) + "/?", re.DOTALL)


def method_of(path: str, verb: str, item: Json) -> Method:
    """Turn a method as GetResources shows it into ours."""
    found = item.get("methodIntegration")
    return Method(
        resource_path=path,
        verb=verb,
        authorization=item.get("authorizationType") or "NONE",
        api_key_required=bool(item.get("apiKeyRequired")),
        integration=integration_of(found) if found else None,
        gaps=tuple(gaps.of_method(item)),
    )


def integration_of(item: Json) -> Integration:
    """Turn an integration as GetResources shows it into ours."""
    return Integration(
        kind=item["type"],
        uri=item.get("uri") or "",
        credentials=item.get("credentials") or "",
        passthrough=item.get("passthroughBehavior") or "WHEN_NO_MATCH",
        timeout_ms=timeout_ms(item),
        request_templates=by_mime_type(item.get("requestTemplates")),
        responses=tuple(
            response_of(status, response)
            for status, response in (item.get("integrationResponses") or {}).items()
        ),
    )


def by_mime_type(templates: Json) -> dict[str, str]:
    """Key templates as they are looked up: the type's letters in lower case."""
    return {mime_type.lower(): text for mime_type, text in (templates or {}).items()}


def response_of(status: str, item: Json) -> IntegrationResponse:
    """Turn an integration response as GetResources shows it into ours."""
    mapped = []
    static = {}
    for name, source in (item.get("responseParameters") or {}).items():
        try:
            mapping = parse_mapping(name.removeprefix(RESPONSE_HEADER), source, RESPONSE_SOURCE)
        except ValueError:
            continue  # its method has it among its gaps, and never answers
        if mapping.kind == "static":
            content_type = mapping.header.lower() == "content-type"
            static["Content-Type" if content_type else mapping.header] = mapping.name
        else:
            mapped.append(mapping)
    return IntegrationResponse(
        status=int(status),
        pattern=selection(item.get("selectionPattern")),
        templates={
            kind.lower(): text for kind, text in (item.get("responseTemplates") or {}).items()
        },
        static_headers=static,
        mapped_headers=tuple(mapped),
    )


def selection(pattern: str | None) -> re.Pattern[str] | None:
    """Compile a selection pattern; an empty one marks the default response."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None  # its method has it among its gaps, and never answers


def gateway_responses_of(items: list[Json]) -> dict[str, GatewayResponse]:
    """Keep the customised gateway responses; the generated defaults are in `answers`."""
    return {
        item["responseType"]: GatewayResponse(
            status=int(item["statusCode"]) if item.get("statusCode") else None,
            headers=tuple(gateway_headers(item)),
            templates=item.get("responseTemplates") or {},
        )
        for item in items
        if not item.get("defaultResponse")
    }


def gateway_headers(item: Json) -> Iterator[HeaderMapping]:
    """Parse a gateway response's headers; `gaps` says which cannot be parsed."""
    for name, source in (item.get("responseParameters") or {}).items():
        with contextlib.suppress(ValueError):
            yield parse_mapping(name.removeprefix(GATEWAY_HEADER), source, GATEWAY_SOURCE)
