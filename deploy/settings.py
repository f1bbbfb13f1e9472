"""Which target a command works on, read once from the environment the Makefile passes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from history.errors import UserError

DEFAULT_STACK = "gapless"
DEFAULT_REGION = "us-east-1"
DEFAULT_LOCAL_PORT = 4566
PORT_MAX = 65_535


class Target(Enum):
    """Where the stack is deployed."""

    LOCAL = "local"
    """The embedded local cloud on 127.0.0.1."""
    AWS = "aws"
    """Real AWS, with the user's own credentials."""
    ENDPOINT = "endpoint"
    """Any AWS-compatible endpoint, named by ENDPOINT_URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment asks for."""

    target: Target
    endpoint_url: str | None
    stack: str
    region: str
    local_port: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read TARGET, ENDPOINT_URL, STACK, REGION and LOCAL_PORT; blank means not set.

    Raises UserError naming what was found and what is allowed.
    """

    def value(*names: str, default: str) -> str:
        return next(
            (found for name in names if (found := environment.get(name, "").strip())), default
        )

    endpoint_url = value("ENDPOINT_URL", default="") or None
    name = value("TARGET", default=Target.LOCAL.value)
    if name not in (Target.LOCAL.value, Target.AWS.value):
        raise UserError(f"TARGET={name} is unknown: it is local or aws")
    target = Target(name)
    if endpoint_url is not None:
        check_url(endpoint_url)
        target = Target.ENDPOINT
    return Settings(
        target=target,
        endpoint_url=endpoint_url,
        stack=value("STACK", default=DEFAULT_STACK),
        region=value("REGION", "AWS_REGION", "AWS_DEFAULT_REGION", default=DEFAULT_REGION),
        local_port=port_of(value("LOCAL_PORT", default=str(DEFAULT_LOCAL_PORT))),
    )


def check_url(url: str) -> None:
    """Refuse an endpoint that is not an http or https address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"ENDPOINT_URL={url} is not an address: expected http://host:port")


def port_of(text: str) -> int:
    """Parse a port number."""
    if not text.isascii() or not text.isdigit() or int(text) > PORT_MAX:
        raise UserError(f"LOCAL_PORT={text} is not a port: expected 0 (any free one) to {PORT_MAX}")
    return int(text)
