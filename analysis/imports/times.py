"""Times as others write them, to nanoseconds, exactly; with the step in which they are written."""

import calendar
import re
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from analysis.cells import quoted
from history.errors import UserError

S, MS = 10**9, 10**6
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,30}))?(Z|z|[+-]\d\d:\d\d)?", re.ASCII
)
_DECIMAL = re.compile(r"(-?)(\d{1,40})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,2}))?", re.ASCII)
_DIGITS_OF_NS = 9
_UNIX_UNITS = ((10**11, S), (10**14, MS), (10**17, 1000))
"""A Unix time below the first number is in seconds (till the year 5138), then ms, then us."""


class Instant(NamedTuple):
    """A time as written: the true one is `ns` or later, by less than `step_ns` if it was cut."""

    ns: int
    step_ns: int


def rfc3339(text: str, where: str) -> Instant:
    """Read a time such as 2026-11-23T07:45:48.123456789+01:00; without a zone it is UTC."""
    match = _RFC3339.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError(text)  # noqa: TRY301 -- told like a day that does not exist
        seconds = _unix_seconds(match[1], match[2], match[4] or "Z")
    except ValueError as error:
        raise UserError(
            f"{where}: found {quoted(text)}, expected a time such as 2026-11-23T07:45:48.123Z"
        ) from error
    digits = match[3] or ""
    fraction = int(digits[:_DIGITS_OF_NS].ljust(_DIGITS_OF_NS, "0"))
    return Instant(seconds * S + fraction, 10 ** max(0, _DIGITS_OF_NS - len(digits)))


@lru_cache(maxsize=4096)
def _unix_seconds(date: str, clock: str, zone: str) -> int:
    zone = "+00:00" if zone in "Zz" else zone
    return calendar.timegm(datetime.fromisoformat(f"{date}T{clock}{zone}").utctimetuple())


def decimal(text: str, unit_ns: int, where: str) -> Instant:
    """Read a number of a unit, such as 12.345 ms, without going through floats."""
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise UserError(f"{where}: found {quoted(text)}, expected a plain decimal number")
    sign, whole, digits, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    scale = 10 ** (len(digits) + max(0, -exponent))
    ns = int(whole + digits) * unit_ns * 10 ** max(0, exponent)
    step = max(1, unit_ns // scale)
    return Instant(-(ns // scale) - bool(ns % scale) if sign else ns // scale, step)


def instant(text: str, where: str) -> Instant:
    """Read a time of day: RFC 3339, or a Unix time in s, ms, us or ns, told by its size."""
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        return rfc3339(text, where)
    number = int(match[2])
    unit_ns = next((unit for below, unit in _UNIX_UNITS if number < below), 1)
    return decimal(text, unit_ns, where)
