"""Histories that other tools recorded: which tool's a file is, and its operations in our columns.

Each reader is one module with read(path) -> Imported. None of them judges anything.
"""

import csv
import importlib
import json
import re
from pathlib import Path

from analysis.cells import quoted
from analysis.imports.k6_points import CSV_COLUMNS as K6_COLUMNS
from analysis.imports.rows import Imported
from analysis.imports.texts import head
from history.errors import UserError
from history.schema import COLUMNS

HISTORY = "history"
READERS = ("jepsen", "k6", "locust", "vegeta")
"""Each is a module here, imported when a file is of its tool."""

FORMATS = (HISTORY, *READERS)

_LONG = 2**15
_REQUIRED = {column.name for column in COLUMNS if column.required}
_JSON = re.compile(r"\[?\s*\{\s*\"")
_COMMENTS = re.compile(r"\A(?:\s*;[^\n]*\n)+")
_KEY = re.compile(r'"([A-Za-z_]{1,40})"\s*:')
_JSON_KEYS = {
    HISTORY: {"start_ns", "outcome"},
    "vegeta": {"timestamp", "latency", "code"},
    "k6": {"metric", "type", "data"},
    "jepsen": {"type", "f", "process"},
}
_LOCUST_NAMES = (
    {"response_time"},
    {"response_time_ms"},
    {"# requests", "# failures"},
    {"Request Count", "Failure Count"},
    {"User Count", "Timestamp"},
    {"Occurrences", "Error"},
    {"Traceback", "Nodes"},
)
_VEGETA_ROW = re.compile(r"\d{16,20},\d{1,3},\d+,\d+,\d+,")


def read_foreign(path: Path, format: str | None = None) -> Imported | None:  # noqa: A002
    """Read a file of another tool; None where it is a history file of our own.

    Without a format the file's first lines decide. Raises UserError when they are of no tool
    that is known, or the file is not what its format says.
    """
    if format is None:
        format = detect(path)  # noqa: A001
        if format is None:
            _refuse_unknown(path)
    elif format not in FORMATS:
        raise UserError(f"--format {format}: expected one of {', '.join(FORMATS)}")
    if format is None or format == HISTORY:
        return None
    reader = importlib.import_module(f"analysis.imports.{format}")
    imported: Imported = reader.read(path)
    return imported


def detect(path: Path) -> str | None:
    """Name the format of a file by its first lines; None where they are of none."""
    text = head(path)
    start = _COMMENTS.sub("", text).lstrip()
    if text.startswith("PAR1"):
        return HISTORY
    if _JSON.match(start):
        keys = set(_KEY.findall(start.split("\n", 1)[0] if start[0] == "{" else start))
        return next((name for name, needed in _JSON_KEYS.items() if needed <= keys), None)
    if start[:1] in {"{", "[", "#", "("} and (":type" in start or start.rstrip() in {"[]", "()"}):
        return "jepsen"
    return _csv_format(text)


def _csv_format(text: str) -> str | None:
    if _VEGETA_ROW.match(text):
        return "vegeta"
    names = _names(text)
    if names >= _REQUIRED:
        return HISTORY
    if set(K6_COLUMNS) <= names:
        return "k6"
    return "locust" if any(needed <= names for needed in _LOCUST_NAMES) else None


def _names(text: str) -> set[str]:
    try:
        row = next(csv.reader([re.split(r"[\r\n]", text, maxsplit=1)[0]]))
    except (csv.Error, StopIteration):
        return set()
    return {name.strip() for name in row}


def _refuse_unknown(path: Path) -> None:
    """Say what a file of no known format holds, unless our own reader can say it better."""
    text = head(path)
    line = text.strip().split("\n", 1)[0].strip()
    names = set(_KEY.findall(line)) if line.startswith("{") else _names(line)
    cut = line == text and len(text) > _LONG  # our own reader says what such a line is
    if path.suffix == ".parquet" or not line or cut or names & {column.name for column in COLUMNS}:
        return
    if path.suffix == ".csv":
        found = f"the columns {quoted(','.join(sorted(names)))}"
    else:
        found = quoted(line)
    if path.suffix == ".jsonl" and not _is_object(line):
        return
    raise UserError(
        f"{path}: found {found}, expected a history file (columns {', '.join(sorted(_REQUIRED))}) "
        f"or a file of {', '.join(READERS)}: see docs/history-format.md, or name it with --format"
    )


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
