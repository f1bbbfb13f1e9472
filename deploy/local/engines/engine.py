"""What runs a DynamoDB action: the interface of every engine."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

TARGET_PREFIX = "DynamoDB_20120810."
CONTENT_TYPE = "application/x-amz-json-1.0"
SIGNED_AT = "20000101T000000Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One DynamoDB request, and whose table it is about."""

    action: str
    region: str
    account: str
    body: bytes


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


@lru_cache(maxsize=256)
def authorization(access_key: str, region: str, service: str) -> str:
    """Build an Authorization header that names a scope.

    Its signature is a placeholder: emulators check none. dynalite wants one that looks like one,
    and the header X-Amz-Date with it (SIGNED_AT).
    """
    return (
        f"AWS4-HMAC-SHA256 Credential={access_key}/{SIGNED_AT[:8]}/{region}/{service}/aws4_request,"
        f" SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    )
