"""Requests that a listener of Locust's `request` event wrote as CSV, one row each.

Locust's own --csv files count requests and tell of none. Its contrib CsvRequestLogger writes one
row each, but no value: a listener has to add the column `value` (response.text).

`start_time` is the event's own, time.time() before the request; `timestamp` is read as that too
where the file looks like CsvRequestLogger's, and otherwise taken for either end of the request.
`response_time` is in ms. Locust stamps the start a little before it starts the clock of
response_time, so an end computed from both may be early: MARGIN_NS is added to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analysis.cells import quoted
from analysis.imports.requests import kind_of, named_kind, seen, status_of
from analysis.imports.rows import Imported, Rows, Tally
from analysis.imports.texts import csv_rows
from analysis.imports.times import MS, decimal, instant
from history.errors import UserError

MARGIN_NS = 10 * MS
_FLOAT_STEP_NS = 1000
"""A Unix time of today is a float of 0.24 us: what is written of it may be off by that."""

_STATISTICS = {
    "Request Count": "statistics",
    "# requests": "statistics",
    "User Count": "statistics over time",
    "Occurrences": "failures",
    "Traceback": "exceptions",
}
_STARTS = ("start_time", "timestamp", "time")
_TIMES = ("response_time", "response_time_ms")
_VALUES = ("value", "response_text", "text", "body", "response")
_STATUSES = ("status_code", "status")
_EXCEPTIONS = ("exception", "error")
_TARGETS = ("url", "name")
_METHODS = ("request_type", "method")
_WORKERS = ("worker", "user")
_LOGGER = {"timestamp", "response_time_ms"}
_NONE = {"", "None", "null"}
_OK = 200
_ADVICE = (
    "in a listener of events.request write start_time, response_time, response.status_code, "
    "exception and response.text as start_time, response_time, status_code, exception and value"
)
_ALWAYS = (
    "Locust's FastHttpUser sends a GET again, unseen, when a kept connection broke, and nothing is "
    "written of requests that a stop interrupts: a number that is missing may have been taken so"
)


@dataclass(slots=True)
class _Notes:
    others: Tally = field(default_factory=Tally)
    valueless: Tally = field(default_factory=Tally)
    told: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        return [
            *self.told,
            *self.others.told("left out", "request", "that sets the counter"),
            *self.valueless.told("taken as indeterminate", "answer", "without a value"),
            _ALWAYS,
        ]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns of the file say what; None where it has none."""

    start: str
    time: str
    value: str
    status: str | None
    exception: str | None
    target: str | None
    method: str | None
    worker: str | None
    is_start: bool


def read(path: Path) -> Imported:
    """Read one row a request; raises UserError where the file counts or carries no values."""
    lines = csv_rows(path)
    _, names = next(lines, (1, list[str]()))
    names = [name.strip() for name in names]
    columns = _columns(path, names)
    rows, notes = Rows("locust"), _Notes()
    if not columns.is_start:
        notes.told.append(
            f"the column {columns.start} may be the start or the end of a request: each was taken "
            "to have lasted from its response_time before to its response_time after it (write "
            "the event's start_time)"
        )
    if columns.status is None:
        notes.told.append("without a column status_code integers were taken as status 200")
    for line, row in lines:
        if len(row) != len(names):
            raise UserError(f"{path}:{line}: found {len(row)} cells, expected {len(names)}")
        _add(rows, f"{path}:{line}", dict(zip(names, row, strict=True)), columns, notes)
    return rows.imported(notes.sentences())


def _columns(path: Path, names: list[str]) -> _Columns:
    for name, what in _STATISTICS.items():
        if name in names:
            raise UserError(
                f"{path} is Locust's file of {what}, which tells of no single request; {_ADVICE}"
            )

    def first(wanted: tuple[str, ...]) -> str | None:
        return next((name for name in wanted if name in names), None)

    start, time, value = first(_STARTS), first(_TIMES), first(_VALUES)
    if start is None or time is None or value is None:
        lacks = {"start_time": start, "response_time": time, "value": value}
        missing = next(name for name, found in lacks.items() if found is None)
        raise UserError(
            f"{path}: column {missing} is missing, found {quoted(','.join(names))}; {_ADVICE}"
        )
    return _Columns(
        start=start,
        time=time,
        value=value,
        status=first(_STATUSES),
        exception=first(_EXCEPTIONS),
        target=first(_TARGETS),
        method=first(_METHODS),
        worker=first(_WORKERS),
        is_start=start == "start_time" or set(names) >= _LOGGER,
    )


def _add(
    rows: Rows, where: str, cells: Mapping[str, str], columns: _Columns, notes: _Notes
) -> None:
    def cell(name: str | None) -> str:
        text = cells[name].strip() if name else ""
        return "" if text in _NONE else text

    line = where.rpartition(":")[2]
    named = cell("kind" if "kind" in cells else None)
    kind = (
        named_kind(named, where) if named else kind_of(cell(columns.method), cell(columns.target))
    )
    if kind is None:
        notes.others.add(f"line {line}")
        return
    value, exception = cell(columns.value), cell(columns.exception)
    status = _status(cell(columns.status), value, exception, where)
    began = instant(cell(columns.start), where)
    took = decimal(cell(columns.time) or "0", MS, where)
    slack = max(began.step_ns, _FLOAT_STEP_NS)
    start_ns, end_ns = began.ns - slack, began.ns + slack + took.ns + took.step_ns + MARGIN_NS
    if not columns.is_start:
        start_ns -= took.ns + took.step_ns + MARGIN_NS
    became = seen(status, value.encode(errors="replace"), exception)
    if status == _OK and not value and not exception:
        notes.valueless.add(f"line {line}")
    rows.add(
        where,
        start_ns=start_ns,
        end_ns=end_ns if status else None,
        outcome=became.outcome,
        value=became.value,
        kind=kind,
        status=status or None,
        reason=became.reason,
        worker=cell(columns.worker),
    )


def _status(text: str, value: str, exception: str, where: str) -> int:
    """Give the status; where none is written, an integer without an exception has 200."""
    if text:
        return status_of(text, where)
    return 0 if exception or not value else _OK
