"""What runs a DynamoDB action: the interface, and any DynamoDB endpoint over HTTP."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import aiohttp

TARGET_PREFIX = "DynamoDB_20120810."
CONTENT_TYPE = "application/x-amz-json-1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One DynamoDB request, and whose table it is about."""

    action: str
    region: str
    account: str
    body: bytes

    def authorization(self) -> str:
        """Name account and region as a signature's scope does; emulators check no signature."""
        return authorization(self.account, self.region, "dynamodb")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineAnswer:
    """What DynamoDB answered; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Engine(Protocol):
    """A DynamoDB that API Gateway's integrations call."""

    async def call(self, call: Call, *, timeout_s: float) -> EngineAnswer:
        """Run one action once.

        Raises TimeoutError after `timeout_s`, while the action goes on and may still be applied,
        and ConnectionError if there was no answer.
        """
        ...


class HttpEngine:
    """Any DynamoDB endpoint over HTTP.

    Always POST, which aiohttp never sends a second time on its own.
    """

    def __init__(self, session: aiohttp.ClientSession, endpoint_url: str) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
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
            "Authorization": call.authorization(),
        }
        try:
            async with self._session.post(
                self._endpoint_url, data=call.body, headers=headers, allow_redirects=False
            ) as response:
                body = await response.read()
                found = {name.lower(): value for name, value in response.headers.items()}
                return EngineAnswer(status=response.status, headers=found, body=body)
        except aiohttp.ClientError as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error


def authorization(access_key: str, region: str, service: str) -> str:
    """Build an Authorization header that names a scope; its signature is a placeholder."""
    return (
        f"AWS4-HMAC-SHA256 Credential={access_key}/20000101/{region}/{service}/aws4_request, "
        "SignedHeaders=host, Signature=0"
    )
