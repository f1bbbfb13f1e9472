"""Any DynamoDB endpoint, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp

from deploy.local.engine import (
    CONTENT_TYPE,
    SIGNED_AT,
    TARGET_PREFIX,
    Call,
    EngineAnswer,
    authorization,
)


class HttpEngine:
    """Any DynamoDB endpoint over HTTP.

    Always POST, which aiohttp never sends a second time on its own. `url` is asked for each
    request: a database that was started again may be somewhere else.
    """

    def __init__(self, session: aiohttp.ClientSession, url: Callable[[], str]) -> None:
        self._session = session
        self._url = url
        self._under_way: set[asyncio.Task[EngineAnswer]] = set()

    async def call(self, call: Call, *, timeout_s: float) -> EngineAnswer:
        """Run one action once; after the time-out it is left to finish by itself."""
        task = asyncio.create_task(self._send(call))
        self._under_way.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.wait_for(asyncio.shield(task), timeout_s)

    def _forget(self, task: asyncio.Task[EngineAnswer]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # after a time-out nobody else asks for it

    async def _send(self, call: Call) -> EngineAnswer:
        headers = {
            "Content-Type": CONTENT_TYPE,
            "X-Amz-Target": TARGET_PREFIX + call.action,
            "X-Amz-Date": SIGNED_AT,
            "Authorization": authorization(call.account, call.region, "dynamodb"),
        }
        try:
            async with self._session.post(
                self._url(), data=call.body, headers=headers, allow_redirects=False
            ) as response:
                body = await response.read()
                found = {name.lower(): value for name, value in response.headers.items()}
                return EngineAnswer(status=response.status, headers=found, body=body)
        except aiohttp.ClientError as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error


@asynccontextmanager
async def http_engine(url: Callable[[], str]) -> AsyncIterator[HttpEngine]:
    """Reach an endpoint with as many connections as there are calls under way."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield HttpEngine(session, url)
