"""What `python -m bench disturbances` tells; the runs themselves: tests/disturbances."""

from collections.abc import Mapping

import pytest

from bench.disturbances import PAGE, Result, main, summary
from tests.disturbances.plan import disturbances
from tests.disturbances.test_claim import judged, ledger

WAYS = disturbances()


def result(name: str, *broken: str, indeterminate: int = 0, **said: str) -> Result:
    """A run of five numbers of which so many, the last ones, nobody was answered."""
    books = ledger(
        range(1, 6 - indeterminate),
        indeterminate=indeterminate,
        final=5,
        verdict=judged(**said),
    )
    return Result(disturbance=WAYS[name], broken=broken, ledger=books)


def test_what_the_runs_came_to() -> None:
    found = [
        result("none"),
        result("reset", indeterminate=2, gap_free="INCONCLUSIVE"),
        result("none"),
        result("reset", "answered twice: [3]", overall="FAIL", gap_free="FAIL"),
        Result(disturbance=WAYS["link-cut"], broken=("no verdict",), ledger=None),
    ]
    none, reset, cut, everything = summary(found, 7, notes=()).rows
    assert none == ("none", "2", "10", "10", "0", "0", "10", "2 PASS", "0", "0", "balanced")
    assert reset == (
        *("reset", "2", "10", "8", "2", "0", "10"),
        *("1 FAIL, 1 INCONCLUSIVE", "1", "0", "1 broken"),
    )
    assert cut == ("link-cut", "1", *5 * ("0",), "1 none", "0", "0", "1 broken")
    assert everything == (
        *("all", "5", "20", "18", "2", "0", "20"),
        *("1 FAIL, 1 INCONCLUSIVE, 2 PASS, 1 none", "1", "0", "2 broken"),
    )


def test_every_disturbance_is_on_the_page() -> None:
    page = PAGE.read_text()
    begin, end = "<!-- bench disturbances: begin -->", "<!-- bench disturbances: end -->"
    assert page.count(begin) == page.count(end) == 1
    described: Mapping[str, str] = {name: f"| `{name}` | " for name in WAYS}
    assert {name for name, row in described.items() if row not in page} == set()


def test_help_lists_them_and_says_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert "ten seconds a run" in said
    assert {name for name in WAYS if f"\n  {name} " not in said} == set()
