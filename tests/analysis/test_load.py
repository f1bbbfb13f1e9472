"""Every malformed history is one sentence: file, row, found, expected."""

import json
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.frame import load_history
from analysis.judging import judge_run
from analysis.load import load_record
from analysis.run import Run
from analysis.verdict import Verdict
from history.errors import UserError

HEAD = "kind,start_ns,end_ns,outcome,value\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "increment,0,1,ok,abc\n", r":2: found 'abc' in column value, expected an integer"),
        (HEAD + "increment,0,1,ok,1\nincrement,0,1,ok,1.5\n", r":3: found '1.5' in column value"),
        (HEAD + "increment,,1,ok,1\n", r":2: found a blank in column start_ns"),
        (HEAD + "increment,0x1,1,ok,1\n", r":2: found '0x1' in column start_ns"),
        (HEAD + f"increment,0,{2**63},ok,1\n", r":2: found '9223372036854775808' in column end_ns"),
        (
            HEAD + "increment,0,1,maybe,1\n",
            r":2: found 'maybe' in column outcome, expected one of ok, rejected, indeterminate",
        ),
        (HEAD + "increment,0,1,,1\n", r":2: found a blank in column outcome"),
        (
            HEAD + "add,0,1,ok,1\n",
            r":2: found 'add' in column kind, expected one of increment, decrement, read",
        ),
        (HEAD + "increment,0,1,ok\n", r":2: found 4 cells \('increment,0,1,ok'\), expected 5"),
        (
            HEAD + "increment,0,1,ok,1\n\nincrement,0,1,ok,2\n",
            r":3: found a blank in column start_ns",
        ),
        ("start_ns,end_ns,outcome\n0,1,ok\n", r"column value is missing; a history needs"),
        ("", r"column end_ns is missing"),
        ("start_ns,end_ns,outcome,value,value\n", r":1: column value stands twice"),
        (
            HEAD + 'increment,0,1,ok,1\nincrement,2,3,ok,"2\nincrement,4,5,ok,3\n',
            r""":3: found 'increment,2,3,ok,"2', expected quotes only around whole cells""",
        ),
        (HEAD + 'increment,0,1,ok,"1\nx"\n', r":2: found .*, expected quotes only around"),
        (HEAD + 'increment,0,1,ok,1"\n', r":2: found .*, expected quotes only around"),
        (HEAD + 'increment,0,1,ok,"1"2\n', r":2: found .*, expected quotes only around"),
        ('"start_ns\n",end_ns,outcome,value\n', r":1: found .*, expected quotes only around"),
        ("x" * 200_000 + "," + HEAD, r":1: found 'x{40}…', expected a heading of column names"),
        ("attempts," + HEAD + "10001,increment,0,1,ok,1\n", r":2: found 10001 in column attempts"),
        ("attempts," + HEAD + "-1,increment,0,1,ok,1\n", r"expected an integer of 0 to 10000"),
    ],
)
def test_malformed_csv(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        load_history(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"start_ns": 0, "outcome": "ok", "end_ns": 1, "value": 1.5}\n', r":1: found '1.5'"),
        ('{"start_ns": 0, "outcome": "ok", "end_ns": 1, "value": true}\n', r":1: found 'true'"),
        ('{"start_ns": 0, "outcome": "ok"}\n{"start', r":2: found '{\"start', expected a JSON obj"),
        ("[1]\n", r":1: found '\[1\]', expected a JSON object"),
        ('{"outcome": "ok"}\n', r":1: found a blank in column start_ns"),
        (
            '{"start_ns": 0, "outcome": "ok"}\n{"start_ns": 1, "outcome": "\\ud800"}\n',
            r":2: found '\\ud800' in column outcome, expected text without lone surrogates",
        ),
    ],
)
def test_malformed_jsonl(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_history(path)


def test_malformed_parquet(tmp_path: Path) -> None:
    path = tmp_path / "history.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(UserError, match="cannot be read"):
        load_history(path)
    pd.DataFrame({"start_ns": [0.5], "end_ns": [1], "outcome": ["ok"], "value": [1]}).to_parquet(
        path
    )
    with pytest.raises(UserError, match="column start_ns has type double, expected integers"):
        load_history(path)


def test_nothing_of_a_folder_is_read_as_a_column(tmp_path: Path) -> None:
    path = tmp_path / "kind=read" / "history.parquet"
    path.parent.mkdir()
    pd.DataFrame({"start_ns": [0], "end_ns": [1], "outcome": ["ok"], "value": [1]}).to_parquet(path)
    assert load_history(path)["kind"].to_list() == ["increment"]


CELLS = st.text(alphabet='"a,\n\r ', max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=3))
def test_every_line_is_one_row_or_refused(cells: list[tuple[str, str]]) -> None:
    text = "start_ns,end_ns,outcome,value,host,worker\n" + "".join(
        f"{n},,indeterminate,,{host},{worker}\n" for n, (host, worker) in enumerate(cells)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.csv"
        path.write_bytes(text.encode())
        try:
            rows = len(load_history(path))
        except UserError:
            return
    assert rows == len(text.encode().splitlines()) - 1


def test_ordinary_quoted_cells(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(
        b'\xef\xbb\xbf"start_ns","end_ns","outcome","value","worker"\r\n'
        b'"0","1","ok","1","a ""b"", c"\r\n1,"",indeterminate,"",\r\n'
    )
    frame = load_history(path)
    assert frame["value"].to_list() == [1, pd.NA]
    assert frame["worker"].to_list()[0] == 'a "b", c'


@pytest.mark.parametrize("name", ["history.txt", "history"])
def test_other_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(HEAD)
    with pytest.raises(UserError, match=r"expected a run folder or a history file ending in"):
        load_history(tmp_path / name)


def test_columns_in_any_order_with_extra_ones(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text(
        "value,colour,outcome,end_ns,start_ns\n9007199254740993,red,ok,2,1\n,,rejected,,3\n"
    )
    frame = load_history(path)
    assert frame["value"].to_list() == [9007199254740993, pd.NA]
    assert frame["value"].dtype == "Int64"
    assert frame["start_ns"].dtype == "int64"
    assert frame["kind"].to_list() == ["increment", "increment"]
    assert frame["attempts"].to_list() == [1, 1]
    assert "colour" not in frame.columns


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode() + b"increment,0,1,ok,1\r\n"
    )
    assert load_history(path)["value"].to_list() == [1]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_64_bits_are_kept_whole(tmp_path: Path, suffix: str, sign: str) -> None:
    value = int(f"{sign}{2**63 - (not sign)}")
    path = tmp_path / f"history{suffix}"
    if suffix == ".csv":
        path.write_text(HEAD + f"increment,{value},{value},ok,{value}\nread,0,1,ok,{sign}0007\n")
    else:
        fields = {"start_ns": value, "end_ns": value, "outcome": "ok", "value": value}
        path.write_text(json.dumps(fields) + "\n")
    frame = load_history(path)
    assert [frame[name][0] for name in ("start_ns", "end_ns", "value")] == [value] * 3
    assert frame["outcome"][0] == "ok"


@pytest.mark.parametrize("value", [2**63, 10**30, -(10**30), -(2**63) - 1])
def test_an_answer_beyond_64_bits_is_not_lost(tmp_path: Path, value: int) -> None:
    path = tmp_path / "history.csv"
    path.write_text(HEAD + f"increment,0,1,ok,1\nincrement,2,3,ok,{value}\n")
    run = Run(run_id="r", record=load_record(path), initial=0, final=1, allow_unanswered=9)
    bounded = judge_run(run).finding("bounded")
    assert (bounded.verdict, bounded.counts["beyond_64_bits"]) == (Verdict.FAIL, 1)
