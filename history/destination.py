"""Where load may go: loopback, the deployed stack's own host, or one that was named.

Everything that sends load calls `require_allowed` first (DESIGN.md 8).
"""

import dataclasses
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from history.errors import UserError
from history.operation import Kind

METHODS = {Kind.INCREMENT: "GET", Kind.DECREMENT: "POST"}
"""What asks a counter for each. POST, because intermediaries re-send GET, PUT and DELETE."""
DECREMENT_PATH = "decrement"
"""Where a counter is decremented: below its own path."""

UNSAFE_PATH = "unsafe"
"""Where a stack with DeployControls=true can be read and written without atomicity, likewise."""

REFUSED_PAUSE_S = 0.05
"""What a generator waits after a request that could not be sent at all. Nothing is gained by
trying 10,000 times a second, and nothing is hidden: each try is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """An HTTP URL taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the URL and the Host header spell them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL, put together again."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def of(self, kind: Kind) -> "Destination":
        """Give where a counter's requests of a kind go; a query stays."""
        return self.below(DECREMENT_PATH) if kind is Kind.DECREMENT else self

    def below(self, name: str) -> "Destination":
        """Give what lies below this path; a query stays."""
        path, mark, query = self.path.partition("?")
        return dataclasses.replace(self, path=f"{path.rstrip('/')}/{name}{mark}{query}")


def parse_destination(url: str) -> Destination:
    """Take an http(s) URL apart.

    Raises UserError when it is not one, or carries a user name, password, or fragment.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UserError(
            f"URL={url}: not a URL ({error}); expected http://HOST:PORT/PATH"
        ) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UserError(f"URL={url}: expected http://HOST:PORT/PATH or https://HOST/PATH")
    if port == 0 or not (parts.path + parts.query).isascii() or parts.path.startswith("//"):
        raise UserError(
            f"URL={url}: expected a port from 1 to 65535 and a path of ASCII characters that "
            "begins with a single slash; write others percent-encoded"
        )
    if parts.username or parts.password or parts.fragment:
        raise UserError(
            f"URL={parts.scheme}://…@{parts.hostname}: user names, passwords and fragments are not "
            "supported in URL; leave them out"
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or (443 if parts.scheme == "https" else 80),
        path=path,
    )


def require_allowed(url: str, allowed_hosts: Iterable[str] = ()) -> Destination:
    """Give the destination if load may be sent there.

    `allowed_hosts` are the deployed stack's own host and what ALLOW_HOST names. A name is
    loopback only if every address it resolves to is. Raises UserError otherwise.
    """
    destination = parse_destination(url)
    allowed = {host.strip().lower() for host in allowed_hosts if host.strip()}
    if destination.host.lower() in allowed or is_loopback(destination.host):
        return destination
    raise UserError(
        f"URL={url}: load is sent only to loopback addresses and to the deployed stack's own "
        f"host, found {destination.host}; if that server is yours and may be loaded, name it: "
        f"ALLOW_HOST={destination.host}"
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only mean this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(
        ipaddress.ip_address(str(address[0]).split("%")[0]).is_loopback for *_, address in found
    )


def encode_request(counter: Destination, kind: Kind, *, user_agent: str) -> bytes:
    """Spell the request that asks a counter for an increment or a decrement."""
    destination = counter.of(kind)
    # A POST says that it has no body (RFC 9110, 8.6); of a body that is not there it gives no type.
    length = "Content-Length: 0\r\n" if METHODS[kind] == "POST" else ""
    return (
        f"{METHODS[kind]} {destination.path} HTTP/1.1\r\nHost: {destination.authority}\r\n"
        f"User-Agent: {user_agent}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n{length}\r\n"
    ).encode("ascii")
