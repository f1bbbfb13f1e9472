import pytest

from history.errors import UserError
from history.manifest import Load
from history.operation import Returns
from runner.options import LoadOptions, parse_duration, read_options, spare_cores


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
    ],
)
def test_bad_variables_are_one_sentence(name: str, text: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        read_options({name: text})
    assert str(caught.value).startswith(f"{name}={text}: {expected}")


def test_fewer_connections_than_processes() -> None:
    with pytest.raises(UserError, match=r"CONNECTIONS=3: expected a whole number from 4"):
        read_options({"CONNECTIONS": "3", "PROCESSES": "4"})
