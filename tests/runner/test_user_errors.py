"""What a person can get wrong is one sentence and exit code 2, and costs no record."""

import socket
import subprocess

import pytest

from tests import servers
from tests.runner.conftest import Runner
from tests.runs import REPOSITORY
from tests.servers import CounterServer


def one_sentence(err: str) -> str:
    assert err.startswith("gapless: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err.removeprefix("gapless: ").rstrip("\n")


@pytest.mark.parametrize(
    ("command", "variables", "sentence"),
    [
        ("loadtest", {"TARGET": "moon"}, "TARGET=moon"),
        ("loadtest", {"URL": "http://192.0.2.1/"}, "URL=http://192.0.2.1/: load is sent only to"),
        ("verify", {"RUN": "absent"}, "RUN=absent: no such run in reports/; there is none yet"),
        ("report", {}, "RUN=latest: no such run in reports/; there is none yet"),
    ],
)
def test_bad_usage(runner: Runner, command: str, variables: dict[str, str], sentence: str) -> None:
    _, code, _, err = runner.run_here(command, **variables)
    assert code == 2
    assert one_sentence(err).startswith(sentence)
    assert not list(runner.reports.glob("*/manifest.json"))


def test_nobody_there(runner: Runner) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        _, code, _, err = runner.run_here(URL=url)
    assert code == 2
    assert "got no answer (" in one_sentence(err)
    assert "is the server running there?" in err


@pytest.mark.parametrize(
    ("answering", "what"),
    [
        (servers.words, "answered 200 (not-an-integer)"),
        (servers.erring, "answered 500 (server-error)"),
        (servers.garbage, "got no answer (malformed-answer)"),
    ],
)
def test_a_server_that_is_no_counter(
    runner: Runner, answering: servers.Answering, what: str
) -> None:
    with CounterServer(answering) as server:
        _, code, _, err = runner.run_here(URL=server.url)
        assert server.received == 1
    assert code == 2
    assert f"{what}, expected 200 and one integer; nothing was loaded" in one_sentence(err)
    assert not list(runner.reports.glob("*/manifest.json"))


def test_a_run_of_that_name_is_not_overwritten(runner: Runner) -> None:
    (runner.reports / "mine").mkdir(parents=True)
    _, code, _, err = runner.run_here(RUN="mine", URL="http://127.0.0.1:1/")
    assert code == 2
    assert one_sentence(err).startswith("RUN=mine: reports/ already holds a run of that name")


def test_make_passes_variables_on_and_fails_with_2() -> None:
    done = subprocess.run(
        ["make", "loadtest", "DURATION=abc", "PYTHON=true"],  # there is nothing to install
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "gapless: DURATION=abc: expected a duration from 1s to 24h" in done.stderr


def test_make_alone_prints_help() -> None:
    done = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for word in ("loadtest", "verify-atomicity", "DURATION", "ALLOW_UNANSWERED", "[30s]"):
        assert word in done.stdout
