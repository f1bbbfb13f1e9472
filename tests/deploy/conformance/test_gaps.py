"""What is configured and not emulated, for a whole API or stage: loud, not ignored."""

from typing import Any

import pytest

from deploy.local.gateway import gaps
from deploy.local.lifecycle import LocalCloud
from deploy.stack import Stack
from tests.deploy.handmade import Api
from tests.deploy.support import request


@pytest.mark.parametrize(
    ("api", "expected"),
    [
        ({"id": "a", "name": "n", "minimumCompressionSize": 1}, []),
        ({"binaryMediaTypes": ["*/*"]}, ["binaryMediaTypes ['*/*']"]),
        ({"policy": "{}"}, ["a resource policy"]),
        ({"disableExecuteApiEndpoint": True}, ["disableExecuteApiEndpoint"]),
    ],
)
def test_of_an_api(api: dict[str, Any], expected: list[str]) -> None:
    """AWS: "RestApi", the API reference."""
    assert list(gaps.of_api(api)) == expected


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ({"cacheClusterEnabled": False, "tracingEnabled": True, "clientCertificateId": "c"}, []),
        ({"cacheClusterEnabled": True}, ["a cache for the stage"]),
        ({"canarySettings": {"percentTraffic": 10}}, ["a canary"]),
        ({"webAclArn": "arn:aws:wafv2:x"}, ["a web ACL"]),
    ],
)
def test_of_a_stage(stage: dict[str, Any], expected: list[str]) -> None:
    """AWS: "Stage", the API reference."""
    assert list(gaps.of_stage(stage)) == expected


ACTION = {"type": "AWS", "httpMethod": "POST"}
BROKEN = {"application/json": "#if($x"}
UNFINISHED = "line 1, column 7: expected ), found ''"


@pytest.mark.parametrize(
    ("integration", "expected"),
    [
        (ACTION, []),
        (None, ["no integration, which AWS demands of a method that is deployed"]),
        ({"type": "MOCK"}, ["integration type MOCK: only DynamoDB actions are, of type AWS"]),
        (
            ACTION | {"httpMethod": "GET"},
            ["integration HTTP method GET: DynamoDB takes POST only"],
        ),
        (
            ACTION | {"requestTemplates": BROKEN},
            ["request template application/json: " + UNFINISHED],
        ),
        (
            ACTION | {"integrationResponses": {"200": {"responseTemplates": BROKEN}}},
            ["integration response 200: template application/json: " + UNFINISHED],
        ),
    ],
)
def test_of_an_integration(integration: dict[str, Any] | None, expected: list[str]) -> None:
    """AWS: "REST API integrations": type, method and templates of an action, known beforehand."""
    method = {"methodIntegration": integration, "methodResponses": {"200": {}}}
    assert list(gaps.of_method(method)) == expected


def test_a_gap_of_the_stage_or_the_api_is_500_and_said_once(api: Api, local: LocalCloud) -> None:
    """AWS: "Cache settings for REST APIs", "Binary media types for REST APIs in API Gateway"."""
    client = api.cloud.apigateway()
    api.method()
    url = api.deploy() + "/"
    assert request("GET", url).status == 200
    client.update_stage(
        restApiId=api.id,
        stageName="s1",
        patchOperations=[{"op": "replace", "path": "/cacheClusterEnabled", "value": "true"}],
    )
    assert [request("GET", url).status for _ in range(2)] == [500, 500]
    said = f"API {api.id}, stage s1: not emulated: a cache for the stage"
    assert local.log_path.read_text().count(said) == 1


def test_the_counters_stack_asks_for_nothing_that_is_not_emulated(
    new: Stack, local: LocalCloud
) -> None:
    """AWS: "Deploy REST APIs in API Gateway"."""
    assert request("GET", new.url).status in (200, 409)
    assert f"API {new.api_id}" not in local.log_path.read_text()
