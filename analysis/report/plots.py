"""What a figure shows, before it is drawn: series, marks, axes, colours and sizes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from analysis.report.timeline import Float64s

INK, GREY, RULE = "#1b1f24", "#59616b", "#d5d9de"
BLUE, VERMILLION, GREEN, PURPLE, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#56B4E9", GREY)
"""Okabe and Ito's palette; vermillion is kept for what is wrong."""
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.5, 1.5)), "-", "--")


class Size(Enum):
    """How large a figure is drawn, in inches, and with which font size, in points."""

    WIDE = (9.4, 3.3, 9.0)
    NARROW = (4.5, 3.5, 9.5)

    @property
    def is_wide(self) -> bool:
        """Whether this is the figure for a desktop or for paper."""
        return self is Size.WIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line: as steps over bins (x has one more entry than y), or point to point."""

    label: str
    x: Float64s
    y: Float64s
    colour: str
    dashes: Any = "-"
    width: float = 1.4
    steps: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Single points of one meaning."""

    label: str
    x: Float64s
    y: Float64s
    colour: str
    marker: str
    size: float = 5.0
    hollow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis: its label with the unit, and its range if it is not the data's."""

    label: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    ticks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Everything one figure shows."""

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line] = ()
    marks: Sequence[Marks] = ()
    rug: Marks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One line of the close-up: an operation from start to end, or a label without a bar."""

    label: str
    bar: tuple[float, float] | None = None
    emphasis: bool = False
    open_end: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanPlot:
    """Operations under each other, smallest value at the bottom."""

    title: str
    x: Axis
    y_label: str
    spans: Sequence[Span] = field(default_factory=tuple)
