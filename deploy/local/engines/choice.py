"""Which DynamoDB holds the items: what ENGINE says, checked."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from history.destination import is_loopback
from history.errors import UserError

MINISTACK = "ministack"
DYNALITE = "dynalite"
DYNAMODB_LOCAL = "dynamodb-local"
NAMED = (MINISTACK, DYNALITE, DYNAMODB_LOCAL)
EXPECTED = (
    f"it is {', '.join(NAMED)}, or the address of a DynamoDB API such as http://127.0.0.1:8000"
)
REAL_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """An engine by name, or the address of any DynamoDB API."""

    name: str = MINISTACK
    dynamodb_local: Path | None = None
    """Where the user keeps DynamoDB Local, for the engine of that name."""

    @property
    def url(self) -> str | None:
        """The address, None for an engine by name."""
        return None if self.name in NAMED else self.name

    def to_arguments(self) -> list[str]:
        """Write it as `python -m deploy.local` reads it, its own host allowed: it was checked."""
        arguments = ["--engine", self.name]
        if self.url is not None:
            arguments += ["--allow-host", urlsplit(self.url).hostname or ""]
        if self.dynamodb_local is not None:
            arguments += ["--dynamodb-local", str(self.dynamodb_local)]
        return arguments


def names_of(text: str) -> list[str]:
    """Read the make variable ALLOW_HOST: names with commas or blanks between them."""
    return text.replace(",", " ").split()


def engine_of(
    text: str, *, dynamodb_local: str = "", allowed_hosts: Iterable[str] = ()
) -> EngineChoice:
    """Read the make variables ENGINE and DYNAMODB_LOCAL.

    An address is loaded as hard as the API, so the same hosts are allowed: loopback, and those that
    `allowed_hosts` name. Raises UserError for anything else, and for AWS itself.
    """
    if text == DYNAMODB_LOCAL:
        if not dynamodb_local:
            raise UserError(
                "ENGINE=dynamodb-local needs DYNAMODB_LOCAL=<the folder with DynamoDBLocal.jar>: "
                "AWS's own download, whose licence asks for an AWS account; it is not fetched "
                "for you"
            )
        return EngineChoice(name=text, dynamodb_local=Path(dynamodb_local).expanduser().resolve())
    if text in NAMED:
        return EngineChoice(name=text)
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is no port
    except ValueError as error:
        raise UserError(f"ENGINE={text} is not an address ({error}): {EXPECTED}") from None
    host = (parts.hostname or "").lower()
    if parts.username or parts.password:
        raise UserError(
            f"ENGINE={parts.scheme}://…@{host}: user names and passwords are not supported in "
            "ENGINE; leave them out"
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise UserError(f"ENGINE={text} is unknown: {EXPECTED}")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise UserError(f"ENGINE={text}: expected an address without a path, http://HOST:PORT")
    if host.endswith(REAL_AWS):
        raise UserError(
            f"ENGINE={text} is AWS's own DynamoDB, which no emulated API may load: deploy the API "
            "there as well, with TARGET=aws"
        )
    allowed = {name.strip().lower() for name in allowed_hosts}
    if host not in allowed and not is_loopback(host):
        raise UserError(
            f"ENGINE={text}: load is sent only to databases on this machine, found {host}; if that "
            f"database is yours and may be loaded, name it: ALLOW_HOST={host}"
        )
    return EngineChoice(name=f"{parts.scheme}://{parts.netloc}")
