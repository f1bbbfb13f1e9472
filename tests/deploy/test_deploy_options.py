"""What a local cloud is started as reaches its process, and two of them can be told apart."""

import argparse
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
