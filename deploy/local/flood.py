"""Keeps a log readable, and the disk free, when every request has the same trouble."""

import logging
from dataclasses import dataclass, field

REPEATS_MAX = 5
WITHIN_S = 1.0


@dataclass(slots=True)
class Window:
    """How often one kind of message came since `started_s`."""

    started_s: float
    seen: int = 0


@dataclass(slots=True)
class FloodFilter:
    """Lets through REPEATS_MAX messages of a kind a second, and counts the others.

    Messages are of one kind if they have the same text before their arguments are put in.
    """

    _windows: dict[tuple[str, str], Window] = field(default_factory=dict)

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether to log it; the first after a flood tells how many were left out."""
        kind = (record.name, str(record.msg))
        window = self._windows.setdefault(kind, Window(record.created))
        left_out = 0
        if record.created - window.started_s > WITHIN_S:
            left_out = max(0, window.seen - REPEATS_MAX)
            self._windows[kind] = window = Window(record.created)
        window.seen += 1
        if left_out:
            text = record.getMessage()
            record.msg, record.args = f"{text} ({left_out:,} more like it were left out)", ()
        return window.seen <= REPEATS_MAX
