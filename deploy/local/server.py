"""The local cloud's one port: execute-api paths to our gateway, everything else to MiniStack."""

import asyncio
import logging
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import aiohttp
from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from deploy.local import asgi
from deploy.local.asgi import AsgiApp
from deploy.local.control_plane import ControlPlane
from deploy.local.engine import Engine, HttpEngine
from deploy.local.gateway import Gateway
from deploy.local.ministack_engine import MiniStackEngine
from deploy.local.reader import ConfigurationReader
from deploy.local.request import Request

log = logging.getLogger(__name__)

HEALTH_PATH = "/_gapless/health"
BODY_LIMIT_BYTES = 10 * 1024 * 1024
"""API Gateway's payload limit (AWS: "Amazon API Gateway quotas")."""
BACKLOG = 1024
SHUTDOWN_TIMEOUT_S = 2.0

EXECUTE_API = re.compile(r"/_aws/execute-api/(?P<api>[^/]+)/(?P<stage>[^/]+)(?P<path>/.*)?")
USER_REQUEST = re.compile(r"/restapis/(?P<api>[^/]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*)?")
EXECUTE_API_HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.[\w.:-]+")
STAGE_PATH = re.compile(r"/(?P<stage>[^/]+)(?P<path>/.*)?")
SIGNATURE_SCOPE = re.compile(r"Credential=(?P<key>[^/,\s]+)/\d+/(?P<region>[\w-]+)/")
HOP_BY_HOP = frozenset({b"content-length", b"transfer-encoding", b"connection", b"keep-alive"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in which API an execute-api request goes."""

    api_id: str
    stage: str
    path: str


class Front:
    """Sends each request to the gateway or to MiniStack."""

    def __init__(self, *, app: AsgiApp, engine: Engine, instance: str) -> None:
        self._app = app
        self._control_plane = ControlPlane(app)
        self._configurations = ConfigurationReader(self._control_plane)
        self._gateway = Gateway(self._configurations, engine)
        self._instance = instance

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        raw_path, _, _ = request.raw_path.partition("?")
        place = place_of(raw_path, request.host)
        if place is not None:
            return await self._execute(request, place)
        if raw_path == HEALTH_PATH:
            return web.json_response({"instance": self._instance, "pid": os.getpid()})
        if "Origin" in request.headers:
            # MiniStack allows every web page to read its answers; none has any business here.
            return web.Response(status=403, text="the control plane does not talk to web pages\n")
        return await self._bridge(request, raw_path)

    async def _execute(self, request: web.BaseRequest, place: Place) -> web.Response:
        body, too_large = b"", False
        if request.can_read_body:
            try:
                body = await request.read()
            except web.HTTPRequestEntityTooLarge:
                too_large = True
        answer = await self._gateway.answer(
            Request(
                api_id=place.api_id,
                stage=place.stage,
                method=request.method,
                path=place.path,
                query=request.query,
                headers=request.headers,
                body=body,
                source_ip=request.remote or "",
                too_large=too_large,
            )
        )
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _bridge(self, request: web.BaseRequest, raw_path: str) -> web.Response:
        body = await request.read()
        scope = asgi.scope_of(
            method=request.method,
            path=unquote(raw_path),
            query=request.url.raw_query_string.encode(),
            headers=[(name.lower(), value) for name, value in request.raw_headers],
        )
        writes = request.method != "GET" and not is_dynamodb(request)
        if writes:
            await self._configurations.take_snapshots()  # as they are before this write
        answer = await asgi.call(self._app, scope, body)
        self._note_scope(request)
        if writes:
            self._configurations.forget_stages()
            await self._configurations.take_snapshots()
        response = web.Response(status=answer.status, body=answer.body)
        for name, value in answer.headers:
            if name.lower() not in HOP_BY_HOP:
                response.headers[name.decode("latin-1")] = value.decode("latin-1")
        return response

    def _note_scope(self, request: web.BaseRequest) -> None:
        scope = SIGNATURE_SCOPE.search(request.headers.get("Authorization", ""))
        if scope is not None:
            self._control_plane.note_scope(scope["key"], scope["region"])


def is_dynamodb(request: web.BaseRequest) -> bool:
    """Whether a request is for DynamoDB, and so cannot change an API."""
    return request.headers.get("X-Amz-Target", "").startswith("DynamoDB")


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


def make_request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    """Build a request as aiohttp's own server does, with API Gateway's payload limit."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=BODY_LIMIT_BYTES
    )


def bind(port: int) -> socket.socket:
    """Open the one port, on 127.0.0.1 only; 0 lets the system choose. Raises OSError if taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def serving(
    listener: socket.socket, *, instance: str, state_dir: Path, engine_url: str | None
) -> AsyncIterator[None]:
    """Serve the local cloud on a bound socket until the block ends.

    `engine_url` sends the integrations' DynamoDB calls there instead of to MiniStack.
    """
    port = listener.getsockname()[1]
    app = asgi.load_ministack(port=port, state_dir=state_dir)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asgi.lifespan(app))
        engine: Engine = MiniStackEngine()
        if engine_url is not None:
            connector = aiohttp.TCPConnector(limit=0)
            timeout = aiohttp.ClientTimeout(total=None)
            session = aiohttp.ClientSession(connector=connector, timeout=timeout)
            engine = HttpEngine(await stack.enter_async_context(session), engine_url)
        front = Front(app=app, engine=engine, instance=instance)
        server = web.Server(front.handle, request_factory=make_request, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
        yield
