"""The runner's own requests: setting the counter, and the two increments that bracket a run.

http.client opens a connection for each and never sends anything twice.
"""

import http.client
import json

from history.classify import MAX_BODY_BYTES, Answer, answer_of, no_answer
from history.destination import Destination
from history.errors import UserError
from history.journal import Journal
from history.operation import Reason

PUT_ABSENT = frozenset({0, 404, 405, 501})
"""How a server says that it has no PUT (0: it hangs up): tolerated where nothing was deployed."""


def set_counter(destination: Destination, value: int, *, timeout_s: float) -> int:
    """PUT the counter to a value; give the HTTP status, 0 when the server hangs up on it.

    Raises UserError when nobody is there.
    """
    connection = _connect(destination, timeout_s)
    try:
        connection.connect()
    except OSError as error:
        raise UserError(
            f"{destination.host}:{destination.port} got no answer ({error}): nothing was loaded; "
            "is the server running there?"
        ) from error
    body = json.dumps({"value": value}).encode()
    try:
        connection.request("PUT", destination.path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read(MAX_BODY_BYTES)
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return response.status


def recorded_increment(destination: Destination, journal: Journal, *, timeout_s: float) -> Answer:
    """GET the next number once, recorded like every operation of the load."""
    slot = journal.begin(0)
    answer = _increment(destination, timeout_s)
    journal.complete(slot, answer.seen, answer.status, answer.attempts)
    return answer


def _increment(destination: Destination, timeout_s: float) -> Answer:
    connection = _connect(destination, timeout_s)
    try:
        connection.connect()
    except OSError:
        return no_answer(Reason.NEVER_SENT)
    try:
        connection.request("GET", destination.path)
        response = connection.getresponse()
        body = response.read(MAX_BODY_BYTES + 1)
        return answer_of(response.status, body)
    except TimeoutError:
        return no_answer(Reason.TIMEOUT)
    except http.client.IncompleteRead:
        return no_answer(Reason.TRUNCATED)
    except (http.client.RemoteDisconnected, OSError):
        return no_answer(Reason.CONNECTION_LOST)
    except http.client.HTTPException:
        return no_answer(Reason.MALFORMED_ANSWER)
    finally:
        connection.close()


def _connect(destination: Destination, timeout_s: float) -> http.client.HTTPConnection:
    kind = (
        http.client.HTTPSConnection if destination.scheme == "https" else http.client.HTTPConnection
    )
    return kind(destination.host, destination.port, timeout=timeout_s)
