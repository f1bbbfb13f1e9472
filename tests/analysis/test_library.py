"""In a notebook: a frame in, a judgement out that prints."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from analysis import judge
from analysis.verdict import Verdict
from history.errors import UserError

ROWS = {
    "start_ns": [0, 10, 20],
    "end_ns": [5, 15, 25],
    "outcome": ["ok", "ok", "ok"],
    "value": [1, 2, 3],
}


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(ROWS | columns)


@pytest.mark.parametrize(
    ("columns", "options", "verdict"),
    [
        pytest.param({}, {}, Verdict.PASS, id="as it stands"),
        pytest.param({"value": [2, 3, 4]}, {"initial": 1}, Verdict.PASS, id="from an initial 1"),
        pytest.param({"value": [1, 2, 2]}, {}, Verdict.FAIL, id="a duplicate"),
        pytest.param({}, {"final": 4}, Verdict.FAIL, id="a lost tail"),
        pytest.param({"value": [0, 1, 2]}, {"returns": "old"}, Verdict.PASS, id="old values"),
        pytest.param({"value": ["1", "2", "3"]}, {}, Verdict.PASS, id="numbers as text"),
        pytest.param(
            {"value": [1, None, 3], "outcome": ["ok", "indeterminate", "ok"]},
            {},
            Verdict.INCONCLUSIVE,
            id="a blank made floats of the values: nothing was lost",
        ),
        pytest.param(
            {"value": [1, None, 3], "outcome": ["ok", "indeterminate", "ok"]},
            {"allow_unanswered": 1},
            Verdict.PASS,
            id="an explained hole is allowed",
        ),
        pytest.param(
            {
                "value": [None, 1, 3],
                "outcome": ["indeterminate", "ok", "ok"],
                "start_ns": [0, 10, 20_000_000],
                "end_ns": [None, 15, 20_000_005],
            },
            {"effect_window_ms": 5, "initial": 0},
            Verdict.INCONCLUSIVE,
            id="a window that reaches far enough",
        ),
        pytest.param(
            {
                "value": [None, 1, 3],
                "outcome": ["indeterminate", "ok", "ok"],
                "start_ns": [0, 10_000_000, 20_000_000],
                "end_ns": [None, 10_000_005, 20_000_005],
            },
            {"effect_window_ms": 5},
            Verdict.FAIL,
            id="it acted before 1 was asked for, or never",
        ),
        pytest.param(
            {"host": ["a", "b", "a"]},
            {},
            Verdict.INCONCLUSIVE,
            id="unknown clocks",
        ),
        pytest.param(
            {"host": ["a", "b", "a"]},
            {"clock_error_ms": 1},
            Verdict.PASS,
            id="known clocks",
        ),
        pytest.param(
            {"host": ["a", "b", "a"], "value": [2, 1, 3]},
            {"clock_error_ms": 1},
            Verdict.INCONCLUSIVE,
            id="out of order within the clocks' error",
        ),
        pytest.param(
            {"host": ["a", "b", "a"], "value": [2, 1, 3]},
            {"clock_error_ms": 0.000001},
            Verdict.FAIL,
            id="out of order beyond it",
        ),
    ],
)
def test_a_frame_is_judged(
    columns: dict[str, Any], options: dict[str, Any], verdict: Verdict
) -> None:
    given = frame(**columns)
    kept = given.copy()
    assert judge(given, **options).verdict is verdict
    pd.testing.assert_frame_equal(given, kept)


def test_tables_and_files_are_judged_alike(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    frame().to_csv(path, index=False)
    table = pa.table(ROWS)
    found = [judge(history).to_json()["checks"] for history in (frame(), table, path, str(path))]
    assert found == [found[0]] * 4


def test_a_judgement_prints_as_the_command_line_does_and_shows_in_a_notebook() -> None:
    judged = judge(frame(source="<b>"))
    lines = str(judged).splitlines()
    assert lines[0] == "PASS  history"
    assert lines[1].startswith("  3 operations (<b> 3): 3 ok")
    assert [line.split()[0] for line in lines[3:]] == [found.check for found in judged.findings]
    shown = judged._repr_html_()
    assert "<b>PASS</b>" in shown
    assert "(<b> 3)" not in shown


@pytest.mark.parametrize(
    ("history", "options", "sentence"),
    [
        (pd.DataFrame(), {}, "the frame has no column start_ns"),
        (frame().drop(columns="value"), {}, "the frame has no column value"),
        (frame(value=[1.0, 2.0, 2.0**53]), {}, "frame:3: found 9007199254740992.0 in column value"),
        (frame(start_ns=[0, 10, None]), {}, "frame:3: found a blank in column start_ns"),
        (frame(outcome=["ok", "ok", "yes"]), {}, "frame:3: found 'yes' in column outcome"),
        (frame(value=[1, 2, object()]), {}, "frame:3: found '<object object"),
        (pd.concat([frame(), frame()[["value"]]], axis=1), {}, "column value twice"),
        (frame(), {"returns": "x"}, "returns='x': expected one of new, old"),
        (frame(), {"initial": 2**63}, "initial=9223372036854775808: expected an integer"),
        (5, {}, "found int, expected a DataFrame"),
        ("nothing.csv", {}, "nothing.csv does not exist"),
        (pa.table({"start_ns": [1]}), {}, "table: column end_ns is missing"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(
    history: Any, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError) as caught:
        judge(history, **options)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("column", "number", "bits"),
    [("value", 2**64 - 1, 64), ("attempts", 2**64 - 1, 64), ("status", 2**40, 32)],
)
def test_integers_that_do_not_fit_are_named(column: str, number: int, bits: int) -> None:
    for history in (
        frame(**{column: pd.Series([1, 2, number], dtype="uint64")}),
        pa.table(ROWS | {column: pa.array([1, 2, number], pa.uint64())}),
    ):
        with pytest.raises(
            UserError, match=rf":3: found {number} in column {column}.* {bits} bits"
        ):
            judge(history)
