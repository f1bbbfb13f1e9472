"""The command lines, as `make` runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import __main__ as commands
from deploy import smoke as smoking
from deploy.cloud import Cloud
from deploy.local.lifecycle import ROOT, LocalCloud
from deploy.probe import Reply
from deploy.settings import Settings, Target, read_settings
from deploy.smoke import Step, differences, smoke, walk
from deploy.stack import find_stack
from history.errors import UserError


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_smoke_walks_both_modes_and_leaves_no_stack(cloud: Cloud, local: LocalCloud) -> None:
    done = run("smoke", ENDPOINT_URL=local.endpoint_url, STACK="walked")
    assert (done.returncode, done.stderr) == (0, "")
    printed = done.stdout.splitlines()
    assert printed[-1] == "smoke: every answer as expected"
    answers = [line.split()[3] for line in printed if line.startswith("  GET  /   ")]
    assert [number for number in answers if number.isdigit()] == ["2", "3", "4", "1", "2", "3"]
    for name in ("walked-smoke-new", "walked-smoke-old"):
        assert find_stack(cloud, name) is None


def test_smoke_says_expected_and_got(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(smoking, "FINAL", 4)
    assert smoke(cloud, stack_name="wrong", say=print) is False
    printed = capsys.readouterr().out
    assert "    WRONG: expected 4 in the table, got 3" in printed
    assert printed.endswith("smoke: WRONG ANSWERS, see above\n")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(("2", 200, "no-store"), [], id="right"),
        pytest.param(("3", 200, "no-store"), ["expected the body 2, got '3'"], id="number"),
        pytest.param(("2\n", 200, "no-store"), ["expected the body 2, got '2\\n'"], id="newline"),
        pytest.param(("2", 201, "no-store"), ["expected status 200, got 201"], id="status"),
        pytest.param(
            ("2", 200, None), ["expected Cache-Control: no-store, got None"], id="cacheable"
        ),
    ],
)
def test_each_wrong_thing_in_an_answer_is_named(
    reply: tuple[str, int, str | None], expected: list[str]
) -> None:
    body, status, cache_control = reply
    got = Reply(status=status, body=body, cache_control=cache_control, elapsed_ms=1.0)
    assert differences(Step(method="GET", number=2), got) == expected


def test_the_walks_expect_what_the_lesson_says() -> None:
    assert [step.number for step in walk("new") if step.number is not None] == [2, 3, 4, 3]
    assert [step.number for step in walk("old") if step.number is not None] == [1, 2, 3, 4]


def test_deploy_inspect_destroy_on_the_local_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "STATE_DIR", tmp_path)
    environment = {"TARGET": "local", "LOCAL_PORT": "0", "STACK": "whole"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def command(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["deploy", *arguments])
        assert commands.main() == 0
        return capsys.readouterr().out

    assert command("destroy") == "no local cloud is running: nothing to remove\n"
    try:
        deployed = command("deploy", "--returns", "old")
        assert "stack whole is up: http://127.0.0.1:" in deployed
        inspected = command("inspect")
        assert "returns old" in inspected
        assert inspected.endswith("3 methods, all equal to deploy/template.yml\n")
    finally:
        destroyed = command("destroy")
    assert destroyed.endswith("stack whole is gone\nlocal cloud stopped\n")


def test_inspect_without_a_stack_deploys_one_to_a_temporary_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "STATE_DIR", tmp_path)
    monkeypatch.delenv("ENDPOINT_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["deploy", "inspect"])
    assert commands.main() == 0
    assert capsys.readouterr().out.endswith("3 methods, all equal to deploy/template.yml\n")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        pytest.param(
            {"TARGET": "azure"}, "TARGET=azure is unknown: it is local or aws", id="target"
        ),
        pytest.param(
            {"ENDPOINT_URL": "http://127.0.0.1:1"},
            "looking for stack gapless: cannot reach the endpoint",
            id="endpoint down",
        ),
        pytest.param(
            {"TARGET": "aws", "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"},
            "looking for stack gapless: no usable AWS credentials",
            id="no credentials",
        ),
        pytest.param(
            {"TARGET": "aws", "AWS_PROFILE": "nope", "HOME": "/nonexistent"},
            "reaching CloudFormation: no usable AWS credentials",
            id="no profile",
        ),
    ],
)
def test_what_a_person_can_fix_is_one_sentence(environment: dict[str, str], sentence: str) -> None:
    done = run("inspect", **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"gapless: {sentence}")
    assert len(done.stderr.splitlines()) == 1


def test_help_names_the_environment_and_the_exit_codes() -> None:
    done = run("--help")
    assert done.returncode == 0
    for word in ("TARGET", "ENDPOINT_URL", "LOCAL_PORT", "exit codes", "examples"):
        assert word in done.stdout


DEFAULTS = {
    "target": Target.LOCAL,
    "endpoint_url": None,
    "stack": "gapless",
    "region": "us-east-1",
    "local_port": 4566,
}


@pytest.mark.parametrize(
    ("environment", "changed"),
    [
        pytest.param({}, {}, id="nothing set"),
        pytest.param({"TARGET": " ", "STACK": ""}, {}, id="blank is not set"),
        pytest.param({"TARGET": "aws"}, {"target": Target.AWS}, id="aws"),
        pytest.param(
            {"ENDPOINT_URL": "http://h:1", "TARGET": "aws"},
            {"target": Target.ENDPOINT, "endpoint_url": "http://h:1"},
            id="an endpoint wins",
        ),
        pytest.param({"AWS_DEFAULT_REGION": "eu-west-1"}, {"region": "eu-west-1"}, id="region 3"),
        pytest.param(
            {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"},
            {"region": "eu-west-2"},
            id="region 2",
        ),
        pytest.param(
            {"AWS_REGION": "eu-west-2", "REGION": "eu-west-3"}, {"region": "eu-west-3"}, id="region"
        ),
        pytest.param({"LOCAL_PORT": "0"}, {"local_port": 0}, id="port"),
    ],
)
def test_settings(environment: dict[str, str], changed: dict[str, object]) -> None:
    assert read_settings(environment) == Settings(**{**DEFAULTS, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TARGET": "LOCAL"}, "TARGET=LOCAL is unknown"),
        ({"TARGET": "endpoint"}, "TARGET=endpoint is unknown"),
        ({"ENDPOINT_URL": "localhost:4566"}, "ENDPOINT_URL=localhost:4566 is not an address"),
        ({"ENDPOINT_URL": "http://"}, "ENDPOINT_URL=http:// is not an address"),
        ({"LOCAL_PORT": "65536"}, "LOCAL_PORT=65536 is not a port"),
        ({"LOCAL_PORT": "-1"}, "LOCAL_PORT=-1 is not a port"),
        ({"LOCAL_PORT": "٣"}, "LOCAL_PORT=٣ is not a port"),
    ],
)
def test_settings_that_make_no_sense(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read_settings(environment)
