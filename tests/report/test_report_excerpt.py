"""Of a very long run a stretch is drawn, and the page says so."""

from pathlib import Path

import pytest

from analysis.judging import judge_run
from analysis.report import excerpt, page
from analysis.run import Run
from tests.runs import busy, recorded

ROWS = 3_000


def run(*, repeat_at: int | None = None) -> Run:
    rows = busy(ROWS)
    if repeat_at is not None:
        rows[repeat_at]["value"] = rows[repeat_at - 1]["value"]
    return recorded(rows)


@pytest.mark.parametrize(
    ("repeat_at", "rows", "first"),
    [
        pytest.param(None, ROWS, 0, id="short enough: all of it"),
        pytest.param(None, 1_000, 0, id="nothing wrong: the beginning"),
        pytest.param(1_500, 1_000, 999, id="around the evidence"),
        pytest.param(2_990, 1_000, 2_000, id="evidence near the end"),
        pytest.param(10, 1_000, 0, id="evidence near the beginning"),
    ],
)
def test_what_is_drawn(repeat_at: int | None, rows: int, first: int) -> None:
    whole = run(repeat_at=repeat_at)
    found = excerpt.drawn(whole, judge_run(whole), rows=rows)
    assert found.run.record.rows == rows
    assert found.first_row == first
    assert found.is_whole == (rows == ROWS)
    kept = whole.frame.iloc[first : first + rows].reset_index(drop=True)
    assert found.run.frame["value"].tolist() == kept["value"].tolist()
    assert found.run.record.operations([5])[5] == whole.record.operations([first + 5])[first + 5]


def test_the_page_says_what_it_shows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = run(repeat_at=1_500)
    judgement = judge_run(whole)
    monkeypatch.setattr(excerpt.drawn, "__kwdefaults__", {"rows": 1_000})
    shown = page.render(whole, judgement, tmp_path)
    note = "Drawn and counted below are 1,000 of 3,000 operations, around the first evidence"
    assert shown.count(note) == 2
    assert "3,000: 3,000 ok, 0 rejected, 0 indeterminate" in shown
