"""What a FAIL shows must prove it: each piece of evidence, looked at by itself."""

import re
from collections.abc import Mapping
from typing import Any

from analysis.verdict import Evidence, Finding, Verdict
from tests.analysis.oracle import Event, History, came_before, events

_HALL_SET = re.compile(
    r"(?P<holes>-?[\d,]+(?:, -?[\d,]+)*): (?P<count>\d+) values? returned to nobody, and "
    r"(?P<effects>no|\d+) unanswered requests?( or re-sends?)? can have taken"
)
_RUN = re.compile(
    r"(?P<first>-?[\d,]+)(?: to (?P<last>-?[\d,]+))? \((?P<count>[\d,]+) values?\) "
    r"returned to nobody"
)


def assert_proved(history: History, finding: Finding, *, shift: int) -> None:
    """Assert that the evidence is what the history holds, and proves the FAIL."""
    assert finding.verdict is Verdict.FAIL
    assert finding.evidence
    assert finding.evidence_total >= len(finding.evidence)
    for piece in finding.evidence:
        for operation in piece.operations:
            _assert_held(history, operation, shift)
    prove = {
        "unique": _assert_shared,
        "bounded": _assert_outside,
        "ordered": _assert_inverted,
        "gap-free": _assert_missing,
    }[finding.check]
    for piece in finding.evidence:
        prove(history, piece)
    if finding.check == "gap-free":
        _assert_too_few(history, finding.evidence[0])


def _assert_held(history: History, operation: Mapping[str, Any], shift: int) -> None:
    request = history.requests[operation["row"]]
    value = request.value
    if value is not None and not request.is_read:
        value -= shift
    assert operation["kind"] == ("read" if request.is_read else "increment")
    told = ("start_ns", "end_ns", "outcome", "value", "attempts")
    held = (request.start, request.end, request.outcome, value, request.attempts)
    assert tuple(operation[name] for name in told) == held
    assert operation["host"] == (request.host or None)


def _answered(history: History, piece: Evidence) -> list[Event]:
    by_request = {event.request: event for event in events(history) if event.value is not None}
    return [by_request[operation["row"]] for operation in piece.operations]


def _assert_shared(history: History, piece: Evidence) -> None:
    shared = _answered(history, piece)
    assert len({event.request for event in shared}) == len(shared) > 1
    assert len({event.value for event in shared}) == 1
    assert not any(event.is_read for event in shared)


def _assert_outside(history: History, piece: Evidence) -> None:
    if not piece.operations:
        assert history.final is not None
        assert history.final < history.base
        return
    (event,) = _answered(history, piece)
    assert event.value is not None
    below = event.value < history.base + (not event.is_read)
    assert below or (history.final is not None and event.value > history.final)


def _assert_inverted(history: History, piece: Evidence) -> None:
    early, late = _answered(history, piece)
    assert came_before(early, late, history.clocks)
    assert early.value is not None
    assert late.value is not None
    must_be_later = early.value > late.value or (
        early.value == late.value and early.is_read and not late.is_read
    )
    assert must_be_later


def _assert_missing(history: History, piece: Evidence) -> None:
    if found := _RUN.match(piece.summary):
        first = _number(found["first"])
        last = _number(found["last"] or found["first"])
        assert last - first + 1 == _number(found["count"])
        _assert_unreturned(history, first, last)
        for event in _answered(history, piece):
            assert event.value in {first - 1, last + 1}
    else:
        assert _HALL_SET.match(piece.summary)


def _assert_unreturned(history: History, first: int, last: int) -> None:
    seen = [event for event in events(history) if event.value is not None]
    assert not any(first <= (e.value or 0) <= last for e in seen if not e.is_read)
    highest = max((event.value or 0 for event in seen), default=history.base)
    assert history.base < first <= last <= (highest if history.final is None else history.final)


def _assert_too_few(history: History, piece: Evidence) -> None:
    """Assert that there are more holes than effects that can have filled any, all of them named."""
    found = _HALL_SET.match(piece.summary)
    assert found
    holes = [_number(text) for text in found["holes"].split(", ")]
    count = 0 if found["effects"] == "no" else int(found["effects"])
    assert int(found["count"]) == len(set(holes)) > count
    for hole in holes:
        _assert_unreturned(history, hole, hole)
    able = [
        event
        for event in events(history)
        if event.value is None and any(_can_fill(history, event, hole) for hole in holes)
    ]
    named = [operation["row"] for operation in piece.operations][len(piece.operations) - count :]
    assert sorted(named) == sorted(event.request for event in able)
    for event in _answered(
        history, Evidence(summary="", operations=piece.operations[: -count or None])
    ):
        assert event.value is not None
        assert event.value >= holes[-1] + (not event.is_read)


def _can_fill(history: History, effect: Event, hole: int) -> bool:
    """Say whether it neither came after what saw more, nor before what saw less."""
    for event in events(history):
        if event.value is None:
            continue
        if event.value >= hole + (not event.is_read):
            if came_before(event, effect, history.clocks):
                return False
        elif event.value < hole and came_before(effect, event, history.clocks):
            return False
    return True


def _number(text: str) -> int:
    return int(text.replace(",", ""))
