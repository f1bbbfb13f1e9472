"""Small histories to ask the oracle about: anything at all, and right ones that were bent."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import pyarrow as pa
from hypothesis import strategies as st

from analysis.cells import typed_batch
from analysis.record import TableRecord
from analysis.run import Run
from history.manifest import ClockBound
from history.operation import INT64_MAX, INT64_MIN, Returns
from tests.analysis.oracle import History, Request

KINDS = ("increments", "reads", "windows", "re-sends", "hosts", "together")
"""What histories are made of; `together` is all of it at once."""
BENDS = ("swap", "duplicate", "gap", "shift", "late")
FAR = 10**12
"""Further apart than any array reaches."""
_WINDOWS = {"windows": (None, 0, 2, 5), "together": (None, 0, 2, 5), "re-sends": (None, 0, 3)}
_LATEST = (14, 14, 6)
"""When the last request of a history is sent at most; early, where many are at once."""
_BASES = (0, 0, 0, 3, -3, FAR, -FAR, INT64_MIN + 40, INT64_MAX - 60)
_SLACKS = (4, 2, 1)
"""How much earlier a request may be sent, and later be answered, than it takes effect."""

_SIZES = (0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7)
"""How many requests a history has: where few are, little can go wrong."""

_MAY_HAPPEN_MAX = 6
T = TypeVar("T")


class Choice(Protocol):
    """Where a generator gets its choices from."""

    def between(self, low: int, high: int) -> int:
        """Choose an integer, both ends included."""

    def one_of(self, options: Sequence[T]) -> T:
        """Choose one of these."""


class Dice:
    """Choices by a seeded generator."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- nothing to keep secret

    def between(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def one_of(self, options: Sequence[T]) -> T:
        return self._random.choice(options)


class Drawn:
    """Choices by Hypothesis, which finds the smallest ones that still fail."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def between(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def one_of(self, options: Sequence[T]) -> T:
        return options[self._draw(st.integers(0, len(options) - 1))]


@st.composite
def drawn_histories(draw: st.DrawFn, kind: str) -> History:
    """Histories of a kind, for property tests."""
    return any_history(Drawn(draw), kind)


def any_history(choose: Choice, kind: str) -> History:
    """Give a history of a kind: arbitrary, or right but for at most two bends."""
    if choose.between(0, 3) == 0:
        return arbitrary(choose, kind)
    history = right(choose, kind)
    for _ in range(choose.one_of((1, 0, 1, 2))):
        history = bent(choose, history)
    return history


def arbitrary(choose: Choice, kind: str) -> History:
    """Anything at all: mostly wrong."""
    base = choose.one_of(_BASES)
    values = [base + step for step in (1, 2, 3, 1, 2, 4, 5, 0, -1)]
    longest, latest = 2 * choose.one_of(_SLACKS), choose.one_of(_LATEST)
    requests = []
    for _ in range(choose.one_of(_SIZES)):
        start = choose.between(0, latest)
        request = Request(
            start=start,
            end=start + choose.between(0, longest),
            is_read=_has(kind, "reads") and choose.between(0, 3) == 0,
            value=choose.one_of(values),
            attempts=_attempts(choose, kind),
            host=_host(choose, kind),
        )
        if choose.between(0, 2) == 0:
            request = _unanswered(choose, request)
        if kind == "together" and request.end is not None and choose.between(0, 9) == 9:
            request = replace(request, end=start - 1)
        requests.append(request)
    final = choose.one_of((None, None, base + choose.between(-1, 6)))
    return _whole(choose, kind, requests, base=base, final=final)


def _has(kind: str, what: str) -> bool:
    return kind in {what, "together"}


def _attempts(choose: Choice, kind: str) -> int:
    return choose.one_of((1, 1, 2, 3)) if _has(kind, "re-sends") else 1


def _host(choose: Choice, kind: str) -> str:
    return choose.one_of(("", "b", "", "b", "c")) if _has(kind, "hosts") else ""


def _unanswered(choose: Choice, request: Request) -> Request:
    outcome = choose.one_of(("indeterminate", "indeterminate", "indeterminate", "rejected"))
    end = None if outcome == "indeterminate" and choose.between(0, 2) else request.end
    return replace(request, outcome=outcome, value=None, end=end)


def _whole(
    choose: Choice, kind: str, requests: Sequence[Request], *, base: int, final: int | None
) -> History:
    """Put a history together, with no more that may have happened than can be tried out."""
    kept, may_happen = [], 0
    for request in requests:
        may_happen += (request.attempts - 1) + (request.outcome == "indeterminate")
        if may_happen <= _MAY_HAPPEN_MAX:
            kept.append(request)
    return History(
        requests=tuple(kept),
        base=base,
        final=final,
        window=choose.one_of(_WINDOWS[kind]) if kind in _WINDOWS else None,
        clocks=_clocks(choose) if _has(kind, "hosts") else {},
    )


def _clocks(choose: Choice) -> Mapping[str, tuple[int, int]]:
    """Say what is known of clocks: of all of them, of some, of none."""
    known = choose.one_of((("", "b", "c"), ("", "b", "c"), ("", "b"), ()))
    return {host: (choose.one_of((0, 0, -3, 5)), choose.one_of((0, 0, 1, 3))) for host in known}


def right(choose: Choice, kind: str) -> History:
    """Give what a correct counter answers: effects at instants within their intervals.

    A host's clock shows the common time less its offset, give or take its error.
    """
    base = choose.one_of(_BASES)
    blank = _whole(choose, kind, [], base=base, final=None)
    requests: list[Request] = []
    moments: list[tuple[int, int, str]] = []
    slack, latest = choose.one_of(_SLACKS), choose.one_of(_LATEST)
    for _ in range(choose.one_of(_SIZES)):
        instant = choose.between(0, latest)
        request, instants = _attempt(choose, kind, instant, window=blank.window, slack=slack)
        moments += [(instant, len(requests), role) for instant, role in instants]
        requests.append(request)
    counter = base
    for _, at, role in sorted(moments):
        counter += role != "read"
        if role != "unseen":
            requests[at] = replace(requests[at], value=counter)
    if kind in {"hosts", "together"}:
        wrong = {host: choose.between(-error, error) for host, (_, error) in blank.clocks.items()}
        requests = [_stamped(request, blank.clocks, wrong) for request in requests]
    final = choose.one_of((None, counter))
    return replace(blank, requests=tuple(requests), final=final)


def _attempt(
    choose: Choice, kind: str, instant: int, *, window: int | None, slack: int
) -> tuple[Request, list[tuple[int, str]]]:
    """Give a request, without its value, and when what of it happened."""
    start, end = instant - choose.between(0, slack), instant + choose.between(0, slack)
    roles = ["increment", "increment", "increment", "unseen", "never"]
    roles += ["read", "read"] if _has(kind, "reads") else []
    role = choose.one_of(roles)
    request = Request(start=start, end=end, is_read=role == "read", host=_host(choose, kind))
    instants = [(instant, role)]
    if role in {"unseen", "never"}:
        request = _unanswered(choose, request)
        certain_not = role == "never" or request.outcome == "rejected"
        late = window is not None and instant > start + window
        instants = [] if certain_not or late else instants
    if role != "read" and _has(kind, "re-sends"):
        request = replace(request, attempts=choose.one_of((1, 1, 2)))
        if request.attempts > 1 and choose.between(0, 1):
            until = end + (4 if window is None else window)
            instants.append((choose.between(start, until), "unseen"))
    return request, instants


def _stamped(
    request: Request, clocks: Mapping[str, tuple[int, int]], wrong: Mapping[str, int]
) -> Request:
    """Give a request with the times that its host's clock showed."""
    behind = clocks.get(request.host, (0, 0))[0] + wrong.get(request.host, 0)
    end = None if request.end is None else request.end - behind
    return replace(request, start=request.start - behind, end=end)


def bent(choose: Choice, history: History) -> History:
    """Bend one thing."""
    valued = [n for n, request in enumerate(history.requests) if request.value is not None]
    if not valued:
        return history
    at = choose.one_of(valued)
    requests = list(history.requests)
    one = requests[at]
    match choose.one_of(BENDS):
        case "swap":
            other = choose.one_of(valued)
            requests[at] = replace(one, value=requests[other].value)
            requests[other] = replace(requests[other], value=one.value)
        case "duplicate":
            if choose.between(0, 1):
                requests.append(_moved(choose, one))
            else:
                requests[at] = replace(one, value=requests[choose.one_of(valued)].value)
        case "gap":
            if choose.between(0, 2) and not one.is_read:
                requests[at] = _lost(choose, one)
            else:
                del requests[at]
        case "shift":
            by = choose.one_of((1, -1, 1, -1, 2, FAR, -FAR))
            value = min(max((one.value or 0) + by, INT64_MIN + 1), INT64_MAX - 1)
            requests[at] = replace(one, value=value)
        case "late":
            at = choose.between(0, len(requests) - 1)
            requests[at] = _moved(choose, requests[at])
    return replace(history, requests=tuple(requests))


def _lost(choose: Choice, request: Request) -> Request:
    """Give a request whose answer was lost; what was missed was sent about then, if at all."""
    start = request.start + choose.one_of((0, -2, -4, -7, 2, 4))
    end = None if request.attempts == 1 else max(start, request.end or start)
    return replace(request, outcome="indeterminate", value=None, start=start, end=end)


def _moved(choose: Choice, request: Request) -> Request:
    """Give a request that was sent later, or answered earlier, than it was."""
    if request.end is None:
        return replace(request, start=request.start + choose.between(1, 8))
    end = request.end
    match choose.one_of(("sent at its end", "answered at its start", "later", "earlier")):
        case "sent at its end":
            return replace(request, start=end)
        case "answered at its start":
            return replace(request, end=request.start)
        case "later":
            by = choose.between(1, 8)
        case _:
            by = -choose.between(1, 8)
    return replace(request, start=request.start + by, end=end + by)


def run_of_history(history: History, *, returns: Returns = Returns.NEW) -> Run:
    """Give what the checks judge, every explained hole allowed."""
    shift = 1 if returns is Returns.OLD else 0
    requests = history.requests
    rows: dict[str, list[int | str | None]] = {
        "kind": ["read" if request.is_read else "increment" for request in requests],
        "start_ns": [request.start for request in requests],
        "end_ns": [request.end for request in requests],
        "outcome": [request.outcome for request in requests],
        "value": [
            None if request.value is None else request.value - shift * (not request.is_read)
            for request in requests
        ],
        "attempts": [request.attempts for request in requests],
        "host": [request.host for request in requests],
    }
    cells = {
        name: pa.array(column, pa.string() if name in {"kind", "outcome", "host"} else pa.int64())
        for name, column in rows.items()
    }
    if len(history.hosts) <= 1 and "" in history.hosts:
        del cells["host"]
    batch = typed_batch(cells, len(requests), where="rows", first_row=1)
    return Run(
        run_id="rows",
        record=TableRecord(pa.Table.from_batches([batch])),
        initial=history.base,
        final=history.final,
        returns=returns,
        allow_unanswered=INT64_MAX,
        window_ns=history.window,
        clocks={
            host: ClockBound(host=host, offset_ns=offset, error_ns=error)
            for host, (offset, error) in history.clocks.items()
        },
    )
