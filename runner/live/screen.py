"""The live view on a terminal, drawn in place."""

import contextlib
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runner.live.figures import Snapshot, SourceFigures
from runner.live.plain import clock, quantiles, row, verdict

WIDTH_MAX = 100
HEADINGS = ("", "requests/s", "ok", "rejected", "indeterminate", "in flight", "p50 ms", "p99 ms")
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
        # Two columns stay free: the terminal's own "^C" must not begin a line of its own.
        width = min(self._console.width - 2, WIDTH_MAX)
        try:
            self._live.start()
            self._live.update(picture(now, width), refresh=True)
        except OSError:  # the terminal was closed
            self._gone = True

    def finish(self, last: Snapshot) -> None:
        """Draw the last snapshot, and give the cursor back below it."""
        self.show(last)
        with contextlib.suppress(OSError):
            self._live.stop()


def picture(now: Snapshot, width: int) -> RenderableType:
    """Draw a snapshot; from 76 columns on nothing is cut."""
    parts: list[RenderableType] = [_clock(now), _bar(now, width), _table(now)]
    if now.together.latency_due is not None:
        parts.append(Text(f" from when due: {quantiles(now.together.latency_due)}"))
    parts.append(Text(f" {verdict(now)}", style="bold red" if now.violation else "bold green"))
    if now.violation:
        parts.append(Padding(Text(f"first: {now.violation}", style="red"), (0, 1)))
    return Constrain(Group(*parts), width)


def _clock(now: Snapshot) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    left = now.ended or f"{max(0.0, now.duration_s - now.elapsed_s):.1f} s left"
    line.add_row(Text(f" load: {clock(now)}", style="bold"), Text(f"{left} "))
    return line


def _bar(now: Snapshot, width: int) -> Text:
    inner = max(0, width - 2)
    done = min(inner, int(inner * now.elapsed_s / now.duration_s)) if now.duration_s else 0
    return Text.assemble(" ", ("━" * done, "cyan"), ("─" * (inner - done), "dim"), " ")


def _table(now: Snapshot) -> RenderableType:
    table = Table(
        box=None,
        expand=True,
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
        header_style="dim",
    )
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for one in now.sources:
        table.add_row(*_cells(one))
    if len(now.sources) != 1:
        table.add_row(*_cells(now.together), style="bold")
    return table


def _cells(one: SourceFigures) -> list[Text]:
    source, *numbers = row(one)
    return [Text(f" {source}"), *map(Text, numbers)]
