"""What a recorded HTTP request was to the counter: its kind, and what its answer tells."""

import re

from analysis.cells import quoted
from history.classify import Classified, classify_answer, classify_failure
from history.errors import UserError
from history.operation import Kind, Reason

_DECREMENT = re.compile(r"(?:^|/)dec(?:rement)?/?(?:[?#].*)?$", re.IGNORECASE)
_NO_OPERATIONS = {"PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}
_TIMED_OUT = re.compile(r"time(?:d\s*-?)?\s*-?out|deadline exceeded", re.IGNORECASE)
_STATUS = re.compile(r"[0-9]{1,3}")
_OK = 200


def kind_of(method: str, target: str) -> Kind | None:
    """Give what a request asked for; None if it sets the counter or is no operation on it.

    A target (a URL or its name) that ends in /decrement or /dec is a decrement, as DESIGN.md 2
    has it; any other GET or POST is an increment.
    """
    if method.upper() in _NO_OPERATIONS:
        return None
    return Kind.DECREMENT if _DECREMENT.search(target) else Kind.INCREMENT


def named_kind(text: str, where: str) -> Kind:
    """Give the kind that a script wrote down itself."""
    if text not in list(Kind):
        raise UserError(f"{where}: found kind {quoted(text)}, expected one of {', '.join(Kind)}")
    return Kind(text)


def status_of(text: str, where: str) -> int:
    """Give a status as a script writes it; 0 is no answer."""
    if not _STATUS.fullmatch(text):
        raise UserError(f"{where}: found status {quoted(text)}, expected a number of 0 to 999")
    return int(text)


def seen(status: int, body: bytes, error: str) -> Classified:
    """Judge what another client saw, as ours judge it (history.classify).

    Status 0 is no answer. That is never `rejected`: Go's client and Locust's FastHttpUser tell of
    the last send only, and one before it, on a connection that broke, may have been applied.
    """
    if status == 0:
        return classify_failure(Reason.TIMEOUT if _TIMED_OUT.search(error) else Reason.NO_ANSWER)
    if status == _OK and error:
        return classify_failure(Reason.TRUNCATED)
    return classify_answer(status, body)
