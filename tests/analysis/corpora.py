"""Histories that others published with their checkers, and what is expected of ours.

`corpora/cases.json` names for each file its source, what that source expects (`theirs`), the
verdict or the checks' verdicts expected here, and why. `blind` ones have adds whose answer does
not tell the counter's value.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main

FOLDER = Path(__file__).with_suffix("")
CASES: dict[str, dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text())


def judged(name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Judge one case with the command line; give its verdict object."""
    options = CASES[name].get("options", {})
    flags = [
        text
        for option, value in options.items()
        for text in (f"--{option.replace('_', '-')}", str(value))
    ]
    main(["verify", str(FOLDER / f"{name}.edn"), "--json", *flags])
    verdict: dict[str, Any] = json.loads(capsys.readouterr().out)
    return verdict


def assert_as_expected(name: str, verdict: dict[str, Any]) -> None:
    """Compare the overall verdict, and those of the checks that matter."""
    case = CASES[name]
    found = {check["check"]: check["verdict"] for check in verdict["checks"]}
    expected = case.get("checks", {})
    assert {check: found[check] for check in expected} == expected
    assert verdict["verdict"] == case.get("verdict", verdict["verdict"])
