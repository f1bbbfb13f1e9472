"""k6's metric points as a file holds them: one a line (JSON) or row (CSV).

See k6's output/json and output/csv: a sample has a metric, a time, a number and tags.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from analysis.cells import quoted
from analysis.imports.texts import csv_rows, is_json, json_objects
from analysis.imports.times import instant, rfc3339
from history.errors import UserError

CSV_COLUMNS = ("metric_name", "timestamp", "metric_value")


class Point(NamedTuple):
    """One sample; it was stamped at `at_ns` or less than `step_ns` later."""

    line: int
    metric: str
    at_ns: int
    step_ns: int
    number: str
    tags: Mapping[str, str]

    @property
    def latest_ns(self) -> int:
        """The latest that it can have been stamped."""
        return self.at_ns + self.step_ns - 1


def points(path: Path) -> Iterator[Point]:
    """Give the points of a file; raises UserError naming the line that is none."""
    return _json_points(path) if is_json(path) else _csv_points(path)


def _json_points(path: Path) -> Iterator[Point]:
    for line, entry in json_objects(path):
        where = f"{path}:{line}"
        if entry.get("type") != "Point":
            continue
        point, metric = entry.get("data"), entry.get("metric")
        if not isinstance(point, dict) or not isinstance(metric, str):
            raise UserError(f"{where}: found {quoted(str(entry))}, expected a point of k6")
        tags: dict[str, str] = {}
        for part in (point.get("metadata"), point.get("tags")):
            if isinstance(part, dict):
                tags |= {name: str(tag) for name, tag in part.items()}
        # Go writes such a time whole and drops its last zeros: few digits do not mean it was cut.
        at_ns = rfc3339(str(point.get("time")), where).ns
        yield Point(line, metric, at_ns, 1, str(point.get("value")), tags)


def _csv_points(path: Path) -> Iterator[Point]:
    rows = csv_rows(path)
    _, names = next(rows, (1, []))
    missing = [name for name in CSV_COLUMNS if name not in names]
    if missing:
        raise UserError(f"{path}:1: column {missing[0]} is missing, expected k6's CSV")
    for line, row in rows:
        if len(row) != len(names):
            raise UserError(f"{path}:{line}: found {len(row)} cells, expected {len(names)}")
        cells = dict(zip(names, row, strict=True))
        tags = {name: cell for name, cell in cells.items() if name not in CSV_COLUMNS and cell}
        for part in ("metadata", "extra_tags"):
            pairs = (pair.partition("=") for pair in cells.get(part, "").split("&"))
            tags |= {name: tag for name, _, tag in pairs if name}
        metric, time, number = (cells[name] for name in CSV_COLUMNS)
        stamped = instant(time, f"{path}:{line}")
        yield Point(line, metric, stamped.ns, stamped.step_ns, number, tags)
