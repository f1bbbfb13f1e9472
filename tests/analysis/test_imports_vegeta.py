"""vegeta's results: JSON and CSV, as its encoders write them."""

import base64
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.imports import detect
from analysis.imports.vegeta import read
from history.errors import UserError

SHOWN = ("kind", "start_ns", "end_ns", "outcome", "value", "status", "reason")
NOON = 1_795_348_800 * 10**9  # 2026-11-22T12:00:00Z
RESENT = "vegeta's HTTP client sends a GET again"


def result(body: str | None = "1", **more: Any) -> dict[str, Any]:
    """One line of `vegeta encode --to json`."""
    packed = None if body is None else base64.b64encode(body.encode()).decode()
    return {
        "attack": "a",
        "seq": 0,
        "code": 200,
        "timestamp": "2026-11-22T12:00:00.000000005Z",
        "latency": 7,
        "bytes_out": 0,
        "bytes_in": len(body or ""),
        "error": "",
        "body": packed,
        "method": "GET",
        "url": "http://127.0.0.1/",
        "headers": None,
    } | more


def as_csv(line: dict[str, Any], at_ns: int, cells: int = 12) -> str:
    """The same as a row of `vegeta encode --to csv`."""
    names = ("code", "latency", "bytes_out", "bytes_in", "error", "body", "attack", "seq")
    row = [at_ns, *(line[name] for name in names), line["method"], line["url"], ""]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row[:cells])
    return text.getvalue()


def written(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def rows(path: Path) -> list[tuple[Any, ...]]:
    table = read(path).table
    return list(zip(*(table.column(name).to_pylist() for name in SHOWN), strict=True))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(result(), ("increment", 5, 12, "ok", "1", 200, "integer"), id="ok"),
        pytest.param(
            result(timestamp="2026-11-22T13:30:00.5+01:30"),
            ("increment", 500_000_000, 500_000_007, "ok", "1", 200, "integer"),
            id="a time with a zone",
        ),
        pytest.param(
            result("9223372036854775807"),
            ("increment", 5, 12, "ok", "9223372036854775807", 200, "integer"),
            id="the largest value",
        ),
        pytest.param(
            result("1" + "0" * 30),
            ("increment", 5, 12, "indeterminate", None, 200, "value-exceeds-64-bits"),
            id="an answer beyond 64 bits",
        ),
        pytest.param(
            result("<html>"),
            ("increment", 5, 12, "indeterminate", None, 200, "not-an-integer"),
            id="not a number",
        ),
        pytest.param(
            result("{}", code=429, error="429 Too Many Requests"),
            ("increment", 5, 12, "rejected", None, 429, "throttled"),
            id="throttled",
        ),
        pytest.param(
            result("7", code=503, error="503 Service Unavailable"),
            ("increment", 5, 12, "indeterminate", None, 503, "server-error"),
            id="a number with status 503",
        ),
        pytest.param(
            result(None, code=0, error="Get: context deadline exceeded"),
            ("increment", 5, None, "indeterminate", None, None, "timeout"),
            id="timed out",
        ),
        pytest.param(
            result(None, code=0, error="dial tcp 127.0.0.1:1: connect: connection refused"),
            ("increment", 5, None, "indeterminate", None, None, "no-answer"),
            id="refused, at least the last time",
        ),
        pytest.param(
            result("1", code=200, error="unexpected EOF"),
            ("increment", 5, 12, "indeterminate", None, 200, "truncated"),
            id="an error beside a body",
        ),
        pytest.param(
            result("12", headers={"Content-Length": ["4"]}),
            ("increment", 5, 12, "indeterminate", None, 200, "truncated"),
            id="a body that -max-body cut",
        ),
        pytest.param(
            result(method="POST", url="http://127.0.0.1/v1/decrement?x=1"),
            ("decrement", 5, 12, "ok", "1", 200, "integer"),
            id="a decrement",
        ),
    ],
)
def test_a_result(tmp_path: Path, line: dict[str, Any], expected: tuple[Any, ...]) -> None:
    path = written(tmp_path / "r.json", result("77", timestamp="2026-11-22T12:00:00Z"), line)
    assert detect(path) == "vegeta"
    kind, start, end, *rest = rows(path)[1]
    assert (kind, start - NOON, end and end - NOON, *rest) == expected


