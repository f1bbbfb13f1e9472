"""Figures as SVG. Draws plots that are ready; knows nothing of runs or checks.

The object-oriented interface of matplotlib only: no pyplot, no state between figures. The
same plot gives the same bytes (fixed identifiers, no date).
"""

import io
import math
import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import blended_transform_factory

from analysis.report.plots import (
    BLUE,
    GREY,
    INK,
    RULE,
    VERMILLION,
    Line,
    Marks,
    Plot,
    Size,
    Span,
    SpanPlot,
)

_SETTINGS: Any = {
    "svg.fonttype": "none",  # real text: small, sharp, and set in the reader's own font
    "svg.hashsalt": "gapless",
    "font.family": "DejaVu Sans",  # matplotlib ships it: text is measured alike everywhere
    "text.parse_math": False,  # a generator may be called "$x$"
    "text.usetex": False,
    "axes.unicode_minus": True,
    "path.simplify": True,
    "path.simplify_threshold": 0.2,
}
NARROW_TITLE = 48
"""Characters of a title's line on a phone."""
_PANEL_HEIGHT = 0.6
"""Each further panel adds so much of a figure's height."""

_MEASURED_FONT = b"'DejaVu Sans'"
_READER_FONTS = (
    b"-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
)


def draw(plot: Plot, size: Size) -> bytes:
    """Draw lines and marks; give the SVG document."""
    with mpl.rc_context(_SETTINGS | {"font.size": size.value[2]}):
        figure, (axes,) = _canvas(plot.title, size)
        _draw_plot(axes, plot)
        _arrange(figure, [axes], legend_rows=_legend(figure, axes, size))
        return _svg(figure)


def draw_panels(panels: Sequence[Plot], size: Size) -> bytes:
    """Draw plots that share their x axis under each other; the first has title and legend."""
    height = size.value[1] * (1 + _PANEL_HEIGHT * (len(panels) - 1))
    with mpl.rc_context(_SETTINGS | {"font.size": size.value[2]}):
        figure, all_axes = _canvas(panels[0].title, size, height, rows=len(panels))
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_plot(axes, panel)
        for axes in all_axes[:-1]:
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
        figure.align_ylabels(all_axes)
        _arrange(figure, all_axes, legend_rows=_legend(figure, all_axes[0], size))
        return _svg(figure)


def _draw_plot(axes: Axes, plot: Plot) -> None:
    for line in plot.lines:
        _draw_line(axes, line)
    for marks in plot.marks:
        _draw_marks(axes, marks)
    _scale(axes, plot)
    if plot.rug is not None and len(plot.rug.x):
        _draw_rug(axes, plot.rug)


def draw_spans(plot: SpanPlot, size: Size) -> bytes:
    """Draw operations as bars in time; give the SVG document."""
    height = 1.0 + 0.17 * len(plot.spans)
    with mpl.rc_context(_SETTINGS | {"font.size": size.value[2]}):
        figure, (axes,) = _canvas(plot.title, size, height)
        axes.set_xlim(plot.x.low, plot.x.high)
        for row, span in enumerate(plot.spans):
            _draw_span(axes, row, span)
        axes.set_yticks(range(len(plot.spans)), [span.label for span in plot.spans])
        axes.tick_params(axis="y", labelsize=size.value[2] - 1.5)
        axes.set_ylim(-0.8, len(plot.spans) - 0.2)
        axes.set_xlabel(plot.x.label)
        axes.set_ylabel(plot.y_label)
        axes.grid(visible=False, axis="y")
        _arrange(figure, [axes], legend_rows=0)
        return _svg(figure)


