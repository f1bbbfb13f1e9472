"""A trouble that every request has fills no disk, and is not hidden either."""

import logging

from deploy.local.flood import REPEATS_MAX, FloodFilter


def record(at_s: float, text: str = "no answer: %s", *arguments: object) -> logging.LogRecord:
    made = logging.LogRecord("gateway", logging.WARNING, "file", 1, text, arguments, None)
    made.created = at_s
    return made


def test_repeats_are_counted_instead_of_logged() -> None:
    flood = FloodFilter()
    passed = [flood.filter(record(0.001 * index, "no answer: %s", index)) for index in range(100)]
    assert passed == [True] * REPEATS_MAX + [False] * (100 - REPEATS_MAX)
    assert flood.filter(record(0.5, "another text"))
    later = record(2.0, "no answer: %s", "why")
    assert flood.filter(later)
    assert later.getMessage() == "no answer: why (95 more like it were left out)"
    after = record(2.1, "no answer: %s", "50%")
    assert flood.filter(after)
    assert after.getMessage() == "no answer: 50%"
