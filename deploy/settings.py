"""Which target a command works on, read once from the environment the Makefile passes on."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from deploy.cloud import configured_region
from deploy.local.engines.choice import MINISTACK, EngineChoice, engine_of, names_of
from deploy.local.options import MINISTACK_ENGINE, CloudOptions, Limits, limits_of
from history.errors import UserError
from history.operation import Returns

DEFAULT_STACK = "gapless"
DEFAULT_REGION = "us-east-1"
DEFAULT_LOCAL_PORT = 4566
PORT_MAX = 65_535
STACK_NAME = re.compile(r"[A-Za-z][-A-Za-z0-9]{0,117}")
"""CloudFormation's own rule, less the ten characters of "-smoke-new"."""


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
    returns: Returns
    limits: Limits = Limits.NONE
    engine: EngineChoice = MINISTACK_ENGINE

    @property
    def cloud_options(self) -> CloudOptions:
        """What a local cloud is started as."""
        return CloudOptions(limits=self.limits, engine=self.engine)


def read_settings(
    environment: Mapping[str, str],
    *,
    region_of_profile: Callable[[str | None], str | None] = configured_region,
) -> Settings:
    """Read the settings' variables, and URL to refuse what has no meaning with it.

    Blank means not set. Raises UserError naming what was found and what is allowed.
    """

    def value(*names: str, default: str) -> str:
        return next(
            (found for name in names if (found := environment.get(name, "").strip())), default
        )

    endpoint_url = url_of(value("ENDPOINT_URL", default=""))
    name = value("TARGET", default=Target.LOCAL.value)
    if name not in (Target.LOCAL.value, Target.AWS.value):
        raise UserError(f"TARGET={name} is unknown: it is local or aws")
    target = Target(name)
    if endpoint_url is not None:
        target = Target.ENDPOINT
    limits = limits_of(value("LIMITS", default=Limits.NONE.value))
    if limits is not Limits.NONE:
        require_local("LIMITS", limits.value, target, url=value("URL", default=""))
    engine = engine_of(
        value("ENGINE", default=MINISTACK),
        dynamodb_local=value("DYNAMODB_LOCAL", default=""),
        allowed_hosts=names_of(value("ALLOW_HOST", default="")),
    )
    if engine != MINISTACK_ENGINE:
        require_local("ENGINE", engine.name, target, url=value("URL", default=""))
    region = value("REGION", "AWS_REGION", "AWS_DEFAULT_REGION", default="")
    if not region and target is Target.AWS:
        region = region_of_profile(value("AWS_PROFILE", default="") or None) or ""
    return Settings(
        target=target,
        endpoint_url=endpoint_url,
        stack=stack_name_of(value("STACK", default=DEFAULT_STACK)),
        region=region or DEFAULT_REGION,
        local_port=port_of(value("LOCAL_PORT", default=str(DEFAULT_LOCAL_PORT))),
        returns=returns_of(value("RETURNS", default=str(Returns.NEW))),
        limits=limits,
        engine=engine,
    )


def require_local(name: str, text: str, target: Target, *, url: str) -> None:
    """Refuse a variable that only the embedded local cloud obeys on any other target."""
    other = {Target.AWS: "TARGET=aws", Target.ENDPOINT: "ENDPOINT_URL"}.get(target)
    other = "URL" if url else other
    if other is not None:
        raise UserError(
            f"{name}={text} is for the embedded local cloud and has no meaning with {other}: "
            f"leave {name} out"
        )


def url_of(text: str) -> str | None:
    """Check that an endpoint is an http or https address; None if there is none."""
    if not text:
        return None
    expected = "expected http://host:port"
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is no port
    except ValueError as error:
        raise UserError(f"ENDPOINT_URL={text} is not an address ({error}): {expected}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"ENDPOINT_URL={text} is not an address: {expected}")
    return text


def stack_name_of(text: str) -> str:
    """Check a stack's name before anything is started for it."""
    if STACK_NAME.fullmatch(text) is None:
        raise UserError(
            f"STACK={text} is not a stack's name: expected a letter, then letters, digits and "
            "dashes, at most 118 characters"
        )
    return text


def returns_of(text: str) -> Returns:
    """Read which value an increment answers."""
    try:
        return Returns(text)
    except ValueError:
        raise UserError(
            f"RETURNS={text}: expected new (the value after an increment) or old (the value "
            "before it)"
        ) from None


def port_of(text: str) -> int:
    """Parse a port number."""
    if not text.isascii() or not text.isdigit() or int(text) > PORT_MAX:
        raise UserError(f"LOCAL_PORT={text} is not a port: expected 0 (any free one) to {PORT_MAX}")
    return int(text)
