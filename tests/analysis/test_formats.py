"""Whose file is it: the first lines decide, --format overrides, a stranger is told what is read."""

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.frame import load_history
from analysis.imports import FORMATS, detect, read_foreign
from analysis.load import load_imported
from history.errors import EXIT_USAGE, UserError
from history.schema import COLUMNS, arrow_schema
from tests.analysis.corpora import FOLDER
from tests.runs import REPOSITORY

OWN = "start_ns,end_ns,outcome,value\n0,1,ok,1\n"
EDN = "{:type :invoke, :process 0, :f :inc}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OWN, "history"),
        ("value,note,outcome,end_ns,start_ns\n", "history"),
        ('{"start_ns": 0, "outcome": "rejected"}\n', "history"),
        (EDN, "jepsen"),
        ("[" + EDN + "]", "jepsen"),
        ("; from a test\n\n;; of others\n[" + EDN, "jepsen"),
        ("#jepsen.history.Op" + EDN, "jepsen"),
        ("\ufeff  " + EDN, "jepsen"),
        ("[]\n", "jepsen"),
        ('[\n  {"type": "invoke",\n   "f": "inc", "process": 0}]', "jepsen"),
        ('{"type": "invoke", "f": "inc", "process": 0}', "jepsen"),
        ('{"attack": "", "code": 200, "timestamp": "", "latency": 1}', "vegeta"),
        ("1795348800000000005,200,7,0,1,,MQ==,a,0\n", "vegeta"),
        ('{"type": "Metric", "data": {}, "metric": "vus"}\n', "k6"),
        ("metric_name,timestamp,metric_value,check\n", "k6"),
        ("timestamp,response_time,name\n", "locust"),
        ("a,b\n1,2\n", None),
        ('{"a": 1}', None),
        ("{:a 1}", None),
        ("hello", None),
        ("", None),
        ("\x00\x01\x02", None),
    ],
)
def test_detect(tmp_path: Path, text: str, expected: str | None) -> None:
    path = tmp_path / "f"
    path.write_text(text)
    assert detect(path) == expected


def test_parquet_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "f"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    assert detect(path) == "history"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.edn")), ids=lambda path: path.stem)
def test_the_public_histories_are_told_apart_by_themselves(path: Path) -> None:
    assert detect(path) == "jepsen"
    assert read_foreign(path) is not None


@pytest.mark.parametrize("suffix", [".json", ".edn", ".csv", ".jsonl", ".txt", ""])
def test_the_ending_does_not_matter_where_the_lines_tell(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"h{suffix}"
    path.write_text(EDN)
    assert len(load_history(path)) == 1


def test_our_own_files_stay_ours() -> None:
    for path in sorted((REPOSITORY / "tests" / "histories").glob("*.csv")):
        assert read_foreign(path) is None
        assert load_imported(path).notes == ()


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_that_is_not_the_files_is_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / "h.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"h\.csv") as caught:
        load_history(path, name)
    assert "\n" not in str(caught.value)


def test_the_format_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "h.csv"
    path.write_text("start_ns,end_ns,outcome,value,start_time,response_time\n0,1,ok,1,5.0,2\n")
    assert main(["verify", str(path)]) == 0
    assert main(["verify", str(path), "--format", "locust", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert verdict["operations"]["by_source"]["locust"]["total"] == 1
    with pytest.raises(UserError, match="--format tsung: expected one of history, jepsen, k6"):
        load_history(path, "tsung")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("f.csv", "a,b,c\n1,2,3\n", "the columns 'a,b,c'"),
        ("f.jsonl", '{"a": 1}\n', """'{"a": 1}'"""),
        ("f.json", "[1, 2]\n", "'[1, 2]'"),
        ("f.log", "GET / 200\n", "'GET / 200'"),
    ],
)
def test_a_stranger_is_told_what_was_found_and_what_is_read(
    tmp_path: Path, name: str, text: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert main(["verify", str(path)]) == EXIT_USAGE
    told = capsys.readouterr().err
    assert found in told
    assert "a file of jepsen, k6, locust, vegeta: see docs/history-format.md" in told
    assert told.count("\n") == 1


def test_notes_follow_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "h.edn"
    path.write_text(EDN + "{:type :ok, :process 0, :f :inc, :value 1}\n")
    assert main(["verify", str(path)]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if "  note  " in line]
    assert notes[0] == (
        "  note         not every entry has a :time: their order was taken as the clock"
    )
    assert len(notes) == 2
    main(["verify", str(path), "--json"])
    told = json.loads(capsys.readouterr().out)["notes"]
    assert [f"  note         {note}" for note in told] == notes


def test_what_only_others_record_is_in_no_record_of_ours() -> None:
    unrecorded = [column.name for column in COLUMNS if not column.recorded]
    assert unrecorded == ["delta"]
    assert not set(unrecorded) & set(arrow_schema().names)
