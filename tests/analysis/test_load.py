"""Every malformed history is one sentence: file, row, found, expected."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.judge import judge_run
from analysis.load import load_history
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


@pytest.mark.parametrize("value", [2**63, 10**30, -(10**30), 2**63 - 1])
def test_an_answer_beyond_64_bits_is_not_lost(tmp_path: Path, value: int) -> None:
    path = tmp_path / "history.csv"
    path.write_text(HEAD + f"increment,0,1,ok,1\nincrement,2,3,ok,{value}\n")
    run = Run(run_id="r", frame=load_history(path), initial=0, final=1, allow_unanswered=9)
    assert judge_run(run).finding("bounded").verdict is Verdict.FAIL
