"""Locust's CSV: one row a request is read, its statistics are refused."""

from pathlib import Path
from typing import Any

import pytest

from analysis.imports import detect
from analysis.imports.locust import MARGIN_NS, read
from history.errors import UserError

SHOWN = ("kind", "start_ns", "end_ns", "outcome", "value", "status", "reason")
NOON = 1_795_348_800 * 10**9  # 2026-11-22T12:00:00Z
HEADING = "start_time,request_type,name,response_time,status_code,exception,value\n"
LOGGER = "timestamp,request_type,name,response_time_ms,response_length,status_code,exception"
ALWAYS = "Locust's FastHttpUser sends a GET again"


def rows(path: Path) -> list[tuple[Any, ...]]:
    table = read(path).table
    found = zip(*(table.column(name).to_pylist() for name in SHOWN), strict=True)
    return [(kind, s - NOON, e and e - NOON, *rest) for kind, s, e, *rest in found]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "1795348800.5,GET,/,12.25,200,,4711",
            ("increment", 400_000_000, 612_260_000 + MARGIN_NS, "ok", "4711", 200, "integer"),
        ),
        (
            "1795348800.123456,GET,/,12.250001,200,None,4711",
            ("increment", 123_455_000, 135_707_002 + MARGIN_NS, "ok", "4711", 200, "integer"),
        ),
        (
            "2026-11-22T12:00:00.000001+00:00,POST,/decrement,1,200,,5",
            ("decrement", 0, 2_002_000 + MARGIN_NS, "ok", "5", 200, "integer"),
        ),
        (
            "1795348800.000001,GET,/,10000,0,ReadTimeout('timed out'),",
            ("increment", 0, None, "indeterminate", None, None, "timeout"),
        ),
        (
            "1795348800.000001,GET,/,1,503,HTTPError('503'),",
            ("increment", 0, 2_002_000 + MARGIN_NS, "indeterminate", None, 503, "server-error"),
        ),
        (
            "1795348800.000001,GET,/,1,429,HTTPError('429'),",
            ("increment", 0, 2_002_000 + MARGIN_NS, "rejected", None, 429, "throttled"),
        ),
        (
            "1795348800.000001,GET,/,1,200,CatchResponseError('no'),5",
            ("increment", 0, 2_002_000 + MARGIN_NS, "indeterminate", None, 200, "truncated"),
        ),
    ],
)
def test_a_request(tmp_path: Path, row: str, expected: tuple[Any, ...]) -> None:
    path = tmp_path / "l.csv"
    path.write_text(f"{HEADING}{row}\n")
    assert detect(path) == "locust"
    assert rows(path) == [expected]
    assert [note[: len(ALWAYS)] for note in read(path).notes] == [ALWAYS]


def test_locusts_own_logger_with_a_value_is_read(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text(f"{LOGGER},value\n1795348800.000001,GET,/,1.00,1,200,,7\n")
    assert detect(path) == "locust"
    assert rows(path)[0][:2] == ("increment", 0)


def test_a_time_that_may_be_either_end_counts_as_both(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("timestamp,response_time,value\n1795348800.000001,5,7\n")
    assert rows(path) == [
        ("increment", -6_000_000 - MARGIN_NS, 6_002_000 + MARGIN_NS, "ok", "7", 200, "integer")
    ]
    notes = read(path).notes
    assert notes[0].startswith("the column timestamp may be the start or the end of a request")
    assert notes[1] == "without a column status_code integers were taken as status 200"


def test_without_a_status_an_exception_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("start_time,response_time,value,exception\n1795348800.0,5,7,boom\n")
    assert rows(path)[0][3:] == ("indeterminate", None, None, "no-answer")


def test_rows_that_are_left_out_or_lack_a_value_are_said(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text(f"{HEADING}1795348800.0,PUT,/,1,200,,\n1795348800.0,GET,/,1,200,,\n")
    notes = read(path).notes
    assert notes[0] == "left out: 1 request (line 2) that sets the counter"
    assert notes[1] == "taken as indeterminate: 1 answer (line 3) without a value"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Type,Name,Request Count,Failure Count\n", "Locust's file of statistics, which tells of"),
        ("Timestamp,User Count,Type,Name\n", "Locust's file of statistics over time, which"),
        ("Method,Name,Error,Occurrences\n", "Locust's file of failures, which tells of no"),
        ("Count,Message,Traceback,Nodes\n", "Locust's file of exceptions, which tells of no"),
        (f"{LOGGER}\n1795348800.0,GET,/,1,1,200,\n", "column value is missing"),
        ("response_time,value\n1,2\n", "column start_time is missing"),
        (f"{HEADING}soon,GET,/,1,200,,1\n", ":2: found 'soon', expected a time such as"),
        (f"{HEADING}1795348800.0,GET,/,1,OK,,1\n", ":2: found status 'OK', expected a number"),
        (f"{HEADING}1795348800.0,GET,/,-,200,,1\n", ":2: found '-', expected a plain decimal"),
        (f"{HEADING}1795348800.0,GET,/,1,200,1\n", ":2: found 6 cells, expected 7"),
        (f"kind,{HEADING}add,1795348800.0,GET,/,1,200,,1\n", ":2: found kind 'add', expected"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "l.csv"
    path.write_text(text)
    assert detect(path) == "locust"
    with pytest.raises(UserError, match=message):
        read(path)
