"""Lines, CSV rows and JSON out of a file that anybody may have written: bounded, and numbered."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis.cells import quoted
from history.errors import UserError

_HEAD_BYTES = 64 * 1024
LINE_BYTES_MAX = 16 * 2**20
WHOLE_BYTES_MAX = 2**30
"""What has to be in memory as a whole: a line, and a file that is one JSON or EDN value."""


def head(path: Path) -> str:
    """Give the first 64 KiB of a file as text, whatever they are, to tell what it is by."""
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES).decode(errors="replace").removeprefix("\ufeff")


def is_json(path: Path) -> bool:
    """Tell a file of JSON objects from one of CSV."""
    return head(path).lstrip().startswith("{")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines that are not blank, numbered from 1; raises UserError naming a bad one."""
    for number, line in _numbered(path):
        text = line.strip(" \t\r\n")
        if text:
            yield number, text


def whole(path: Path) -> str:
    """Give a whole file as text; raises UserError when it is too large for that."""
    size = path.stat().st_size
    if size > WHOLE_BYTES_MAX:
        raise UserError(
            f"{path} has {size:,} bytes, and no more than {WHOLE_BYTES_MAX:,} can be read as one "
            "value: write it with one map or object a line"
        )
    return _decoded(path.read_bytes(), str(path)).removeprefix("\ufeff")


def _decoded(raw: bytes, where: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where}: found the bytes {raw[error.start : error.start + 4].hex(' ')}, expected "
            "UTF-8 text"
        ) from error


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of a CSV file that are not blank, each with the line it ends on.

    A quoted cell may hold line breaks: what others write is read as they write it.
    """
    rows = csv.reader((line for _, line in _numbered(path)), strict=True)
    try:
        for row in rows:
            if row:
                yield rows.line_num, row
    except csv.Error as error:
        raise UserError(f"{path}:{rows.line_num}: found no CSV ({error})") from error


def _numbered(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            if len(line) > LINE_BYTES_MAX:
                raise UserError(
                    f"{path}:{number}: found a line of more than {LINE_BYTES_MAX:,} bytes, "
                    "expected one request a line"
                )
            text = _decoded(line, f"{path}:{number}")
            yield number, text.removeprefix("\ufeff") if number == 1 else text


def json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the objects of a file with one JSON object a line; floats stay as they are written."""
    for number, line in lines(path):
        value = json_value(line, f"{path}:{number}")
        if not isinstance(value, dict):
            raise UserError(f"{path}:{number}: found {quoted(line)}, expected a JSON object")
        yield number, value


def json_value(text: str, where: str) -> Any:  # noqa: ANN401 -- JSON may be anything
    """Read JSON; raises UserError for what is none, or is nested too deep to be a record."""
    try:
        return json.loads(text, parse_float=str)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"{where}: found {quoted(text)}, expected JSON ({reason})") from error
