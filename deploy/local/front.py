"""The local cloud's one door: execute-api requests to our gateway, everything else to MiniStack."""

import json
import logging
import os
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from multidict import CIMultiDict, MultiDict, MultiDictProxy

from deploy.local import asgi
from deploy.local.asgi import AsgiApp
from deploy.local.control_plane import ControlPlane
from deploy.local.deployments import Deployments
from deploy.local.engines.engine import TARGET_PREFIX, Call, Engine, EngineAnswer
from deploy.local.engines.limits import ItemLimits
from deploy.local.engines.split_engine import ENGINE_FAILURE, SplitEngine, unanswered
from deploy.local.gateway.admission import Admission
from deploy.local.gateway.pipeline import Gateway
from deploy.local.gateway.reader import ConfigurationReader
from deploy.local.gateway.request import Request
from deploy.local.messages import Incoming, Outgoing, plain

log = logging.getLogger(__name__)

HEALTH_PATH = "/_gapless/health"
DIRECT_TIMEOUT_S = 10.0

EXECUTE_API = re.compile(r"/_aws/execute-api/(?P<api>[^/]+)/(?P<stage>[^/]+)(?P<path>/.*)?")
USER_REQUEST = re.compile(r"/restapis/(?P<api>[^/]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*)?")
ABSOLUTE = re.compile(r"https?://(?P<host>[^/?#]*)(?P<target>.*)", re.IGNORECASE | re.DOTALL)
OUR_HOST = re.compile(r"(?:127\.0\.0\.1|\[?::1\]?|(?:[\w-]+\.)*localhost)(?::\d+)?", re.IGNORECASE)
"""A page whose own name is made to lead here (DNS rebinding) has another in its Host header."""
INSIDE = "/_ministack/"
"""MiniStack's own doors: one wipes the whole cloud."""
EXECUTE_API_HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.[\w.:-]+")
STAGE_PATH = re.compile(r"/(?P<stage>[^/]+)(?P<path>/.*)?")
SIGNATURE_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[\w-]+)/")
STACK_QUESTION = re.compile(rb"(?:^|&)Action=(?:Describe|List|Get)\w*Stack")
HOP_BY_HOP = frozenset(
    {b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"date"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in which API an execute-api request goes."""

    api_id: str
    stage: str
    path: str


class Front:
    """Sends each request to the gateway or to MiniStack."""

    def __init__(
        self,
        *,
        app: AsgiApp,
        engine: Engine,
        admission: Admission,
        item_limits: ItemLimits | None,
        split: SplitEngine | None,
        account_of: Callable[[str], str],
        instance: str,
    ) -> None:
        self._app = app
        self._control_plane = ControlPlane(app)
        self._configurations = ConfigurationReader(self._control_plane, Deployments())
        self._gateway = Gateway(self._configurations, engine, admission)
        self._item_limits = item_limits
        self._split = split
        self._account_of = account_of
        self._instance = instance

    async def answer(self, incoming: Incoming) -> Outgoing:
        """Answer one request."""
        headers = CIMultiDict(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in incoming.headers]
        )
        target = incoming.target.decode("latin-1")
        if not target.startswith("/"):
            target = origin_form(target, headers)
        raw_path, _, raw_query = target.partition("?")
        place = place_of(raw_path, headers.get("Host", ""))
        if place is not None:
            return await self._execute(incoming, place, raw_query, headers)
        if raw_path == HEALTH_PATH:
            return self._health()
        refusal = control_plane_refusal(unquote(raw_path), headers)
        if refusal is not None:
            return plain(403, refusal)
        if incoming.too_large:
            return plain(413, "the request is too large")
        return await self._bridge(incoming, raw_path, raw_query, headers)

    def _health(self) -> Outgoing:
        found = {"instance": self._instance, "pid": os.getpid()}
        return Outgoing(
            status=200,
            headers=(("Content-Type", "application/json"),),
            body=json.dumps(found).encode(),
        )

    async def _execute(
        self, incoming: Incoming, place: Place, raw_query: str, headers: CIMultiDict[str]
    ) -> Outgoing:
        answer = await self._gateway.answer(
            Request(
                api_id=place.api_id,
                stage=place.stage,
                method=incoming.method,
                path=place.path,
                query=query_of(raw_query),
                headers=headers,
                body=incoming.body,
                source_ip=incoming.peer_ip,
                too_large=incoming.too_large,
            )
        )
        return Outgoing(status=answer.status, headers=answer.headers.items(), body=answer.body)

    async def _bridge(
        self, incoming: Incoming, raw_path: str, raw_query: str, headers: CIMultiDict[str]
    ) -> Outgoing:
        """Pass a request on to MiniStack.

        A write to the control plane may make a deployment or change a stage: what is deployed is
        frozen before it, and looked at again after it.
        """
        writes = incoming.method != "GET" and not is_dynamodb(headers)
        if self._item_limits is not None and is_dynamodb(headers):
            call = direct_call(headers, incoming.body)
            refused = await self._item_limits.refusal(call, timeout_s=DIRECT_TIMEOUT_S)
            if refused is not None:
                return from_engine(refused)
        if self._split is not None and headers.get("X-Amz-Target", "").startswith(TARGET_PREFIX):
            return await self._direct(self._split, direct_call(headers, incoming.body))
        if writes:
            await self._configurations.take_snapshots()
        scope = asgi.scope_of(
            method=incoming.method,
            path=unquote(raw_path),
            query=raw_query.encode("latin-1"),
            headers=[(name.lower(), value) for name, value in incoming.headers],
        )
        answer = await asgi.call(self._app, scope, incoming.body)
        self._note_scope(headers)
        if writes:
            self._configurations.forget_stages()
            await self._configurations.take_snapshots()
        if self._split is not None:
            failures = await self._mirrored(self._split, incoming.body)
            if failures:
                return cloudformation_error(failures)
        return Outgoing(
            status=answer.status,
            headers=[
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in answer.headers
                if name.lower() not in HOP_BY_HOP
            ],
            body=answer.body,
        )

    async def _direct(self, engine: SplitEngine, call: Call) -> Outgoing:
        """Answer a client that calls DynamoDB itself, from where the items are."""
        try:
            return from_engine(await engine.call(call, timeout_s=DIRECT_TIMEOUT_S))
        except (TimeoutError, ConnectionError) as error:
            log.warning("the database gave no answer to %s: %s", call.action, error)
            return from_engine(unanswered(call.action))

    async def _mirrored(self, engine: SplitEngine, body: bytes) -> list[str]:
        """Make what tables this request brought, before its answer shows them to anyone.

        Returns what failed, if this was a question to CloudFormation: whoever waits for a stack
        gets to know. The answer to an order such as CreateStack says that it was taken, and was.
        """
        scopes = self._control_plane.scopes
        await engine.mirror.reconcile([engine.scope_of(*scope) for scope in scopes])
        return engine.mirror.take_failures() if STACK_QUESTION.search(body) else []

    def _note_scope(self, headers: Mapping[str, str]) -> None:
        scope = SIGNATURE_SCOPE.search(headers.get("Authorization", ""))
        if scope is not None:
            self._control_plane.note_scope((self._account_of(scope["key"]), scope["region"]))


def origin_form(target: str, headers: CIMultiDict[str]) -> str:
    """Give the path and query of a target in absolute form, whose host replaces the header's.

    RFC 9112, 3.2.2. Any other target (`*`) stays as it is.
    """
    absolute = ABSOLUTE.fullmatch(target)
    if absolute is None:
        return target
    headers["Host"] = absolute["host"]
    path = absolute["target"]
    return path if path.startswith("/") else f"/{path}"


def control_plane_refusal(path: str, headers: Mapping[str, str]) -> str | None:
    """Say why a request may not reach the control plane, None if it may.

    MiniStack allows every web page to read its answers; none has any business here.
    """
    if "Origin" in headers:
        return "the control plane does not talk to web pages"
    if OUR_HOST.fullmatch(headers.get("Host", "")) is None:
        return "the control plane answers to 127.0.0.1, ::1 and localhost only"
    if f"/{path.lstrip('/')}".startswith(INSIDE):
        return f"{INSIDE} is closed: start another local cloud for an empty one"
    return None


def is_dynamodb(headers: Mapping[str, str]) -> bool:
    """Whether a request is for DynamoDB, and so cannot change an API."""
    return headers.get("X-Amz-Target", "").startswith("DynamoDB")


def from_engine(answer: EngineAnswer) -> Outgoing:
    """Pass on what an engine answered."""
    headers = [
        (name, value)
        for name, value in answer.headers.items()
        if name.encode("latin-1") not in HOP_BY_HOP
    ]
    return Outgoing(status=answer.status, headers=headers, body=answer.body)


def cloudformation_error(failures: Sequence[str]) -> Outgoing:
    """Answer as CloudFormation does when it refuses (AWS: "Common Error Types")."""
    message = escape("; ".join(failures))
    body = (
        '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
        f"<Error><Type>Receiver</Type><Code>{ENGINE_FAILURE}</Code><Message>{message}</Message>"
        f"</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Outgoing(status=400, headers=(("Content-Type", "text/xml"),), body=body.encode())


def direct_call(headers: Mapping[str, str], body: bytes) -> Call:
    """Describe a request that a client sends to DynamoDB itself."""
    scope = SIGNATURE_SCOPE.search(headers.get("Authorization", ""))
    return Call(
        action=headers["X-Amz-Target"].removeprefix(TARGET_PREFIX),
        account="" if scope is None else scope["key"],
        region="" if scope is None else scope["region"],
        body=body,
    )


NO_QUERY: MultiDictProxy[str] = MultiDictProxy(MultiDict())


def query_of(raw_query: str) -> MultiDictProxy[str]:
    """Parse a query string, every value of a repeated name kept."""
    if not raw_query:
        return NO_QUERY
    return MultiDictProxy(MultiDict(parse_qsl(raw_query, keep_blank_values=True)))


@lru_cache(maxsize=1024)
def place_of(raw_path: str, host: str) -> Place | None:
    """Recognise LocalStack's two path forms and the AWS host form; None for anything else."""
    match = EXECUTE_API.fullmatch(raw_path) or USER_REQUEST.fullmatch(raw_path)
    if match is not None:
        api_id = match["api"]
    else:
        by_host = EXECUTE_API_HOST.fullmatch(host)
        match = STAGE_PATH.fullmatch(raw_path) if by_host is not None else None
        if by_host is None or match is None:
            return None
        api_id = by_host["api"]
    return Place(api_id=api_id, stage=match["stage"], path=unquote(match["path"] or "/"))