def _canvas(
    title: str, size: Size, height: float | None = None, *, rows: int = 1
) -> tuple[Figure, list[Axes]]:
    width, usual, points = size.value
    figure = Figure(figsize=(width, height or usual))
    FigureCanvasSVG(figure)
    shown = title if size.is_wide else textwrap.fill(title, NARROW_TITLE)
    figure.suptitle(
        shown, x=0.0, y=1.0, ha="left", va="top", fontsize=points + 1, color=INK, weight="bold"
    )
    all_axes = [figure.add_subplot(rows, 1, row + 1) for row in range(rows)]
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        axes.tick_params(colors=GREY, length=3)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
        axes.grid(visible=True, color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, all_axes


def _draw_line(axes: Axes, line: Line) -> None:
    style = {"color": line.colour, "linestyle": line.dashes, "linewidth": line.width}
    if line.steps:
        axes.stairs(line.y, line.x, baseline=None, label=line.label, **style)
    else:
        axes.plot(line.x, line.y, label=line.label, **style)


def _draw_marks(axes: Axes, marks: Marks) -> None:
    axes.plot(
        marks.x,
        marks.y,
        linestyle="none",
        marker=marks.marker,
        markersize=marks.size,
        markeredgecolor=marks.colour,
        markerfacecolor="none" if marks.hollow else marks.colour,
        markeredgewidth=1.2 if marks.hollow or marks.marker == "x" else 0,
        label=marks.label,
    )


def _draw_rug(axes: Axes, rug: Marks) -> None:
    axes.plot(
        rug.x,
        np.full(len(rug.x), 0.025),
        transform=axes.get_xaxis_transform(),
        linestyle="none",
        marker="|",
        markersize=9,
        markeredgecolor=rug.colour,
        markeredgewidth=1.1,
        label=rug.label,
    )


def _draw_span(axes: Axes, row: int, span: Span) -> None:
    if span.bar is None:
        return
    colour, width = (VERMILLION, 4.2) if span.emphasis else (BLUE, 2.0)
    axes.plot(span.bar, (row, row), color=colour, linewidth=width, solid_capstyle="butt")
    for at, marker in zip(span.bar, ("|", ">" if span.open_end else "|"), strict=True):
        axes.plot(at, row, marker=marker, color=colour, markersize=6, markeredgewidth=1.3)
    if span.note:
        _note(axes, row, span.bar, span.note)


def _note(axes: Axes, row: int, bar: tuple[float, float], text: str) -> None:
    """Write beside a bar, on the side that has more room."""
    after = sum(axes.get_xlim()) - bar[1] >= bar[0]
    axes.annotate(
        text,
        (bar[1] if after else bar[0], row),
        xytext=(7 if after else -7, 0),
        textcoords="offset points",
        ha="left" if after else "right",
        va="center",
        fontsize="small",
        color=INK,
    )


def _scale(axes: Axes, plot: Plot) -> None:
    axes.set_xlabel(plot.x.label)
    axes.set_ylabel(plot.y.label)
    if plot.x.log:
        axes.set_xscale("log")
    if plot.y.log:
        axes.set_yscale("log")
    axes.set_xlim(plot.x.low, plot.x.high)
    axes.set_ylim(plot.y.low, plot.y.high)
    for axis, wanted in ((axes.xaxis, plot.x), (axes.yaxis, plot.y)):
        if wanted.ticks:
            places, labels = zip(*wanted.ticks, strict=True)
            axis.set_ticks(places, labels=labels)
            axis.set_ticks([], minor=True)
        else:
            axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
            axis.set_major_formatter(FuncFormatter(tick))


def tick(value: float, _: object = None) -> str:
    """Write a number beside an axis."""
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e8:  # noqa: PLR2004 -- what fits beside an axis
        return f"{value:,.0f}" if value == round(value) else f"{value:,.10g}"
    return f"{value:.3g}"


def _legend(figure: Figure, axes: Axes, size: Size) -> int:
    """Explain lines and marks above the axes; give how many rows that took."""
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return 0
    width = size.value[0] * 72 / (size.value[2] - 0.5)  # in the legend's own em
    longest = max(len(label) for label in labels)
    columns = min(len(handles), max(1, int(width / (4.4 + 0.58 * longest))))
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        bbox_transform=blended_transform_factory(figure.transFigure, axes.transAxes),
        ncols=columns,
        frameon=False,
        borderpad=0.2,
        borderaxespad=0.2,
        handlelength=2.2,
        columnspacing=1.4,
        fontsize=size.value[2] - 0.5,
    )
    return math.ceil(len(handles) / columns)


def _arrange(figure: Figure, all_axes: Sequence[Axes], *, legend_rows: int) -> None:
    """Leave room around the axes for what stands there.

    Counting letters is enough for that, and matplotlib's own layout would draw every figure
    twice to find out.
    """
    width, height = figure.get_size_inches()
    em = float(mpl.rcParams["font.size"]) / 72
    letters = max(
        len(text)
        for axes in all_axes
        for text in axes.yaxis.get_major_formatter().format_ticks(axes.get_yticks().tolist())
    )
    title_lines = figure.get_suptitle().count("\n") + 1
    left = min((2.9 + 0.6 * letters) * em, width / 2)
    top = (1.6 * title_lines + 1.5 * legend_rows + 0.5) * em
    figure.subplots_adjust(
        left=left / width,
        right=1 - 1.6 * em / width,
        bottom=3.4 * em / height,
        top=1 - top / height,
        hspace=0.18,
    )


def _svg(figure: Figure) -> bytes:
    out = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with warnings.catch_warnings():
        # Text stays text, so the reader's fonts draw what ours cannot even measure.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(out, format="svg", metadata=nothing, transparent=True)
    return out.getvalue().replace(_MEASURED_FONT, _READER_FONTS)
