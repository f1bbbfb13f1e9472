from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from history.errors import UserError
from history.manifest import Load
from history.operation import Returns
from history.run import RunFolder
from runner.__main__ import judge_arguments
from runner.options import (
    LoadOptions,
    parse_duration,
    read_options,
    read_page_options,
    spare_cores,
)
from runner.targets import cost_warning


def test_defaults_are_the_contract() -> None:
    options = read_options({})
    assert options == LoadOptions(
        load=Load(
            duration_s=30,
            users=20,
            spawn_rate_per_s=20,
            connections=50,
            rate_per_s=0,
            processes=spare_cores(),
            timeout_s=10,
            transport="aiohttp",
            arrivals="uniform",
            shape="constant",
            connections_max=200,
            locust_processes=1,
            decrements=0,
        ),
        initial=1,
        allow_unanswered=0,
        seed=options.seed,
        url="",
        allow_hosts=(),
        run_id="",
        returns=Returns.NEW,
        fail_fast=False,
    )


def test_blank_variables_have_their_defaults() -> None:
    assert read_options({"DURATION": " ", "USERS": "", "SEED": "3", "RUN": "latest"}) == (
        read_options({"SEED": "3"})
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1", 1), ("90", 90), ("30s", 30), ("2m", 120), ("1h30m", 5400), ("1m5s", 65), ("24h", 86400)],
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("DURATION", "abc", "expected a duration from 1s to 24h"),
        ("DURATION", "0", "expected a duration from 1s to 24h"),
        ("DURATION", "25h", "expected a duration from 1s to 24h"),
        ("DURATION", "-5s", "expected a duration from 1s to 24h"),
        ("DURATION", "1.5s", "expected a duration from 1s to 24h"),
        ("USERS", "0", "expected a whole number from 1 to 10,000"),
        ("USERS", "ten", "expected a whole number from 1 to 10,000"),
        ("CONNECTIONS", "0", "expected a whole number from 1 to 10,000"),
        ("CONNECTIONS", "10001", "expected a whole number from 1 to 10,000"),
        ("RATE", "fast", "expected a number from 0 to 1,000,000"),
        ("RATE", "nan", "expected a number from 0 to 1,000,000"),
        ("RATE", "-1", "expected a number from 0 to 1,000,000"),
        ("TIMEOUT", "0", "expected a number from 0.1 to 300"),
        ("INITIAL", "9223372036854775807", "expected a whole number from"),
        ("ALLOW_UNANSWERED", "-1", "expected a whole number from 0"),
        ("RETURNS", "both", "expected new (the value after an increment) or old"),
        ("RUN", "../../etc", "expected letters, digits"),
        ("DECREMENTS", "1", "expected the share of requests that decrement, from 0 to less than 1"),
        ("DECREMENTS", "20%", "expected the share of requests that decrement"),
        ("EFFECT_WINDOW_MS", "-1", "expected a whole number of milliseconds, or unbounded"),
        ("EFFECT_WINDOW_MS", "1.5", "expected a whole number of milliseconds, or unbounded"),
        ("EFFECT_WINDOW_MS", "never", "expected a whole number of milliseconds, or unbounded"),
        ("SEARCH_BUDGET_S", "long", "expected a number of seconds from 0 to 86,400"),
        ("SEARCH_BUDGET_S", "-1", "expected a number of seconds from 0 to 86,400"),
    ],
)
def test_bad_variables_are_one_sentence(name: str, text: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        read_options({name: text})
    assert str(caught.value).startswith(f"{name}={text}: {expected}")


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({}, []),
        ({"EFFECT_WINDOW_MS": " ", "SEARCH_BUDGET_S": ""}, []),
        ({"EFFECT_WINDOW_MS": "unbounded"}, ["--effect-window-ms", "unbounded"]),
        ({"EFFECT_WINDOW_MS": "30000"}, ["--effect-window-ms", "30000"]),
        ({"EFFECT_WINDOW_MS": "0"}, ["--effect-window-ms", "0"]),
        ({"SEARCH_BUDGET_S": "0.5"}, ["--search-budget-s", "0.5"]),
        ({"SEARCH_BUDGET_S": "0"}, ["--search-budget-s", "0"]),
        ({"SEARCH_BUDGET_S": "86400"}, ["--search-budget-s", "86400"]),
    ],
)
def test_the_judge_is_asked_only_what_was_said(
    variables: dict[str, str], asked: list[str], tmp_path: Path
) -> None:
    usual = ["verify", str(tmp_path), "--index", "--allow-unanswered", "3"]
    for read in (read_options, read_page_options):
        options = read({"ALLOW_UNANSWERED": "3", **variables})
        assert judge_arguments(RunFolder(tmp_path), options) == usual + asked


def test_decrements_are_for_the_page_too() -> None:
    assert read_page_options({"DECREMENTS": "0.2"}).load.decrements == 0.2


def test_nothing_fails_fast_where_numbers_come_back() -> None:
    with pytest.raises(UserError, match=r"^FAIL_FAST=1: with DECREMENTS=0.2 numbers legally come"):
        read_options({"FAIL_FAST": "1", "DECREMENTS": "0.2"})


@pytest.mark.parametrize("read", [read_options, read_page_options])
def test_the_cost_says_that_decrements_cost_as_much(
    read: Callable[[Mapping[str, str]], LoadOptions],
) -> None:
    alike = ", a decrement costs as much as an increment"
    usual, mixed = cost_warning(read({})), cost_warning(read({"DECREMENTS": "0.5"}))
    assert alike not in usual
    assert mixed.replace(alike, "") == usual


def test_fewer_connections_than_processes() -> None:
    with pytest.raises(UserError, match=r"CONNECTIONS=3: expected a whole number from 4"):
        read_options({"CONNECTIONS": "3", "PROCESSES": "4"})
