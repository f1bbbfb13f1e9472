"""Hostile files: one sentence and exit 2, or a well-formed finding. Never a traceback, no hang."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.__main__ import main
from analysis.imports import READERS
from history.errors import EXIT_USAGE, UserError
from history.files import refuse_irregular

HEAD = b"kind,start_ns,end_ns,outcome,value\n"
ROW = b"increment,0,1,ok,1\n"
EDN = "{:type :invoke, :process 0, :f :inc, :value nil}\n"
CRASHED = re.compile(r"could not be judged|Traceback|internal error")
FORMATS = [None, *READERS]
MEGABYTES_10 = 10 * 2**20


def verify(path: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, Any]:
    """Judge a file; give the exit code and the verdict object or the sentence."""
    try:
        code = main(["verify", str(path), "--json", *flags])
    except UserError as error:
        return EXIT_USAGE, str(error)
    printed = capsys.readouterr()
    (line,) = printed.out.splitlines()
    found = json.loads(line)
    assert (code == EXIT_USAGE) == (found["verdict"] is None)
    if found["verdict"] is not None:
        assert printed.err == ""
        return code, found
    assert printed.err == f"gapless: {found['error']}\n"
    return code, found["error"]


def refused(path: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """Give the one sentence with which a file is refused."""
    code, sentence = verify(path, capsys, *flags)
    assert code == EXIT_USAGE, sentence
    assert isinstance(sentence, str)
    assert not CRASHED.search(sentence), sentence
    assert path.name in sentence
    assert "\n" not in sentence
    assert len(sentence) < 1000
    return sentence


def parquet(**columns: Any) -> pa.Table:
    """Make a history table of one row; columns given replace it."""
    plain = {"start_ns": [0], "end_ns": [1], "outcome": ["ok"], "value": [1]}
    return pa.table(plain | columns)


def blind(**columns: Any) -> pa.Table:
    """Make a history table of one add whose answer told nothing."""
    return parquet(value=pa.array([None], pa.int64()), **columns)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("h.csv", b"", "column end_ns is missing"),
        ("h.jsonl", b"[" * 100_000, "expected a JSON object"),
        ("h.jsonl", b'{"start_ns": ' + b"[" * 100_000, "expected a JSON object"),
        ("h.jsonl", b'{"start_ns": ' + b"9" * 10_000 + b"}", "expected a JSON object"),
        ("h.jsonl", b'{"start_ns": 0, "outcome": "ok", "value": [[1]]}', "in column value"),
        ("h.jsonl", b'{"start_ns": NaN, "outcome": "ok"}', "found 'NaN' in column start_ns"),
        ("h.jsonl", b'{"start_ns": 0, "outcome": "\xff"}', "cannot be read: 'utf-8' codec"),
        ("h.csv", HEAD + b"increment,0,1,\xff\xfe,1\n", "cannot be read"),
        ("h.csv", HEAD + b"increment,0,1,ok,\x00\n", "in column value, expected an integer"),
        ("h.csv", HEAD + b"\x00" * 100, "h.csv"),
        ("h.csv", HEAD + b"increment,1e3,1,ok,1\n", "found '1e3' in column start_ns"),
        ("h.csv", HEAD + b"increment,0,%d,ok,1\n" % 10**30, "in column end_ns"),
        (
            "h.csv",
            HEAD + b"increment,0,1,%s,1\n" % (b"x" * MEGABYTES_10),
            "a row of more than 1,048,576",
        ),
        ("h.csv", HEAD + b"increment,0,1,ok,%s\n" % (b"9x" * 400_000), "in column value"),
        ("h.csv", b"x" * MEGABYTES_10, "expected a heading"),
        ("h.parquet", b"", "cannot be read"),
        ("h.parquet", b"PAR1", "cannot be read"),
        ("h.parquet", b"PAR1" + b"\xff" * 1000 + b"PAR1", "cannot be read"),
        ("h.edn", ("[" * 10**6).encode(), "h.edn"),
        ("h.edn", (EDN + "[" * 10**6).encode(), "found brackets 65 deep"),
        ("h.edn", (EDN + '"' + "x" * MEGABYTES_10 + '"').encode(), "found a token of"),
        ("h.edn", (EDN + "{:type " + "x" * MEGABYTES_10).encode(), "found a token of"),
        ("h.edn", EDN.encode() + b"\xff", "found the bytes ff, expected UTF-8 text"),
        ("h.edn", EDN.encode() + b"\x00\x00", "expected a map with :type"),
        ("h.json", b'[{"type": "invoke", "f": "inc", "process": 0}, ' + b"[" * 10**5, "too deep"),
        ("h.json", b'{"code": 0, "latency": 1, "timestamp": "\xff"}', "expected UTF-8 text"),
        ("h.csv", b"metric_name,timestamp,metric_value\n\x00,1,2\n", "carries no values"),
        (
            "h.csv",
            b"metric_name,timestamp,metric_value\n" + b"x" * MEGABYTES_10 + b",1,2\n",
            "field larger than field limit",
        ),
        ("h.csv", b"response_time,start_time,value\n1,2,3\n" + b"y" * 2**25, "a line of more than"),
        ("h.csv", b'response_time,start_time,value\n1,2,"3', "unexpected end of data"),
    ],
    ids=lambda part: repr(part[:20]),
)
def test_bytes_that_are_no_history(
    tmp_path: Path,
    name: str,
    content: bytes,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert sentence in refused(path, capsys)


@pytest.mark.parametrize("format_name", READERS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"\x00" * 50,
        b"\xff\xfe\x00",
        b"[" * 10**5,
        b"{" * 10**5,
        b"{}\n" * 3,
        b'{"a": ' * 10**5,
        b'[{"type": {}}]',
        b'"open',
        b"a,b\n1\n",
        b'{"type": "Point", "metric": 5, "data": []}\n',
        b'{"timestamp": 5, "code": [], "latency": {}}\n',
        b"9" * 5000 + b",200,1,1,1,,,a,1\n",
        ROW,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_any_reader_says_one_sentence_of_what_is_not_its_own(
    tmp_path: Path, format_name: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "f.any"
    path.write_bytes(content)
    code, found = verify(path, capsys, "--format", format_name)
    if code == EXIT_USAGE:
        assert path.name in found
        assert not CRASHED.search(found), found
    else:
        assert found["verdict"] == "INCONCLUSIVE"
        assert found["operations"]["total"] == 0


@pytest.mark.parametrize("cut", [5, 100, 400, -1, -4, -9])
def test_a_parquet_file_that_was_cut(
    tmp_path: Path, cut: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.parquet"
    pq.write_table(parquet(), path)
    path.write_bytes(path.read_bytes()[:cut])
    assert "cannot be read" in refused(path, capsys)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (parquet(value=["1"]), "column value has type string, expected integers"),
        (parquet(value=[1.5]), "column value has type double, expected integers"),
        (parquet(value=[[1]]), "column value has type list<"),
        (parquet(value=[{"a": 1}]), "column value has type struct<"),
        (parquet(start_ns=[None]), "found a blank in column start_ns"),
        (parquet(start_ns=pa.array([0], pa.timestamp("ns"))), "column start_ns has type timestamp"),
        (parquet(outcome=[5]), "column outcome has type int64, expected text"),
        (parquet(outcome=[b"ok"]), "column outcome has type binary, expected text"),
        (parquet(outcome=["maybe"]), "found 'maybe' in column outcome"),
        (parquet(value=pa.array([2**64 - 1], pa.uint64())), "h.parquet"),
        (parquet(attempts=[-1]), "found -1 in column attempts"),
        (parquet(attempts=[10**12]), "in column attempts, expected an integer of 0 to 10000"),
        (parquet(delta=[3]), "found delta 3 beside a value"),
        (blind(delta=[0]), "found delta 0 in a row of kind increment"),
        (blind(delta=[-3]), "found delta -3 in a row of kind increment"),
        (blind(delta=[3], kind=["decrement"]), "found delta 3 in a row of kind decrement"),
        (blind(delta=[3], kind=["read"]), "found delta 3 in a row of kind read"),
        (blind(delta=["3"]), "column delta has type string, expected integers"),
        (pa.table({"a": [1]}), "column end_ns is missing"),
    ],
)
def test_parquet_of_other_types(
    tmp_path: Path, table: pa.Table, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.parquet"
    pq.write_table(table, path)
    assert sentence in refused(path, capsys)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda path: path.write_bytes(HEAD), id="a heading only"),
        pytest.param(lambda path: path.with_suffix(".jsonl").touch(), id="no lines"),
        pytest.param(
            lambda path: pq.write_table(parquet().slice(0, 0), path.with_suffix(".parquet")),
            id="no rows",
        ),
        pytest.param(
            lambda path: pq.ParquetWriter(path.with_suffix(".parquet"), parquet().schema).close(),
            id="no row groups",
        ),
        pytest.param(lambda path: path.with_suffix(".edn").write_text("[]"), id="no entries"),
    ],
)
def test_no_operations_are_no_pass(
    tmp_path: Path, write: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "h.csv")
    (path,) = tmp_path.iterdir()
    code, verdict = verify(path, capsys)
    assert (code, verdict["verdict"], verdict["operations"]["total"]) == (3, "INCONCLUSIVE", 0)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(b"increment,5,1,ok,1\n", ("INCONCLUSIVE", "well-formed"), id="backwards"),
        pytest.param(b"increment,0,,ok,1\n", ("INCONCLUSIVE", "well-formed"), id="ok, no end"),
        pytest.param(b"increment,0,1,ok,\n", ("INCONCLUSIVE", "well-formed"), id="ok, no value"),
        pytest.param(b"increment,0,1,rejected,1\n", ("INCONCLUSIVE", "well-formed"), id="no, 1"),
        pytest.param(ROW + ROW, ("FAIL", "unique"), id="duplicated rows"),
        pytest.param(b"increment,0,1,ok,%d\n" % 10**30, ("FAIL", "bounded"), id="10^30"),
        pytest.param(b"increment,0,1,ok,%d\n" % -(10**30), ("FAIL", "bounded"), id="-10^30"),
        pytest.param(b"increment,0,1,ok,-1\n", ("FAIL", "bounded"), id="below the initial value"),
        pytest.param(b"increment,-5,-1,ok,1\n", ("PASS", "ordered"), id="negative times"),
        pytest.param(
            b"increment,%d,%d,ok,1\n" % (-(2**63), 2**63 - 1), ("PASS", "ordered"), id="all of time"
        ),
    ],
)
def test_rows_that_are_odd_are_judged(
    tmp_path: Path, rows: bytes, expected: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.csv"
    path.write_bytes(HEAD + rows)
    _, verdict = verify(path, capsys)
    found = {check["check"]: check["verdict"] for check in verdict["checks"]}
    assert found[expected[1]] == expected[0]
    assert (verdict["verdict"] == "PASS") == (expected[0] == "PASS")


@pytest.mark.parametrize("ends", [(b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\r", b"\n")])
def test_mixed_line_ends_are_rows_or_refused(
    tmp_path: Path, ends: tuple[bytes, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.csv"
    one, two = ends
    path.write_bytes(HEAD.strip() + one + ROW.strip() + two + b"increment,2,3,ok,2" + one)
    code, verdict = verify(path, capsys)
    assert code == EXIT_USAGE or verdict["operations"] | {"by_source": {}} == {
        "total": 2,
        "ok": 2,
        "rejected": 0,
        "indeterminate": 0,
        "by_source": {},
    }


def test_a_cell_of_ten_megabytes_is_read_where_it_may_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.jsonl"
    row = {"start_ns": 0, "end_ns": 1, "outcome": "ok", "value": 1, "worker": "w" * MEGABYTES_10}
    path.write_text(json.dumps(row))
    code, verdict = verify(path, capsys)
    assert (code, verdict["operations"]["ok"]) == (0, 1)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".edn", ""])
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (pipe, "is a named pipe, expected a regular file"),
        (loop, "cannot be read: [Errno 40] Too many levels of symbolic links"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, expected a regular file"),
        (lambda path: path.symlink_to("/dev/null"), "is a device, expected a regular file"),
        (lambda path: path.symlink_to("nowhere"), "does not exist"),
        (Path.mkdir, "holds no run (no manifest.json)"),
    ],
    ids=["pipe", "loop", "zero", "null", "nowhere", "folder"],
)
def test_what_is_no_file(
    tmp_path: Path,
    suffix: str,
    make: Callable[[Path], object],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / f"h{suffix}"
    make(path)
    assert sentence in refused(path, capsys)


def test_a_file_that_may_not_be_read_names_itself(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder, expected a regular file"):
        refuse_irregular(tmp_path)
    with pytest.raises(FileNotFoundError):
        refuse_irregular(tmp_path / "absent")


@pytest.mark.parametrize("format_name", FORMATS)
def test_convert_leaves_nothing_of_what_it_cannot_read(
    tmp_path: Path, format_name: str | None
) -> None:
    source, target = tmp_path / "h.csv", tmp_path / "o.parquet"
    source.write_bytes(b"\x00,\xff\n" * 10)
    flags = ["--format", format_name] if format_name else []
    with pytest.raises(UserError):
        main(["convert", str(source), str(target), *flags])
    assert list(tmp_path.iterdir()) == [source]


def test_absurdly_many_re_sends_are_refused_before_they_fill_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.parquet"
    rows = range(2_000)
    pq.write_table(
        pa.table(
            {
                "start_ns": rows,
                "end_ns": rows,
                "outcome": ["ok"] * len(rows),
                "value": rows,
                "attempts": [10_000] * len(rows),
            }
        ),
        path,
    )
    code, sentence = verify(path, capsys)
    assert code == EXIT_USAGE
    assert "19,998,000 re-sends in column attempts" in sentence


@pytest.mark.parametrize("flags", [[], ["--clock-error-ms", "0"]])
def test_as_many_hosts_sources_and_words_as_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    path = tmp_path / "h.parquet"
    rows = 20_000
    names = pa.array([f"n{row}" for row in range(rows)])
    odd = [row % 2 == 1 for row in range(rows)]
    columns = {
        "start_ns": pa.array(range(rows)),
        "end_ns": pa.array([None if is_odd else row for row, is_odd in enumerate(odd)]),
        "outcome": ["indeterminate" if is_odd else "ok" for is_odd in odd],
        "value": pa.array([None if is_odd else row + 1 for row, is_odd in enumerate(odd)]),
    }
    every = dict.fromkeys(("host", "source", "process", "worker", "reason"), names)
    pq.write_table(pa.table(columns | every), path)
    code, found = verify(path, capsys, *flags)
    assert code == 3
    assert len(found["operations"]["by_source"]) == rows
    verdicts = {finding["check"]: finding["verdict"] for finding in found["checks"]}
    assert verdicts["gap-free"] == "INCONCLUSIVE"
    assert verdicts["ordered"] == ("PASS" if flags else "INCONCLUSIVE")
