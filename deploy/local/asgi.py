"""MiniStack's ASGI application, called in this process. Knows nothing of gateways or counters."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]
HeaderPairs = Sequence[tuple[bytes, bytes]]

LIFESPAN_TIMEOUT_S = 30
SERVICES = "apigateway,cloudformation,dynamodb,iam,sts"
"""All that the template needs. The rest stays off: some services run what they are sent."""
OFF_WITH_WARNINGS = ("kms",)
"""Services that are off, but that CloudFormation imports and that then log what they lack."""
LOOPBACK = ("127.0.0.1", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the application answered to one request."""

    status: int
    headers: HeaderPairs
    body: bytes


def load_ministack(*, port: int, state_dir: Path) -> AsgiApp:
    """Import MiniStack, configured to open no port of its own and to keep everything in memory.

    It reads its environment while it is being imported, so this must run before anything else
    imports `ministack`.
    """
    os.environ.update(
        {
            "GATEWAY_PORT": str(port),  # only for its own links: we accept its requests
            "MINISTACK_HOST": "127.0.0.1",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "PERSIST_STATE": "0",
            "S3_PERSIST": "0",
            "AUTH": "false",
            "CLOUDTRAIL_RECORDING": "0",
            "LOG_LEVEL": "WARNING",
            "SERVICES": SERVICES,
            "STATE_DIR": str(state_dir),
            "S3_DATA_DIR": str(state_dir / "s3"),
            "DOCKER_HOST": "unix:///nonexistent",  # else it looks for containers to sweep
        }
    )
    for service in OFF_WITH_WARNINGS:
        logging.getLogger(service).setLevel(logging.ERROR)
    from ministack.app import app  # noqa: PLC0415 (see the docstring)

    return cast("AsgiApp", app)


def scope_of(*, method: str, path: str, query: bytes, headers: HeaderPairs) -> Message:
    """Build the ASGI scope of one HTTP request from this machine; `path` is percent-decoded."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": None,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": LOOPBACK,
        "server": LOOPBACK,
    }


async def call(app: AsgiApp, scope: Message, body: bytes) -> Answer:
    """Send one request to the application and collect its whole answer."""
    sent = False
    status = 500
    headers: HeaderPairs = ()
    chunks: list[bytes] = []

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], message["headers"]
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await app(scope, receive, send)
    return Answer(status=status, headers=headers, body=b"".join(chunks))


@asynccontextmanager
async def lifespan(app: AsgiApp) -> AsyncIterator[None]:
    """Run the application's start-up and shut-down, as an ASGI server does."""
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.ensure_future(app({"type": "lifespan"}, to_app.get, from_app.put))

    async def phase(name: str) -> None:
        await to_app.put({"type": f"lifespan.{name}"})
        answer = asyncio.ensure_future(from_app.get())
        await asyncio.wait(
            (answer, task), timeout=LIFESPAN_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
        )
        if not answer.done():
            answer.cancel()
            if task.done():
                await task  # raises what the application raised
            raise RuntimeError(f"MiniStack gave no answer to its {name}")
        message = answer.result()
        if message["type"] != f"lifespan.{name}.complete":
            raise RuntimeError(f"MiniStack did not complete its {name}: {message}")

    await phase("startup")
    try:
        yield
    finally:
        await phase("shutdown")
        await task
