"""One HTTP request, sent exactly once, for the commands that walk a deployed API by hand."""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from history.errors import UserError

REQUEST_TIMEOUT_S = 35.0
"""Longer than API Gateway's own 29 s, so that its 504 is seen."""
BODY_LIMIT_BYTES = 100_000
CONFLICT = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one request was answered."""

    status: int
    body: str
    cache_control: str | None
    elapsed_ms: float


def send(method: str, url: str, body: str | None = None) -> Reply:
    """Send one request on a connection of its own; never again, whatever happens to it.

    Raises UserError if there is no answer.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.netloc, timeout=REQUEST_TIMEOUT_S)
    headers = {"Connection": "close"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    start = time.perf_counter()
    try:
        connection.request(method, parts.path or "/", body=body, headers=headers)
        response = connection.getresponse()
        text = response.read(BODY_LIMIT_BYTES).decode("utf-8", "replace")
        return Reply(
            status=response.status,
            body=text,
            cache_control=response.getheader("Cache-Control"),
            elapsed_ms=(time.perf_counter() - start) * 1000,
        )
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{method} {url}: no answer ({type(error).__name__}: {error})") from error
    finally:
        connection.close()


def await_serving(url: str, say: Callable[[str], None], *, timeout_s: float) -> bool:
    """Wait until a new API answers a GET with "no counter yet", which changes nothing.

    On AWS a new URL and a new role take some seconds to work everywhere. Says so and returns False
    if it takes longer than `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = 0.1
    while True:
        try:
            seen = f"answers {send('GET', url).status}"
        except UserError as error:
            seen = str(error)
        if seen == f"answers {CONFLICT}":
            return True
        if time.monotonic() > deadline:
            say(f"{url} does not serve yet after {timeout_s:g} s: {seen}")
            return False
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 2.0)
