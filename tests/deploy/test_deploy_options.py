"""What a local cloud is started as reaches its process, and two of them can be told apart."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.engines.choice import EngineChoice
from deploy.local.options import (
    CloudOptions,
    Limits,
    add_arguments,
    from_arguments,
    require_same,
)
from deploy.local.throttling import RateLimit
from history.errors import UserError


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(CloudOptions(), id="defaults"),
        pytest.param(CloudOptions(limits=Limits.AWS), id="limits"),
        pytest.param(
            CloudOptions(item_writes=RateLimit(rate_per_s=1e-6, burst=20)), id="item writes"
        ),
        pytest.param(CloudOptions(engine=EngineChoice(name="http://127.0.0.1:1")), id="engine"),
        pytest.param(
            CloudOptions(engine=EngineChoice(name="http://192.0.2.1:8000")), id="an allowed host"
        ),
        pytest.param(CloudOptions(engine=EngineChoice(name="http://[::1]:8000")), id="IPv6"),
        pytest.param(
            CloudOptions(
                engine=EngineChoice(name="dynamodb-local", dynamodb_local=Path("/opt/x y"))
            ),
            id="an engine of the user's own",
        ),
    ],
)
def test_options_survive_the_command_line(options: CloudOptions) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert from_arguments(parser.parse_args(options.to_arguments())) == options


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        pytest.param("nonsense", "ENGINE=nonsense is unknown: it is ministack", id="no engine"),
        pytest.param(
            "https://dynamodb.eu-west-1.amazonaws.com", "is AWS's own DynamoDB, which", id="AWS"
        ),
        pytest.param("http://192.0.2.1:8000", "ALLOW_HOST=192.0.2.1", id="another machine"),
        pytest.param("dynamodb-local", "needs DYNAMODB_LOCAL=", id="no folder"),
    ],
)
def test_the_process_checks_its_engine_as_the_command_does(engine: str, sentence: str) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(UserError, match=re.escape(sentence)):
        from_arguments(parser.parse_args(["--engine", engine]))


def test_the_process_ends_with_the_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.local", "--port", "0", "--state-dir", str(tmp_path)]
    done = subprocess.run(
        [*command, "--engine", "nonsense"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "ENGINE=nonsense is unknown: it is ministack" in done.stderr


def test_the_environment_allows_a_host_to_the_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_HOST", "other, 192.0.2.1")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    found = from_arguments(parser.parse_args(["--engine", "http://192.0.2.1:8000"]))
    assert found.engine.url == "http://192.0.2.1:8000"


def test_the_same_cloud_is_the_same() -> None:
    require_same(CloudOptions(limits=Limits.AWS).variables(), CloudOptions(limits=Limits.AWS))


@pytest.mark.parametrize(
    ("running", "sentence"),
    [
        pytest.param(
            CloudOptions().variables(),
            r"has LIMITS=none, asked for is LIMITS=aws: make destroy first, or use it .* LIMITS=no",
            id="other limits",
        ),
        pytest.param(
            {}, r"has LIMITS=\(unknown\), .* make destroy first$", id="an older version's"
        ),
    ],
)
def test_another_cloud_is_one_sentence(running: dict[str, str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        require_same(running, CloudOptions(limits=Limits.AWS))
