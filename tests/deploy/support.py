"""What the tests of `deploy/` share: a request sent once, and a DynamoDB that obeys the test."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from deploy.cloud import Cloud
from deploy.deployer import bring_up
from deploy.progress import describe
from deploy.stack import Stack
from deploy.template import TEMPLATE_PATH
from tests.patience import PATIENCE_S

BROKEN = ("ResponseType: DEFAULT_5XX", "ResponseType: DEFAULT_6XX")
"""Turns the template into one whose resource ServerErrors is refused."""
STUCK = """
  Never:
    Type: AWS::CloudFormation::WaitCondition
    DependsOn: Table
    Properties:
      Handle: !Ref Handle
      Timeout: "600"
  Handle:
    Type: AWS::CloudFormation::WaitConditionHandle

Outputs:"""
"""In the place of a line end before Outputs: a resource that never comes up."""
DONE = ("Done: '{\"ok\":true}'", 'Done: \'{"ok":"new"}\'')
"""Changes what a PUT answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    body: str
    headers: Mapping[str, str]


def request(
    method: str, url: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """Send one request, once; header names of the reply in lower case."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Reply(
            status=response.status,
            body=response.read().decode(),
            headers={name.lower(): value for name, value in response.getheaders()},
        )
    finally:
        connection.close()


def put(url: str, value: int | None = None) -> Reply:
    body = None if value is None else json.dumps({"value": value})
    return request("PUT", url, body, {"Content-Type": "application/json"})


@dataclass(slots=True)
class ScriptedDynamo:
    """A DynamoDB endpoint in a thread: forwards to a real one, or answers what a test says.

    While `held`, it forwards but keeps the answers back until `release`.
    """

    forward_to: str = ""
    scripted: tuple[int, str] | None = None
    drop: bool = False
    held: bool = False
    url: str = ""
    loop: asyncio.AbstractEventLoop | None = None
    released: asyncio.Event | None = None
    applied: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    async def handle(self, incoming: web.Request) -> web.StreamResponse:
        body = await incoming.read()
        if self.drop:
            assert incoming.transport is not None
            incoming.transport.close()
            return web.Response()
        if self.scripted is not None:
            status, text = self.scripted
            return web.Response(status=status, text=text, headers={"x-backend": "scripted"})
        names = ("Content-Type", "X-Amz-Target", "Authorization")
        headers = {name: incoming.headers[name] for name in names}
        async with aiohttp.ClientSession() as session:
            held = self.held
            if held:
                assert self.released is not None
                await self.released.wait()
            async with session.post(self.forward_to, data=body, headers=headers) as answer:
                found = await answer.read()
                if held:
                    self.applied.release()
                return web.Response(status=answer.status, body=found)

    def hold(self) -> None:
        self.held = True
        self._on_loop("clear")

    def release(self) -> None:
        self.held = False
        self._on_loop("set")

    def _on_loop(self, action: str) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(getattr(self.released, action))

    def reset(self) -> None:
        self.scripted = None
        self.drop = False
        self.release()


@contextmanager
def scripted_dynamo() -> Iterator[ScriptedDynamo]:
    """Run a ScriptedDynamo on a port of its own for the length of the block."""
    dynamo = ScriptedDynamo()
    ready = threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        dynamo.loop = asyncio.get_running_loop()
        dynamo.released = asyncio.Event()
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", dynamo.handle)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        dynamo.url = f"http://{host}:{port}"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_S)
    try:
        yield dynamo
    finally:
        assert dynamo.loop is not None
        dynamo.loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


class EditTemplate(Protocol):
    """Writes the template with passages replaced, and gives the path."""

    def __call__(self, *passages: tuple[str, str]) -> Path: ...


def standing(
    cloud: Cloud,
    name: str,
    path: Path = TEMPLATE_PATH,
    said: list[str] | None = None,
    **wanted: str,
) -> Stack:
    say = print if said is None else said.append
    return bring_up(cloud, name=name, parameters=wanted, say=say, template_path=path)


def status(cloud: Cloud, name: str) -> str | None:
    described = describe(cloud.cloudformation(), name)
    return None if described is None else described["StackStatus"]
