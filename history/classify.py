"""From what a client saw to an outcome: the one table (DESIGN.md 5).

An answer is `ok` only if its status is 200 and its body is exactly one integer. It is
`rejected` only when it is certain that nothing was applied. Everything else, and everything
unknown, is `indeterminate`: a wrong `rejected` hides an applied increment and turns into a
false FAIL; a wrong `ok` turns into a false PASS.
"""

import re
from typing import NamedTuple

from history.operation import INT64_MAX, INT64_MIN, Outcome, Reason

MAX_BODY_BYTES = 4096
"""A client reads no more of a body than this: everything a server sends is untrusted."""

_INTEGER = re.compile(rb"[ \t\r\n]*(-?(?:0|[1-9][0-9]*))[ \t\r\n]*")
_MAX_DIGITS = 19  # of 2**63; longer ones are not even converted
_ZERO = ord("0")
_OK, _INTEGER_REASON = Outcome.OK, Reason.INTEGER  # an enum's attribute costs 50 ns each time

STATUS_TABLE: dict[int, tuple[Outcome, Reason]] = {
    # The gateway's own answers, given before the integration is called, and those which
    # deploy/template.yml maps from a DynamoDB error that applied nothing.
    400: (Outcome.REJECTED, Reason.VALIDATION),
    403: (Outcome.REJECTED, Reason.FORBIDDEN),
    404: (Outcome.REJECTED, Reason.NOT_FOUND),
    409: (Outcome.REJECTED, Reason.CONFLICT),
    413: (Outcome.REJECTED, Reason.TOO_LARGE),
    415: (Outcome.REJECTED, Reason.UNSUPPORTED_MEDIA_TYPE),
    429: (Outcome.REJECTED, Reason.THROTTLED),
}
"""Outcome by status for answers other than 200; any 5xx and any status not named here is
indeterminate."""


class Classified(NamedTuple):
    """An outcome, the value (exactly when ok), and why."""

    outcome: Outcome
    value: int | None
    reason: Reason


class Answer(NamedTuple):
    """What became of one request.

    Its classification, HTTP status (0: none came), how often it was sent, and how many bytes
    of body were read.
    """

    seen: Classified
    status: int
    attempts: int
    body_bytes: int = 0


def answer_of(status: int, body: bytes, *, complete: bool = True, attempts: int = 1) -> Answer:
    """Judge what a client read: all of the body, or MAX_BODY_BYTES and one byte of it."""
    # A body beyond the bound was not read to its end by our own choice.
    whole = complete or len(body) > MAX_BODY_BYTES
    seen = classify_answer(status, body) if whole else classify_failure(Reason.TRUNCATED)
    return Answer(seen, status, attempts, len(body))


def no_answer(reason: Reason, *, attempts: int = 1) -> Answer:
    """Judge a request that ended without an answer; one that was never sent has no attempts."""
    return Answer(classify_failure(reason), 0, 0 if reason is Reason.NEVER_SENT else attempts)


def classify_answer(status: int, body: bytes) -> Classified:
    """Judge a complete answer: its status and its whole body, or more than MAX_BODY_BYTES of it."""
    if status == 200:  # noqa: PLR2004
        # The usual case first: this runs once an answer, between two stamps of the load.
        if body.isdigit() and len(body) < _MAX_DIGITS and (body[0] != _ZERO or len(body) == 1):
            return Classified(_OK, int(body), _INTEGER_REASON)
        return _classify_body(body)
    outcome, reason = STATUS_TABLE.get(
        status,
        (
            Outcome.INDETERMINATE,
            Reason.SERVER_ERROR if 500 <= status <= 599 else Reason.UNEXPECTED_STATUS,  # noqa: PLR2004
        ),
    )
    return Classified(outcome, None, reason)


def _classify_body(body: bytes) -> Classified:
    match = _INTEGER.fullmatch(body) if len(body) <= MAX_BODY_BYTES else None
    if match is None:
        return Classified(Outcome.INDETERMINATE, None, Reason.NOT_AN_INTEGER)
    digits = match[1]
    value = int(digits) if len(digits.lstrip(b"-")) <= _MAX_DIGITS else None
    if value is None or not INT64_MIN <= value <= INT64_MAX:
        # The record holds 64 bits. `bounded` fails on such an answer: it is not lost.
        return Classified(Outcome.INDETERMINATE, None, Reason.VALUE_EXCEEDS_64_BITS)
    return Classified(Outcome.OK, value, Reason.INTEGER)


def classify_failure(reason: Reason) -> Classified:
    """Judge a request that ended without a complete answer."""
    outcome = Outcome.REJECTED if reason is Reason.NEVER_SENT else Outcome.INDETERMINATE
    return Classified(outcome, None, reason)
