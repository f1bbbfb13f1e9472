"""A figure on the page: drawn for a desktop and for a phone, with its words."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.report import charts
from analysis.report.plots import Plot, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureImage:
    """One figure, drawn for a desktop and for a phone, as data URIs."""

    name: str
    heading: str
    wide: str
    narrow: str
    alt: str
    caption: str


def image(name: str, heading: str, plot: Plot, *, alt: str, caption: str) -> FigureImage:
    """Draw a plot in both sizes."""
    wide, narrow = (charts.draw(plot, size) for size in Size)
    return framed(name, heading, wide, narrow, alt=alt, caption=caption)


def panels(
    name: str, heading: str, plots: Sequence[Plot], *, alt: str, caption: str
) -> FigureImage:
    """Draw plots under each other in both sizes."""
    wide, narrow = (charts.draw_panels(plots, size) for size in Size)
    return framed(name, heading, wide, narrow, alt=alt, caption=caption)


def framed(
    name: str, heading: str, wide: bytes, narrow: bytes, *, alt: str, caption: str
) -> FigureImage:
    """Put drawn figures into data URIs."""
    return FigureImage(
        name=name,
        heading=heading,
        wide=_data_uri(wide),
        narrow=_data_uri(narrow),
        alt=alt,
        caption=caption,
    )


def _data_uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"
