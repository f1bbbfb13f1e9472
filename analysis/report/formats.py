"""Numbers, times and foreign text as a reader sees them. Pure; knows nothing of HTML."""

from datetime import UTC, datetime, timedelta

TEXT_LIMIT = 80
"""Characters of a foreign text shown in a table cell."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_S = 1_000_000_000
_LAST_YEAR_S = 253_402_300_799  # 9999-12-31T23:59:59Z, where datetime ends
UNKNOWN = "unknown"
BLANK = "\u2013"


def integer(number: int | None) -> str:
    """Write an integer exactly, with thousands separators."""
    return UNKNOWN if number is None else f"{number:,d}"


def quantity(number: float | None) -> str:
    """Write a count as it is, any other number with three significant digits."""
    if number is None:
        return UNKNOWN
    if isinstance(number, int) or number.is_integer():
        return f"{int(number):,d}"
    return f"{number:,.1f}" if abs(number) >= 100 else f"{number:.3g}"  # noqa: PLR2004


def counted(number: int, noun: str, plural: str = "") -> str:
    """Write a number and what it counts: "1 request", "1,204 requests"."""
    return f"{number:,d} {noun if number == 1 else plural or noun + 's'}"


def share(part: float, whole: int) -> str:
    """Write a part as a percentage of the whole."""
    return f"{100 * part / whole:.1f}\u00a0%" if whole else BLANK


def percent(part: float) -> str:
    """Write a share, 1 being all, in whole percent."""
    return f"{100 * part:,.0f}\u00a0%"


def milliseconds(duration_ns: float, digits: int = 3) -> str:
    """Write a duration in milliseconds, without the unit."""
    return f"{duration_ns / 1e6:,.{digits}f}"


def span(duration_ns: float) -> str:
    """Write a duration with the unit that suits it."""
    for unit_ns, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if duration_ns >= unit_ns:
            return f"{duration_ns / unit_ns:.3g}\u00a0{unit}"
    return f"{duration_ns:.3g}\u00a0ns"


def wall_clock(wall_ns: int) -> str | None:
    """Write UTC time of day with microseconds; None when no calendar holds it."""
    seconds, rest_ns = divmod(wall_ns, _NS_PER_S)
    if not 0 <= seconds <= _LAST_YEAR_S:
        return None
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment:%H:%M:%S}.{rest_ns // 1000:06d}"


def after_origin(start_ns: int, origin_ns: int) -> str:
    """Write a time as seconds after the first request."""
    sign = "-" if start_ns < origin_ns else "+"
    seconds, rest_ns = divmod(abs(start_ns - origin_ns), _NS_PER_S)
    return f"{sign}{seconds:,d}.{rest_ns // 1000:06d} s"


def utc(text: str | None) -> str:
    """Write an ISO 8601 time as people read it; leave anything else as it is."""
    if not text:
        return UNKNOWN
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return plain(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def plain(text: object, limit: int = TEXT_LIMIT) -> str:
    """Make foreign text safe to read: cut it, and replace what cannot be printed.

    Bidirectional overrides and control characters become U+FFFD (they can make a line read
    as another); line breaks and tabs stay. Escaping is the template's business.
    """
    raw = str(text)
    kept = raw if len(raw) <= limit else raw[:limit]
    shown = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in kept)
    return shown if kept is raw else f"{shown}… ({len(raw):,d} characters)"
