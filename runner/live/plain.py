"""The live view as lines, where there is no terminal."""

from collections.abc import Callable
from typing import Protocol

from runner.live.figures import Quantiles, Snapshot, SourceFigures


class View(Protocol):
    """Where the live figures are shown; a new one every `every_s` seconds."""

    every_s: float

    def show(self, now: Snapshot) -> None:
        """Show the load as it is."""

    def tell(self, line: str) -> None:
        """Print a line that stays."""

    def finish(self, last: Snapshot) -> None:
        """Show the load as it was when its last answer had come, and leave it standing."""


class PlainView:
    """A line every five seconds and one at the end; the first violation as soon as it is seen."""

    every_s = 5.0

    def __init__(self, say: Callable[[str], None]) -> None:
        self.tell = say
        self._told = ""
        self._last = ""

    def show(self, now: Snapshot) -> None:
        """Print the figures if they are new, and the first violation once."""
        said = line(now)
        if said != self._last:
            self._last = said
            self.tell(said)
        if now.violation != self._told:
            self._told = now.violation
            self.tell(f"live: first violation: {now.violation}")

    finish = show


def line(now: Snapshot) -> str:
    """Say a snapshot in one line."""
    return "live: " + ", ".join((clock(now), *_load(now), verdict(now)))


def clock(now: Snapshot) -> str:
    """Say how far the load has come."""
    asked = f" of {now.duration_s:g} s" if now.duration_s else ""
    return f"{now.elapsed_s:.1f} s{asked}"


def _load(now: Snapshot) -> list[str]:
    together = now.together
    rate = f"{together.per_s:,.0f} requests/s"
    if len(now.sources) > 1:
        shares = ", ".join(f"{one.source} {one.per_s:,.0f}" for one in now.sources)
        rate += f" ({shares})"
    said = [
        rate,
        f"{together.ok:,} ok",
        f"{together.rejected:,} rejected",
        f"{together.indeterminate:,} indeterminate",
        f"{together.in_flight:,} in flight",
    ]
    if together.latency is not None:
        said.append(quantiles(together.latency))
    if together.latency_due is not None:
        said.append(f"from when due {quantiles(together.latency_due)}")
    return said


def quantiles(latency: Quantiles) -> str:
    """Say a latency: its median and what one request in a hundred exceeds."""
    return f"p50 {milliseconds(latency.p50_ms)} ms, p99 {milliseconds(latency.p99_ms)} ms"


def milliseconds(ms: float) -> str:
    """Say milliseconds with three significant digits, or whole ones."""
    return f"{ms:,.0f}" if ms >= 100 else f"{ms:.3g}"  # noqa: PLR2004


def verdict(now: Snapshot) -> str:
    """Say how many violations there were so far, where that can be known."""
    if now.decrements is not None:
        return (
            f"{now.together.ok - now.decrements:,} up, {now.decrements:,} down; "
            "values are judged at the end"
        )
    duplicates = f"{now.duplicates:,} {'duplicate' if now.duplicates == 1 else 'duplicates'}"
    inversions = f"{now.inversions:,} {'inversion' if now.inversions == 1 else 'inversions'}"
    return f"{'at least ' if now.at_least else ''}{duplicates}, {inversions} so far"


def row(one: SourceFigures) -> tuple[str, ...]:
    """Give a generator's figures as the cells of a table."""
    return (
        one.source,
        f"{one.per_s:,.0f}",
        f"{one.ok:,}",
        f"{one.rejected:,}",
        f"{one.indeterminate:,}",
        f"{one.in_flight:,}",
        milliseconds(one.latency.p50_ms) if one.latency else "",
        milliseconds(one.latency.p99_ms) if one.latency else "",
    )
