"""What the API Gateway API says of throttles, keys and plans, in all the ways it is written."""

from typing import Any

import pytest

from deploy.local.gateway.access import (
    EVERY_METHOD,
    StageAccess,
    api_key_of,
    api_stages_of,
    method_key_of,
    rate_limit_of,
    stage_limits_of,
)
from deploy.local.gateway.admission import Admission
from deploy.local.gateway.answers import Refusal, Refused
from deploy.local.gateway.configuration import Definition, DeployedApi, Method
from deploy.local.throttling import RateLimit


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("*/*", EVERY_METHOD),
        ("/*/*", EVERY_METHOD),
        ("/decrement/POST", ("/decrement", "POST")),
        ("decrement/POST", ("/decrement", "POST")),
        ("~1decrement/POST", ("/decrement", "POST")),
        ("/~1a~1b/GET", ("/a/b", "GET")),
        ("a~0b/GET", ("/a~b", "GET")),
        ("//GET", ("/", "GET")),
        ("~1/GET", ("/", "GET")),
    ],
)
def test_keys_of_method_settings(key: str, expected: tuple[str, str]) -> None:
    assert method_key_of(key) == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"rateLimit": 2.5, "burstLimit": 3}, (2.5, 3), id="both"),
        pytest.param({"rateLimit": "2.5", "burstLimit": "3"}, (2.5, 3), id="a patch's text"),
        pytest.param({"RateLimit": 2, "BurstLimit": 3}, (2, 3), id="CloudFormation's capitals"),
        pytest.param({"rateLimit": 0.5}, (0.5, 1), id="no burst: at least one"),
        pytest.param({"rateLimit": 7}, (7, 7), id="no burst: a second's worth"),
        pytest.param({"burstLimit": 3}, (10_000, 3), id="no rate: the account's"),
        pytest.param({"rateLimit": 0, "burstLimit": 0}, (0, 0), id="none may pass"),
        pytest.param({"rateLimit": -1, "burstLimit": -1}, None, id="negative: no limit"),
    ],
)
def test_rate_limits(item: dict[str, Any], expected: tuple[float, float] | None) -> None:
    found = rate_limit_of(item)
    assert (found and (found.rate_per_s, found.burst)) == expected


def test_the_accounts_default_in_a_stage_sets_nothing() -> None:
    default = {"throttlingRateLimit": 10_000.0, "throttlingBurstLimit": 5_000}
    assert stage_limits_of({"*/*": default, "//GET": default | {"throttlingBurstLimit": 1}}) == {
        ("/", "GET"): RateLimit(rate_per_s=10_000, burst=1)
    }


def test_the_stages_of_a_plan() -> None:
    throttle = {"//GET": {"rateLimit": 1}}
    stages = [{"apiId": "a", "stage": "s"}, {"apiId": "b", "stage": "t", "throttle": throttle}]
    assert api_stages_of({"apiStages": stages}) == [("a", "s", {}), ("b", "t", throttle)]
    assert api_stages_of({"apiStages": "a:s"}) == [("a", "s", {})]
    assert api_stages_of({}) == []


GET = Method(
    resource_path="/", verb="GET", authorization="NONE", api_key_required=True, integration=None
)


def an_api(**bursts: int) -> DeployedApi:
    """Build an API whose key, plan's method and stage have these bursts and no rate."""

    def throttle(name: str) -> dict[str, float]:
        return {"rateLimit": 0, "burstLimit": bursts.get(name, 100)}

    plan = {"id": "plan", "throttle": throttle("key"), "quota": {"limit": bursts.get("quota", 100)}}
    key = api_key_of("id", "secret", plan, {"//GET": throttle("key_and_method")})
    settings = {"throttlingRateLimit": 0, "throttlingBurstLimit": bursts.get("stage", 100)}
    return DeployedApi(
        api_id="api",
        stage="s",
        deployment_id="d",
        region="us-east-1",
        account="test",
        variables={},
        definition=Definition(resources=(), gateway_responses={}),
        access=StageAccess(method_limits=stage_limits_of({"*/*": settings}), keys={"secret": key}),
    )


@pytest.mark.parametrize(
    ("bursts", "passed", "refusal"),
    [
        pytest.param({"key_and_method": 2}, 2, Refusal.THROTTLED, id="the plan's method"),
        pytest.param({"key": 2}, 2, Refusal.THROTTLED, id="the plan"),
        pytest.param({"stage": 2}, 2, Refusal.THROTTLED, id="the stage"),
        pytest.param({"account": 2}, 2, Refusal.THROTTLED, id="the account"),
        pytest.param({"quota": 2}, 2, Refusal.QUOTA_EXCEEDED, id="the quota"),
        pytest.param({"quota": 2, "stage": 2}, 2, Refusal.THROTTLED, id="throttles come first"),
    ],
)
def test_the_tightest_limit_refuses(bursts: dict[str, int], passed: int, refusal: Refusal) -> None:
    """AWS: "Throttle requests to your REST APIs for better throughput in API Gateway"."""
    account = RateLimit(rate_per_s=0, burst=bursts.get("account", 100))
    admission = Admission(account_limit=account, clock_s=lambda: 0.0, epoch_s=lambda: 0.0)
    api, headers = an_api(**bursts), {"x-api-key": "secret"}
    keys = [admission.admit(api, GET, headers) for _ in range(passed)]
    assert [key and key.id for key in keys] == ["id"] * passed
    with pytest.raises(Refused) as refused:
        admission.admit(api, GET, headers)
    assert refused.value.refusal is refusal
