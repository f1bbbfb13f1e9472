"""One HTTP request, sent exactly once, for the commands that walk a deployed API by hand."""

import http.client
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from history.errors import UserError

REQUEST_TIMEOUT_S = 35.0
"""Longer than API Gateway's own 29 s, so that its 504 is seen."""
BODY_LIMIT_BYTES = 100_000
BAD_REQUEST = 400
TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one request was answered."""

    status: int
    body: str
    cache_control: str | None
    elapsed_ms: float

    def text(self) -> str:
        """Return the body on one line, cut to what a person reads."""
        return " ".join(self.body.split())[:TEXT_LIMIT]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for an API, and how much makes sure that it serves."""

    timeout_s: float
    answers: int
    """Good answers in a row..."""
    spread_s: float
    """...the last of them at least this long after the first."""


NEAR = Patience(timeout_s=5.0, answers=1, spread_s=0.0)
"""One process on this machine: once it serves, it serves."""
FAR = Patience(timeout_s=120.0, answers=5, spread_s=3.0)
"""On AWS a new stage and a new role reach the hosts of API Gateway and IAM one by one."""
CHANGED = Patience(timeout_s=120.0, answers=10, spread_s=10.0)
"""After a change of what served already. AWS does not document how long its hosts take to serve a
new deployment: ten seconds are a guess, and hosts that are behind cannot be told apart."""
PAUSE_MAX_S = 2.0

REFUSED_BODY = '{"value":"none"}'
"""A PUT with this goes through gateway, role and table, is refused by DynamoDB itself as no number
(400), and changes nothing: unlike a GET, it can be asked of a counter that is in use."""


def await_serving(
    url: str,
    patience: Patience,
    *,
    ask: Callable[[str], Reply] = lambda url: send("PUT", url, REFUSED_BODY),
    good_statuses: Collection[int] = (BAD_REQUEST,),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until an API serves, asking it what changes nothing, each time on a new connection.

    `good_statuses` are those that `ask` gets only from an API that works down to its table.

    Raises UserError with what it answered last.
    """
    deadline = clock() + patience.timeout_s
    good, first_good_s, pause_s = 0, 0.0, 0.1
    while True:
        try:
            reply = ask(url)
            seen = f"its last answer was {reply.status} {reply.text()}"
            good = good + 1 if reply.status in good_statuses else 0
        except UserError as error:
            seen, good = str(error), 0
        if good == 1:
            first_good_s = clock()
            pause_s = patience.spread_s / max(1, patience.answers - 1)
        if good >= patience.answers and clock() - first_good_s >= patience.spread_s:
            return
        if clock() > deadline:
            raise UserError(f"{url} does not serve after {patience.timeout_s:g} s: {seen}")
        sleep(pause_s)
        if good == 0:
            pause_s = min(pause_s * 2, PAUSE_MAX_S)
