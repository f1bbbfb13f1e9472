"""A load beyond the local cloud's limits: what was refused is counted, and proves nothing wrong."""

from pathlib import Path
from unittest import mock

import pytest

from deploy.local.lifecycle import Background, Condition, temporary_cloud
from deploy.local.options import CloudOptions, Limits
from deploy.local.process import LocalCloud
from deploy.local.throttling import RateLimit
from deploy.settings import read_settings
from history.errors import UserError
from runner import targets
from runner.options import read_options
from tests.runner.conftest import Runner, verdicts
from tests.runner.test_loadtest import PASSES


def test_throttled_answers_are_rejected_operations(runner: Runner, tmp_path: Path) -> None:
    writes = RateLimit(rate_per_s=20, burst=30)
    options = CloudOptions(limits=Limits.AWS, item_writes=writes)
    with temporary_cloud(tmp_path / "cloud.log", options=options) as limited:
        running, _, _, err = runner.run_here(ENDPOINT_URL=limited.endpoint_url, DURATION="2s")
    assert err == ""
    verdict = running.verdict()
    # Too few were answered to call it exercised; nothing else is in doubt.
    assert verdicts(verdict) | {"exercised": "any"} == {**PASSES, "exercised": "any"}
    operations = verdict["operations"]
    assert operations["rejected"] > 0
    assert operations["indeterminate"] == 0
    assert operations["ok"] == verdict["values"]["final"] - verdict["values"]["initial"]
    assert running.manifest()["integration_timeout_ms"] == 29_000


def test_a_time_out_that_may_not_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "reading the integrations of stack s: these credentials may not do that: no"
    said: list[str] = []
    monkeypatch.setattr(targets, "integration_timeout_ms", mock.Mock(side_effect=UserError(why)))
    known = targets._integration_timeout_ms(mock.sentinel.cloud, mock.sentinel.stack, said.append)
    assert known is None
    assert said == [f"the integration's time-out is not known: {why}"]


def test_a_background_cloud_with_other_limits_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    running = LocalCloud(
        endpoint_url="http://127.0.0.1:1",
        pid=1,
        instance="x",
        log_path=tmp_path,
        variables=CloudOptions().variables(),
    )
    found = Background(condition=Condition.SERVING, cloud=running)
    monkeypatch.setattr(targets, "background", lambda: found)
    asked = read_settings({"LIMITS": "aws"})
    opened = targets.open_counter(asked, read_options({}), print)
    with pytest.raises(UserError, match="has LIMITS=none, asked for is LIMITS=aws"), opened:
        pass
