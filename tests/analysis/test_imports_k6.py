"""k6's points: values in tags, values as numbers, coarse times, and none at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.imports import detect
from analysis.imports.k6 import read
from history.errors import UserError

SHOWN = ("kind", "start_ns", "end_ns", "outcome", "value", "status", "reason")
NOON = 1_795_348_800 * 10**9  # 2026-11-22T12:00:00Z
MS = 10**6
HEADING = "metric_name,timestamp,metric_value,check,error,method,status,url,extra_tags,metadata\n"
ALWAYS = "k6's HTTP client sends a GET again"


def point(metric: str, after_ms: int, number: float = 1, **tags: str) -> dict[str, Any]:
    """One line of `k6 run --out json`, so long after noon."""
    time = f"2026-11-22T13:00:{after_ms // 1000:02}.{after_ms % 1000:03}+01:00"
    return {
        "metric": metric,
        "type": "Point",
        "data": {"time": time, "value": number, "tags": tags or None},
    }


def answer(after_ms: int, value: str, sent_ms: int, status: str = "200", **more: str) -> Any:
    """A point as docs/history-format.md tells scripts to make."""
    start = str(NOON // MS + sent_ms)
    return point("op", after_ms, 5, value=value, status=status, start=start, **more)


def request(after_ms: int, took_ms: float, status: str = "200", method: str = "GET") -> Any:
    """A request as k6 itself measures it, stamped at its end."""
    return point("http_req_duration", after_ms, took_ms, status=status, method=method)


def written(path: Path, *lines: dict[str, Any]) -> Path:
    declared = {"type": "Metric", "data": {"name": "op", "type": "trend"}, "metric": "op"}
    path.write_text("".join(json.dumps(line) + "\n" for line in (declared, *lines)))
    return path


def rows(path: Path) -> list[tuple[Any, ...]]:
    table = read(path).table
    found = zip(*(table.column(name).to_pylist() for name in SHOWN), strict=True)
    return [(kind, s - NOON, e and e - NOON, *rest) for kind, s, e, *rest in found]


def test_tagged_points(tmp_path: Path) -> None:
    path = written(
        tmp_path / "k.json",
        request(15, 5),
        answer(16, str(2**60 + 1), 10),
        answer(21, "null", 17, "0", error="request timeout"),
        answer(22, "7", 17, "503"),
        answer(23, "{}", 17, "429"),
        answer(24, "1", 17, kind="decrement"),
        answer(25, "1", 17, url="http://127.0.0.1/decrement"),
        answer(26, "1", 17, kind="read"),
    )
    assert detect(path) == "k6"
    assert rows(path) == [
        ("increment", 10 * MS, 16 * MS, "ok", str(2**60 + 1), 200, "integer"),
        ("increment", 17 * MS, None, "indeterminate", None, None, "timeout"),
        ("increment", 17 * MS, 22 * MS, "indeterminate", None, 503, "server-error"),
        ("increment", 17 * MS, 23 * MS, "rejected", None, 429, "throttled"),
        ("decrement", 17 * MS, 24 * MS, "ok", "1", 200, "integer"),
        ("decrement", 17 * MS, 25 * MS, "ok", "1", 200, "integer"),
        ("read", 17 * MS, 26 * MS, "ok", "1", 200, "integer"),
    ]
    assert [note[: len(ALWAYS)] for note in read(path).notes] == [ALWAYS]


def test_requests_without_a_value_may_have_taken_one(tmp_path: Path) -> None:
    path = written(tmp_path / "k.json", request(15, 5), request(30, 20), answer(16, "1", 10))
    assert rows(path)[1] == (
        *("increment", 9 * MS, None, "indeterminate", None, None, "no-answer"),
    )
    assert "taken as indeterminate: 1 request without a value" in read(path).notes


def test_what_sets_the_counter_is_no_request_without_a_value(tmp_path: Path) -> None:
    path = written(
        tmp_path / "k.json", request(5, 5, method="PUT"), request(15, 5), answer(16, "1", 10)
    )
    assert len(rows(path)) == 1


def test_bare_values_are_taken_as_sent_at_the_beginning(tmp_path: Path) -> None:
    path = written(
        tmp_path / "k.json",
        request(15, 5),
        point("value", 16, 4711),
        request(30, 2.5, "503"),
        request(40, 2.5),
        point("value", 41, 2.0**53),
        request(50, 2.5),
    )
    assert rows(path) == [
        ("increment", 10 * MS - MS, 16 * MS, "ok", "4711", 200, "integer"),
        ("increment", 10 * MS - MS, 41 * MS, "indeterminate", None, 200, "malformed-answer"),
        ("increment", 27_400_000, 30 * MS, "indeterminate", None, 503, "server-error"),
        ("increment", 10 * MS - MS, None, "indeterminate", None, None, "no-answer"),
    ]
    notes = read(path).notes
    assert notes[0].startswith("taken as indeterminate: 1 value (line 6) that is no integer below")
    assert notes[1].startswith("nothing says when the requests were sent")
    assert notes[2] == "taken as indeterminate: 1 request without a value"


@pytest.mark.parametrize(
    ("time", "latest_ns", "step"),
    [
        (f"{NOON // 10**9}", 10**9 - 1, "1 s"),
        (f"{NOON // MS + 5}", 6 * MS - 1, "1 ms"),
        (f"{NOON // 1000 + 5}", 5999, None),
        (f"{NOON + 5}", 5, None),
        ("2026-11-22T12:00:00Z", 10**9 - 1, "1 s"),
        ("2026-11-22T12:00:00.000000005Z", 5, None),
    ],
)
def test_csv_times_end_as_late_as_they_can_have(
    tmp_path: Path, time: str, latest_ns: int, step: str | None
) -> None:
    path = tmp_path / "k.csv"
    start = NOON // MS - 1
    path.write_text(f"{HEADING}op,{time},5.000000,,,,200,,value=41&start={start},vu=3\n")
    assert detect(path) == "k6"
    assert rows(path) == [("increment", -MS, latest_ns, "ok", "41", 200, "integer")]
    told = [note for note in read(path).notes if note.startswith("times are written in steps of")]
    assert [note.split(":")[0].removeprefix("times are written in steps of ") for note in told] == (
        [step] if step else []
    )
    assert read(path).table.column("worker").to_pylist() == ["3"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([request(15, 5)], r"carries no values: k6 keeps no bodies"),
        ([], r"carries no values: k6 keeps no bodies"),
        ([answer(1, "1", 0), point("op2", 2, value="1")], r"found values in the metrics op, op2"),
        ([answer(1, "1", 0, "twenty")], r":2: found status 'twenty'"),
        ([answer(1, "1", 0, kind="add")], r":2: found kind 'add', expected one of increment"),
        ([point("op", 1, value="1", start="soon")], r":2: found 'soon', expected a plain decimal"),
        ([{"type": "Point", "metric": "op", "data": 5}], r":2: found .*, expected a point of k6"),
        (
            [point("op", 1, value="1") | {"data": {}}],
            r":2: found 'None', expected a time|no values",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, lines: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(written(tmp_path / "k.json", *lines))


def test_what_a_point_lacks_is_said(tmp_path: Path) -> None:
    notes = read(written(tmp_path / "k.json", point("op", 5, value="1"))).notes
    assert notes[0] == "taken as sent at the beginning: 1 point (line 2) without the tag start"
    assert notes[1] == "taken as status 200: 1 point (line 2) without the tag status"
