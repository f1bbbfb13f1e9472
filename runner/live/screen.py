"""The live view on a terminal, drawn in place."""

import contextlib
import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text

from runner.live.figures import Snapshot
from runner.live.plain import clock, quantiles, row, verdict

WIDTH_MAX = 100
COLUMNS = {
    "": 7,
    "requests/s": 10,
    "ok": 10,
    "rejected": 8,
    "indeterminate": 13,
    "in flight": 9,
    "p50 ms": 6,
    "p99 ms": 6,
}
"""Headings, and widths in which a day's numbers fit: columns that wander are hard to read."""

DUMB = ("", "dumb", "unknown")


def can_draw(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether a stream is a terminal that can be drawn upon, lines and all."""
    drawable = environment.get("TERM", "") not in DUMB and stream.isatty()
    return drawable and stream.encoding.lower().startswith("utf")


class _Console(Console):
    """A console whose reader may go away."""

    def on_broken_pipe(self) -> None:
        """Say no more. (The original ends the process; the record comes first.)"""
        self.quiet = True


class ScreenView:
    """One picture drawn over and over; the last one stays."""

    every_s = 0.5

    def __init__(self, terminal: TextIO) -> None:
        self._console = _Console(file=terminal, force_terminal=True, highlight=False)
        # No thread of its own, and standard output left alone: a picture is one write.
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._gone = False

    def show(self, now: Snapshot) -> None:
        """Draw a snapshot over the last one."""
        if self._gone:
            return
        self._measure()
        # Two columns stay free: the terminal's own "^C" must not begin a line of its own.
        width = min(self._console.width - 2, WIDTH_MAX)
        try:
            self._live.start()
            self._live.update(picture(now, width), refresh=True)
        except OSError:  # the terminal was closed
            self._gone = True

    def _measure(self) -> None:
        """Ask the terminal for its size, which may change; rich asks standard input first."""
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(self._console.file.fileno())
            if columns and rows:
                self._console.size = ConsoleDimensions(columns, rows)

    def tell(self, line: str) -> None:
        """Print a line above the picture."""
        with contextlib.suppress(OSError):
            self._console.print(Text(line))

    def finish(self, last: Snapshot) -> None:
        """Draw the last snapshot, and give the cursor back below it."""
        self.show(last)
        with contextlib.suppress(OSError):
            self._live.stop()


def picture(now: Snapshot, width: int) -> Text:
    """Draw a snapshot; from 77 columns on nothing is cut.

    The lines are laid out here: a table of rich's costs five times as much, and its columns
    wander with the numbers.
    """
    lines = [*_head(now, width), *_table(now)]
    if now.together.latency_due is not None:
        lines.append(Text(f" from when due: {quantiles(now.together.latency_due)}"))
    lines.append(Text(f" {verdict(now)}", style=_style(now)))
    if now.violation:
        said = textwrap.wrap(f"first: {now.violation}", max(20, width - 2))
        lines += [Text(f" {line}", style="red") for line in said]
    drawn = Text("\n", no_wrap=True, overflow="crop").join(lines)
    drawn.no_wrap, drawn.overflow = True, "crop"
    return drawn


def _style(now: Snapshot) -> str:
    if now.decrements is not None:
        return "bold"  # green would say that it was looked at
    return "bold red" if now.violation else "bold green"


def _head(now: Snapshot, width: int) -> list[Text]:
    """Say where the load stands, above a bar."""
    to_come = f"{max(0.0, now.duration_s - now.elapsed_s):.1f} s left" if now.duration_s else ""
    come, left = clock(now), now.ended or to_come or "until Ctrl-C"
    inner = max(0, width - 2)
    done = min(inner, int(inner * now.elapsed_s / now.duration_s)) if now.duration_s else 0
    return [
        Text.assemble((f" load: {come}", "bold"), f"{left:>{max(1, inner - len(come) - 6)}}"),
        Text.assemble(" ", ("━" * done, "cyan"), ("─" * (inner - done), "dim")),
    ]


def _table(now: Snapshot) -> list[Text]:
    lines = [Text(_aligned(tuple(COLUMNS)), style="dim")]
    lines += [Text(_aligned(row(one))) for one in now.sources]
    if len(now.sources) != 1:
        lines.append(Text(_aligned(row(now.together)), style="bold"))
    return lines


def _aligned(cells: Sequence[str]) -> str:
    source, *numbers = cells
    widths = list(COLUMNS.values())
    aligned = [f"{number:>{width}}" for number, width in zip(numbers, widths[1:], strict=True)]
    return " ".join((f" {source}".ljust(widths[0]), *aligned))
