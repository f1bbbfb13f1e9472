"""convert: what was read is what is written, exactly, or nothing is."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import frame as frames
from analysis.__main__ import main
from analysis.convert import write_history
from analysis.frame import load_history, record_of
from analysis.load import load_record
from analysis.options import parsed
from history.errors import UserError
from history.operation import INT64_MAX, INT64_MIN
from tests.analysis.corpora import FOLDER
from tests.report.builders import frame_of
from tests.runs import REPOSITORY

HISTORIES = REPOSITORY / "tests" / "histories"
SUFFIXES = (".csv", ".jsonl", ".parquet")
NUMBERS = st.integers(INT64_MIN, INT64_MAX)
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def operations() -> st.SearchStrategy[dict[str, object]]:
    """Give rows of a history: any numbers and texts that a record may hold."""
    common = {
        "start_ns": NUMBERS,
        "host": TEXTS,
        "worker": TEXTS,
        "reason": TEXTS,
        "status": st.none() | st.integers(0, 999),
        "attempts": st.integers(0, 3),
        "intended_ns": st.none() | NUMBERS,
    }
    ok = st.fixed_dictionaries(
        common | {"outcome": st.just("ok"), "end_ns": NUMBERS, "value": NUMBERS}
    )
    blind = st.fixed_dictionaries(
        common
        | {
            "outcome": st.sampled_from(["ok", "indeterminate"]),
            "end_ns": NUMBERS,
            "delta": st.integers(1, INT64_MAX),
        }
    )
    unknown = st.fixed_dictionaries(
        common
        | {
            "outcome": st.sampled_from(["rejected", "indeterminate"]),
            "kind": st.sampled_from(["increment", "decrement", "read"]),
        }
    )
    return ok | blind | unknown


def same(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    """Compare two loaded histories cell by cell; how a category is coded is not told."""
    blanks = (frame.astype(object).where(frame.notna(), None) for frame in (one, two))
    first, second = (frame.to_dict("list") for frame in blanks)
    return first == second


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(operations(), max_size=5), suffix=st.sampled_from(SUFFIXES))
def test_what_was_written_is_read(
    rows: list[dict[str, object]], suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = frame_of(rows)
    path = tmp_path_factory.mktemp("convert") / f"h{suffix}"
    try:
        write_history(record_of(frame), path)
    except UserError as error:
        # A text with edges of blanks, or a line break within, is not told by every format.
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert suffix != ".parquet"
        assert "write a .parquet file" in refused
        assert not path.exists()
    else:
        assert same(load_history(path), frames.frame_of(record_of(frame)))
    assert [found.name for found in path.parent.iterdir()] in ([path.name], [])


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("path", sorted(HISTORIES.glob("*.csv"))[::4], ids=lambda path: path.stem)
def test_our_histories_survive_every_format(path: Path, suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"h{suffix}"
    write_history(load_record(path), target)
    assert same(load_history(target), load_history(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_those_of_others_too(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = FOLDER / "blind-up-and-down.edn"
    target = tmp_path / f"h{suffix}"
    assert main(["convert", str(source), str(target)]) == 0
    assert same(load_history(target), load_history(source))
    assert load_history(target)["delta"].to_list() == [5, -3, pd.NA, pd.NA]
    assert capsys.readouterr().out.splitlines() == [
        f"{target}  4 operations",
        "  note         not every entry has a :time: their order was taken as the clock",
    ]


def test_csv_is_plain_and_leaves_out_what_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    write_history(load_record(HISTORIES / "three-in-a-row.csv"), path)
    assert path.read_text().splitlines()[0] == "kind,start_ns,end_ns,outcome,value"


def test_nothing_is_replaced_unless_told(tmp_path: Path) -> None:
    source, target = HISTORIES / "duplicate.csv", tmp_path / "h.csv"
    target.write_text("mine")
    with pytest.raises(UserError, match=r"h\.csv exists: name another file, or replace it with"):
        main(["convert", str(source), str(target)])
    assert target.read_text() == "mine"
    assert main(["convert", str(source), str(target), "--force"]) == 0
    assert same(load_history(target), load_history(source))
    assert main(["convert", str(target), str(target), "--force"]) == 0
    assert same(load_history(target), load_history(source))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("h.json", r"h\.json: expected a file ending in \.csv, \.jsonl, \.parquet, found \.json"),
        ("h", r"h: expected a file ending in .*, found no ending"),
        ("none/h.csv", r"h\.csv cannot be written: No such file or directory"),
        ("file/h.csv", r"h\.csv cannot be written: Not a directory"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, target: str, message: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=message):
        main(["convert", str(HISTORIES / "duplicate.csv"), str(tmp_path / target)])


def test_a_text_that_csv_cannot_tell_is_said_and_nothing_written(tmp_path: Path) -> None:
    frame = frame_of([{"start_ns": 0, "outcome": "rejected", "worker": "a\nb"}])
    with pytest.raises(UserError, match=r"h\.csv .*write a \.parquet file") as caught:
        write_history(record_of(frame), tmp_path / "h.csv")
    assert "unfinished" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    write_history(record_of(frame), tmp_path / "h.parquet")
    assert same(load_history(tmp_path / "h.parquet"), frame)


def test_a_run_can_be_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = REPOSITORY / "reports" / "examples" / "pass"
    assert main(["convert", str(run), str(tmp_path / "h.parquet")]) == 0
    rows = len(load_history(run / "operations.parquet"))
    assert capsys.readouterr().out == f"{tmp_path / 'h.parquet'}  {rows:,} operations\n"


@pytest.mark.parametrize(
    ("flags", "name", "expected"),
    [
        ([], "effect_window_ms", None),
        (["--effect-window-ms", "29500"], "effect_window_ms", 29_500),
        (["--effect-window-ms", "0"], "effect_window_ms", 0),
        (["--effect-window-ms", "unbounded"], "effect_window_ms", float("inf")),
        ([], "search_budget_s", 30),
        (["--search-budget-s", "0.5"], "search_budget_s", 0.5),
        ([], "clock_error_ms", None),
        (["--clock-error-ms", "1.25"], "clock_error_ms", 1.25),
    ],
)
def test_options_of_the_judgement(flags: list[str], name: str, expected: float | None) -> None:
    assert getattr(parsed(["verify", "x.csv", *flags]), name) == expected


@pytest.mark.parametrize("option", ["--effect-window-ms", "--search-budget-s", "--clock-error-ms"])
@pytest.mark.parametrize("number", ["=-1", "=nan", "=1e400", "=inf", "=", "=x", "=1,5"])
def test_options_that_are_no_numbers_are_one_sentence(option: str, number: str) -> None:
    with pytest.raises(UserError, match=f"{option} .*: expected a number of at least 0"):
        parsed(["verify", "x.csv", option + number])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_history_without_rows_is_one_too(suffix: str, tmp_path: Path) -> None:
    source, target = tmp_path / "empty.csv", tmp_path / f"h{suffix}"
    source.write_text("kind,start_ns,end_ns,outcome,value\n")
    write_history(load_record(source), target)
    assert load_record(target).rows == 0
