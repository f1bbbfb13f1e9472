"""`$context`: what a template, a mapping or a gateway response may know of a request.

AWS: "API Gateway mapping template and access logging variable reference". What needs an authorizer,
a web ACL, X-Ray or a signed request has no value here. Variables for access logging only are not in
a template's context.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from types import MappingProxyType

from deploy.local.gateway.access import ApiKey
from deploy.local.gateway.configuration import DeployedApi, Resource
from deploy.local.gateway.overrides import RequestOverride, ResponseOverride
from deploy.local.gateway.request import Request
from deploy.local.gateway.velocity import ReadOnlyMap
from deploy.local.json_values import Json

IDENTITY_BLANK = MappingProxyType(
    dict.fromkeys(
        (
            "accountId",
            "apiKey",
            "apiKeyId",
            "caller",
            "cognitoAuthenticationProvider",
            "cognitoAuthenticationType",
            "cognitoIdentityId",
            "cognitoIdentityPoolId",
            "principalOrgId",
            "user",
            "userArn",
        ),
        "",
    )
)
"""AWS calls these null or unavailable for a request that is not signed; they print as nothing.

The API key is null only for a method that needs none.
"""

AUTHORIZER_BLANK = ReadOnlyMap(principalId="")
"""Nothing here has an authorizer; events recorded on AWS show nothing for its principal then."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class RequestIds:
    """Makes request ids: unique, in the form of a UUID, without asking the system each time."""

    def __init__(self) -> None:
        start = secrets.token_hex(10)
        self._prefix = f"{start[:8]}-{start[8:12]}-4{start[12:15]}-a{start[15:18]}-"
        self._extended = secrets.token_urlsafe(6)[:7]
        self._numbers = count(secrets.randbits(40))

    def next(self) -> tuple[str, str]:
        """Return a request id, and an extended request id."""
        number = next(self._numbers) & 0xFFFFFFFFFFFF
        return f"{self._prefix}{number:012x}", f"{self._extended}{number & 0xFFFFFFFF:08x}="


class Context(Mapping[str, Json]):
    """`$context` of one request: each variable is made when it is first asked for."""

    __slots__ = (
        "_known",
        "api",
        "api_key",
        "backend_headers",
        "extended_request_id",
        "request",
        "request_id",
        "resource",
        "response_override",
        "time_s",
    )

    def __init__(
        self,
        *,
        request: Request,
        api: DeployedApi | None,
        resource: Resource | None,
        ids: tuple[str, str],
        api_key: ApiKey | None = None,
    ) -> None:
        self.request = request
        self.api = api
        self.resource = resource
        self.api_key = api_key
        self.request_id, self.extended_request_id = ids
        self.time_s = time.time()
        self.backend_headers: Mapping[str, str] = {}
        """The integration's answer's, once there is one."""
        self.response_override: ResponseOverride | None = None
        """What a template has overridden, None as long as none has."""
        self._known: dict[str, Json] = {}

    def __getitem__(self, name: str) -> Json:
        known = self._known
        if name not in known:
            known[name] = VARIABLES[name](self)
        if known[name] is None:
            raise KeyError(name)
        return known[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in VARIABLES if name not in OVERRIDES and self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def find(self, path: str) -> Json:
        """Return the variable at `a.b`, None if there is none; overrides are none."""
        found: Json = None if path.partition(".")[0] in OVERRIDES else self
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def overridden(self) -> ResponseOverride:
        """Return what collects the overrides."""
        if self.response_override is None:
            self.response_override = ResponseOverride()
        return self.response_override

    def account_id(self) -> str | None:
        """Return the account of the API's owner."""
        return self.api.account if self.api is not None else None

    def deployment_id(self) -> str | None:
        """Return the deployment that the stage serves."""
        return self.api.deployment_id if self.api is not None else None

    def host(self) -> str:
        """Return the Host header."""
        return self.request.headers.get("Host", "")

    def identity(self) -> ReadOnlyMap:
        """Return what is known of the caller."""
        agent = self.request.headers.get("User-Agent", "")
        key = self.api_key
        return ReadOnlyMap(
            IDENTITY_BLANK,
            sourceIp=self.request.source_ip,
            userAgent=agent,
            **({} if key is None else {"apiKey": key.value, "apiKeyId": key.id}),
        )

    def resource_id(self) -> str | None:
        """Return the id of the resource, None before one was found."""
        return self.resource.id if self.resource is not None else None

    def resource_path(self) -> str | None:
        """Return the path of the resource, with its {parameters}."""
        return self.resource.path if self.resource is not None else None

    def request_time(self) -> str:
        """Return the time of arrival as the Common Log Format has it."""
        at = time.gmtime(self.time_s)
        return time.strftime(f"%d/{MONTHS[at.tm_mon - 1]}/%Y:%H:%M:%S +0000", at)


VARIABLES: Mapping[str, Callable[[Context], Json]] = {
    "accountId": Context.account_id,
    "apiId": lambda context: context.request.api_id,
    "authorizer": lambda _context: AUTHORIZER_BLANK,
    "awsEndpointRequestId": lambda context: context.backend_headers.get("x-amzn-requestid"),
    "deploymentId": Context.deployment_id,
    "domainName": Context.host,
    "domainPrefix": lambda context: context.host().partition(".")[0],
    "extendedRequestId": lambda context: context.extended_request_id,
    "httpMethod": lambda context: context.request.method,
    "identity": Context.identity,
    "path": lambda context: f"/{context.request.stage}{context.request.path}",
    "protocol": lambda _context: "HTTP/1.1",
    "requestId": lambda context: context.request_id,
    "requestOverride": lambda _context: RequestOverride(),
    "requestTime": Context.request_time,
    "requestTimeEpoch": lambda context: int(context.time_s * 1000),
    "resourceId": Context.resource_id,
    "resourcePath": Context.resource_path,
    "responseOverride": Context.overridden,
    "stage": lambda context: context.request.stage,
}
OVERRIDES = frozenset({"requestOverride", "responseOverride"})
