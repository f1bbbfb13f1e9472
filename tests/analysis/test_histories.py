"""The example histories and the command line over them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.__main__ import main
from history.errors import EXIT_USAGE, UserError
from history.journal import Journal
from history.manifest import KnownValue
from history.run import RunFolder
from tests.runs import REPOSITORY, new_manifest

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
    from analysis.frame import load_history  # noqa: PLC0415

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


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--allow-unanswered", "-1", "expected a number of at least 0"),
        ("--initial", str(2**63), "expected an integer of at most 64 bits"),
        ("--final", str(-(2**63) - 1), "expected an integer of at most 64 bits"),
    ],
)
def test_numbers_out_of_range_are_refused(flag: str, value: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        main(["verify", "x.csv", flag, value])


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("x" * 300, "cannot be read: File name too long"),
        ("x" * 300 + ".csv", "cannot be read: File name too long"),
        ("\udcff.txt", "\\udcff.txt: expected a run folder or a history file"),
        (".", ". holds no run (no manifest.json): name a run folder or a history file"),
        ("a.csv", "a.csv holds no run (no manifest.json)"),
        ("run-7", "RUN=run-7: no such run"),
        ("b.csv", "b.csv does not exist"),
    ],
)
def test_one_bad_path_is_one_sentence_and_stops_no_other(
    path: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").mkdir()
    Path("\udcff.txt").touch()
    good = str(HISTORIES / "three-in-a-row.csv")
    assert main(["verify", path, good, "--json"]) == EXIT_USAGE
    printed = capsys.readouterr()
    error, verdict = map(json.loads, printed.out.splitlines())
    assert error["run_id"] == path
    assert message in error["error"].encode(errors="backslashreplace").decode()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert verdict["verdict"] == "PASS"


def test_a_name_that_is_no_text_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "\udcff.csv"
    path.write_bytes((HISTORIES / "three-in-a-row.csv").read_bytes())
    assert main(["verify", str(path)]) == 0
    assert capsys.readouterr().out.startswith("PASS  \\udcff.csv")
    assert main(["verify", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run_id"] == "\udcff.csv"


def test_a_crash_never_looks_like_a_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(_: object) -> None:
        raise ZeroDivisionError("so\nit goes")

    monkeypatch.setattr("analysis.__main__.judge_run", crash)
    monkeypatch.delenv("GAPLESS_DEBUG", raising=False)
    path = str(HISTORIES / "duplicate.csv")
    assert main(["verify", path, "--json"]) == EXIT_USAGE
    error = json.loads(capsys.readouterr().out)
    assert error["error"].startswith(f"{path} could not be judged: ZeroDivisionError: so it goes")


def test_nobody_reads_the_verdict() -> None:
    verify = [sys.executable, "-m", "analysis", "verify", str(HISTORIES / "three-in-a-row.csv")]
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        verify, cwd=REPOSITORY, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (EXIT_USAGE, b"")


def stored_run(folder: Path) -> RunFolder:
    """A run of one journal, not sealed yet, whose counter held 41 before it."""
    run = RunFolder(folder)
    run.journals.mkdir(parents=True)
    known = KnownValue(value=41, how="PUT")
    new_manifest(run_id="r").replace(initial=known, final=known).write(run.manifest)
    Journal(run.journals / "swarm-0.journal", process="swarm-0", source="swarm").close()
    return run


def test_the_record_of_a_run_is_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stored_run(tmp_path / "r")
    main(["verify", str(run.path), "--json"])
    judged = capsys.readouterr().out
    assert main(["verify", str(run.operations), "--json"]) == 3
    assert capsys.readouterr().out == judged
    assert json.loads(judged)["values"]["initial"] == 41


@pytest.mark.parametrize("flags", [["--initial", "0"], ["--final", "5"], ["--returns", "new"]])
def test_a_run_knows_its_own_values(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = stored_run(tmp_path / "r")
    assert main(["verify", str(run.path), *flags]) == EXIT_USAGE
    assert f"{flags[0]} is for history files" in capsys.readouterr().err


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
