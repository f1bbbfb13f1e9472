"""The example histories and the command line over them."""

import json
from pathlib import Path

import pytest

from analysis.__main__ import main
from history.errors import UserError
from tests.runs import REPOSITORY

HISTORIES = REPOSITORY / "tests" / "histories"
EXPECTED = json.loads((HISTORIES / "expected.json").read_text())
EXIT = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}


def flags(options: dict[str, object]) -> list[str]:
    return [
        text
        for name, value in options.items()
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]


@pytest.mark.parametrize("name", EXPECTED)
def test_expected_verdicts(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    expected = EXPECTED[name]
    code = main(["verify", str(HISTORIES / f"{name}.csv"), "--json", *flags(expected["options"])])
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["verdict"] == expected["verdict"]
    assert code == EXIT[expected["verdict"]]
    found = {check["check"]: check["verdict"] for check in verdict["checks"]}
    assert {check: found[check] for check in expected.get("checks", {})} == expected.get(
        "checks", {}
    )


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize("name", EXPECTED)
def test_the_same_verdict_from_every_format(
    name: str, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from analysis.load import load_history  # noqa: PLC0415

    frame = load_history(HISTORIES / f"{name}.csv")
    path = tmp_path / f"{name}{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    main(["verify", str(path), "--json", *flags(EXPECTED[name]["options"])])
    assert json.loads(capsys.readouterr().out)["verdict"] == EXPECTED[name]["verdict"]


def test_the_worst_of_several_decides(capsys: pytest.CaptureFixture[str]) -> None:
    paths = {
        name: str(HISTORIES / f"{name}.csv")
        for name in ("three-in-a-row", "empty", "duplicate", "absent")
    }
    good, unknown, bad, absent = paths.values()
    assert main(["verify", good]) == 0
    assert main(["verify", good, unknown]) == 3
    assert main(["verify", good, unknown, bad]) == 1
    capsys.readouterr()
    assert main(["verify", good, absent, bad, "--json"]) == 2
    printed = capsys.readouterr()
    assert [json.loads(line)["verdict"] for line in printed.out.splitlines()] == [
        "PASS",
        None,
        "FAIL",
    ]
    assert printed.err.count("\n") == 1
    assert "absent.csv does not exist" in printed.err


def test_a_negative_allowance_is_refused() -> None:
    with pytest.raises(UserError, match="expected a number of at least 0"):
        main(["verify", "x.csv", "--allow-unanswered", "-1"])


def test_the_block_names_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    main(["verify", str(HISTORIES / "three-in-a-row.csv")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "PASS  three-in-a-row.csv"
    assert [line.split()[0] for line in lines[3:]] == [
        "well-formed",
        "unique",
        "bounded",
        "gap-free",
        "conserved",
        "ordered",
        "exercised",
    ]