@pytest.mark.parametrize("cells", [9, 12])
def test_csv_says_the_same(tmp_path: Path, cells: int) -> None:
    path = tmp_path / "r.csv"
    lines = [result("1"), result("2", seq=1, error='a "quoted", one', code=0)]
    path.write_text("".join(as_csv(line, NOON + 5, cells) for line in lines))
    assert detect(path) == "vegeta"
    assert rows(path) == [
        ("increment", NOON + 5, NOON + 12, "ok", "1", 200, "integer"),
        ("increment", NOON + 5, None, "indeterminate", None, None, "no-answer"),
    ]


def test_csv_headers_tell_of_a_cut_body(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    headers = base64.b64encode(b"Content-Length: 9\r\nX: y\r\n").decode()
    path.write_text(as_csv(result("12"), NOON, 11).rstrip() + f",{headers}\n")
    assert rows(path)[0][3:] == ("indeterminate", None, 200, "truncated")


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        ([result()], RESENT),
        ([result(method="PUT"), result()], "left out: 1 request (line 1) that sets the counter"),
        ([result(), result()], "the file joins several attacks"),
        ([result(), result(attack="b")], "the file joins several attacks"),
        ([result(), result(None, seq=1)], "taken as indeterminate: 1 answer (line 2) with status"),
    ],
)
def test_notes(tmp_path: Path, lines: list[dict[str, Any]], note: str) -> None:
    notes = read(written(tmp_path / "r.json", *lines)).notes
    assert any(told.startswith(note) for told in notes), notes


def test_a_post_is_not_sent_again(tmp_path: Path) -> None:
    assert read(written(tmp_path / "r.json", result(method="POST"))).notes == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (result(timestamp="yesterday"), r":1: found 'yesterday', expected a time such as"),
        (result(timestamp="2026-02-30T00:00:00Z"), r":1: found '2026-02-30T00:00:00Z'"),
        (result(timestamp=None), r":1: found 'None' for timestamp, expected a text"),
        (result(latency="fast"), r":1: found 'fast' for latency, expected an integer"),
        (result(code=True), r":1: found 'True' for code, expected an integer"),
        (result(code=-5), r":1: found status -5, expected one of"),
        (result(body="1") | {"body": "!"}, r":1: found '!', expected base64"),
        (result(latency=10**24), r":1: found '1\d+…?' for end_ns|for end_ns"),
        (result(None), r"carries no values: none of its 1 answers with status 200 has a body"),
    ],
)
def test_what_is_none(tmp_path: Path, line: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(written(tmp_path / "r.json", line))


@given(
    at_ns=st.integers(0, 4 * 10**18),
    zone_minutes=st.integers(-14 * 60, 14 * 60),
)
def test_times_are_read_to_the_nanosecond(at_ns: int, zone_minutes: int) -> None:
    from analysis.imports.times import rfc3339  # noqa: PLC0415

    seconds, fraction = divmod(at_ns, 10**9)
    local = datetime.fromtimestamp(seconds, UTC) + timedelta(minutes=zone_minutes)
    sign, (hours, minutes) = "-" if zone_minutes < 0 else "+", divmod(abs(zone_minutes), 60)
    digits = f"{fraction:09d}".rstrip("0")  # as Go writes them
    text = f"{local:%Y-%m-%dT%H:%M:%S}{'.' * bool(digits)}{digits}{sign}{hours:02}:{minutes:02}"
    assert rfc3339(text, "f").ns == at_ns
