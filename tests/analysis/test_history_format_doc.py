"""docs/history-format.md says what is so: columns, names, and sessions that run as printed."""

import re
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.imports import FORMATS
from analysis.imports.k6 import BARE_METRICS
from history.schema import COLUMNS
from tests.runs import REPOSITORY

TEXT = (REPOSITORY / "docs" / "history-format.md").read_text()
SESSIONS = re.findall(r"^```\n(\$ .*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def test_every_column_is_told_with_its_type() -> None:
    told = re.findall(r"^\| `(\w+)` \| (int64|int32|text) \| (.*?) \|", TEXT, re.MULTILINE)
    assert {(name, kind, absent == "required") for name, kind, absent in told} == {
        (column.name, column.type, column.required) for column in COLUMNS
    }


def test_every_format_and_metric_is_told() -> None:
    assert all(f"`{name}`" in TEXT or f"--format {name}" in TEXT for name in FORMATS)
    assert all(f"`{name}`" in TEXT for name in BARE_METRICS)


@pytest.mark.parametrize("session", SESSIONS)
def test_sessions_run_as_printed(
    session: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    converted = 0
    for command, printed in COMMAND.findall(session):
        if command.startswith("python -m analysis convert "):
            assert main(command.split()[3:]) == 0
            assert capsys.readouterr().out == printed
            converted += 1
            continue
        path = Path(command.removeprefix("cat "))
        if path.exists():
            assert path.read_text() == printed
        else:
            path.write_text(printed)
    assert converted == 1


def test_there_are_sessions() -> None:
    assert len(SESSIONS) == 3
