"""The controls that speak for a run: read from the folders beside it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from analysis.controls import SCHEMA_VERSION, SeriesResult
from history.documents import built
from history.errors import UserError
from history.manifest import Manifest
from history.series import PREFIX, SensitivityFolder, Series, SeriesFolder, read_series


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A series of controls, as a run's report can tell of it.

    `result` is None while it was not judged. `link` is the path from the run's folder to the
    series' page (empty: there is none). `own` is the control that the run itself is; empty for an
    ordinary run.
    """

    series: Series
    result: SeriesResult | None = None
    link: str = ""
    own: str = ""


def find_controls(folder: Path, manifest: Manifest) -> Heard | None:
    """Find the series that a run's folder is in, or else the newest of the same stack beside it.

    Only series that came to their end count; what cannot be read is passed over.
    """
    around = SeriesFolder(folder.parent)
    if around.series.is_file():
        return _around(around, folder)
    # A run of a measurement lies one folder deeper than an ordinary one.
    measured = SensitivityFolder(folder.parent).series.is_file()
    beside, up = (folder.parent.parent, "../..") if measured else (folder.parent, "..")
    found = [
        (series, SeriesFolder(path.parent))
        for path in beside.glob(f"{PREFIX}*/{around.series.name}")
        if (series := read_or_none(SeriesFolder(path.parent))) is not None
        and series.ended_utc is not None
        and series.is_of_same_stack(manifest)
    ]
    if not found:
        return None
    series, newest = max(found, key=lambda one: (one[0].started_utc, one[1].path.name))
    page = f"{up}/{newest.path.name}/{newest.grid.name}"
    return Heard(
        series=series,
        result=read_result(newest.result),
        link=page if newest.grid.is_file() else "",
    )


def own_control(series: Series, name: str) -> Heard:
    """Tell that a run is itself a control, whose series' page is being written."""
    return Heard(series=series, link=f"../{SeriesFolder(Path()).grid.name}", own=name)


def _around(around: SeriesFolder, folder: Path) -> Heard | None:
    series = read_or_none(around)
    if series is None:
        return None
    heard = own_control(series, folder.name)
    return heard if around.grid.is_file() else dataclasses.replace(heard, link="")


def read_or_none(folder: SeriesFolder) -> Series | None:
    """Read a series; None where it cannot be read."""
    try:
        return read_series(folder.series)
    except UserError:
        return None


def read_result(path: Path) -> SeriesResult | None:
    """Read what a series was judged; None where that is missing, broken or of another version."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        result = built(SeriesResult, fields)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return result if result.schema_version == SCHEMA_VERSION else None
