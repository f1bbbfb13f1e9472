"""What `python -m bench crash` draws and how it is told; the kills themselves: test_crash.py."""

import itertools

import pytest

from bench.crash import PAGE, Result, main, plans, what, who
from tests.crash.plan import MASTER, RUNNER, Phase, draw


def result(seed: int, *kills: tuple[str, Phase], verdict: str = "INCONCLUSIVE") -> Result:
    """A run with two Locust workers."""
    return Result(
        plan=draw(seed, transport="wire", processes=2, locust_processes=2),
        kills=kills,
        operations=0 if verdict == "none" else 1_000,
        applied=1 if verdict == "none" else 990,
        ok=0 if verdict == "none" else 980,
        indeterminate=0 if verdict == "none" else 20,
        verdict=verdict,
    )


RESULTS = [
    result(1, ("swarm-0", Phase.FIRST), ("swarm-1", Phase.DRAIN), ("locust-1", Phase.DRAIN)),
    result(2, (MASTER, Phase.STARTING), verdict="none"),
    result(3, verdict="PASS"),
    result(4, (RUNNER, Phase.SEALING)),
]


def test_who_was_killed_and_when() -> None:
    table = who(RESULTS)
    assert table.title == "5 processes of 4 runs killed with SIGKILL"
    assert table.columns == ("killed", *Phase, "in all")
    assert table.rows == (
        ("Locust master", "1", "0", "0", "0", "0", "0", "1"),
        ("Locust worker", "0", "0", "0", "1", "0", "0", "1"),
        ("runner", "0", "0", "0", "0", "1", "0", "1"),
        ("swarm process, wire", "0", "1", "0", "1", "0", "0", "2"),
        ("all", "1", "1", "0", "2", "1", "0", "5"),
    )


def test_what_they_left() -> None:
    *_, everything = what(RESULTS, 7, notes=()).rows
    assert everything == (
        "all",
        "4",
        "5",
        "3,000",
        "2,971",
        "2,940",
        "30",
        "60",
        "2 INCONCLUSIVE, 1 PASS, 1 none",
    )


def test_a_seed_draws_the_same_runs_and_another_others() -> None:
    first, again, other = (list(itertools.islice(plans(seed), 13)) for seed in (5, 5, 6))
    assert first == again
    assert [plan.strikes for plan in first] != [plan.strikes for plan in other]
    struck = {(strike.victim, strike.phase) for plan in first for strike in plan.strikes}
    assert {phase for _, phase in struck} == set(Phase)
    assert {"swarm-0", "locust-0", "locust-1", MASTER, RUNNER} <= {victim for victim, _ in struck}


def test_strikes_are_dealt_in_order_of_time_to_processes_that_there_are() -> None:
    for plan in itertools.islice(plans(1), 26):
        order = [(list(Phase).index(strike.phase), strike.at) for strike in plan.strikes]
        assert order == sorted(order)
        victims = [strike.victim for strike in plan.strikes]
        assert len(set(victims)) == len(victims)
        there = {f"swarm-{index}" for index in range(plan.processes)}
        there |= {f"locust-{index}" for index in range(plan.locust_processes)}
        assert set(victims) <= there | {MASTER, RUNNER}


def test_the_page_has_a_place_for_the_tables() -> None:
    page = PAGE.read_text()
    assert page.count("<!-- bench crash: begin -->") == page.count("<!-- bench crash: end -->") == 1


def test_help_says_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "three seconds a kill" in " ".join(capsys.readouterr().out.split())
