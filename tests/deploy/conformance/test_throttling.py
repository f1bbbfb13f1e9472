"""AWS: "Throttle requests to your REST APIs for better throughput in API Gateway".

Every bucket here has a burst and next to no rate, so that time makes no difference.
"""

from collections import Counter

import pytest

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.stack import Stack
from tests.deploy.handmade import Api
from tests.deploy.places import Places
from tests.deploy.support import put, request

NO_RATE = "0.000001"


def set_throttle(cloud: Cloud, api_id: str, stage: str, path: str, burst: int) -> None:
    """Change a stage's throttle as UpdateStage's paths say (AWS: "Stage", methodSettings)."""
    changes = {"rateLimit": NO_RATE, "burstLimit": str(burst)}
    cloud.apigateway().update_stage(
        restApiId=api_id,
        stageName=stage,
        patchOperations=[
            {"op": "replace", "path": f"{path}/throttling/{name}", "value": value}
            for name, value in changes.items()
        ],
    )


def statuses(url: str, count: int, method: str = "GET") -> list[int]:
    return [request(method, url).status for _ in range(count)]


def test_a_throttled_request_is_429_in_api_gateways_words(api: Api, cloud: Cloud) -> None:
    api.method()
    url = api.deploy() + "/"
    set_throttle(cloud, api.id, "s1", "/*/*", 0)
    reply = request("GET", url)
    assert (reply.status, reply.body) == (429, '{"message":"Too Many Requests"}')
    assert reply.headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert reply.headers["content-type"] == "application/json"


def test_every_method_has_a_bucket_of_its_own(api: Api, cloud: Cloud) -> None:
    """The page: per-API, per-stage throttling limits are applied at the API method level."""
    for verb, path in (("GET", "/"), ("POST", "/"), ("GET", "/a")):
        api.method(verb, path)
    url = api.deploy()
    set_throttle(cloud, api.id, "s1", "/*/*", 2)
    seen = [statuses(url + "/", 3), statuses(url + "/", 3, "POST"), statuses(url + "/a", 3)]
    assert seen == [[200, 200, 429]] * 3


@pytest.mark.parametrize(
    ("path", "patched"),
    [
        pytest.param("/", "/~1/GET", id="root"),
        pytest.param("/a/b", "/~1a~1b/GET", id="a slash is ~1"),
        pytest.param("/{id}", "/~1{id}/GET", id="the resource's path, not the request's"),
    ],
)
def test_a_methods_own_throttle_wins_over_the_stages(
    api: Api, cloud: Cloud, path: str, patched: str
) -> None:
    api.method("GET", path)
    api.method("GET", "/other")
    url = api.deploy()
    set_throttle(cloud, api.id, "s1", "/*/*", 1)
    set_throttle(cloud, api.id, "s1", patched, 3)
    assert statuses(url + path.replace("{id}", "5"), 4) == [200, 200, 200, 429]
    assert statuses(url + "/other", 2) == [200, 429]


def test_a_throttle_is_live_and_not_part_of_the_deployment(api: Api, cloud: Cloud) -> None:
    """AWS: "Updates to REST APIs that require redeployment" (a stage's settings need none)."""
    api.method()
    url = api.deploy() + "/"
    set_throttle(cloud, api.id, "s1", "/*/*", 1)
    assert statuses(url, 2) == [200, 429]
    set_throttle(cloud, api.id, "s1", "/*/*", -1)
    assert statuses(url, 3) == [200, 200, 200]


def test_other_writes_to_the_control_plane_do_not_fill_the_bucket(api: Api, cloud: Cloud) -> None:
    api.method()
    url = api.deploy() + "/"
    set_throttle(cloud, api.id, "s1", "/*/*", 2)
    assert statuses(url, 1) == [200]
    cloud.apigateway().update_stage(
        restApiId=api.id,
        stageName="s1",
        patchOperations=[{"op": "replace", "path": "/description", "value": "changed"}],
    )
    assert statuses(url, 2) == [200, 429]


def test_the_throttled_gateway_response_can_be_customised(api: Api, cloud: Cloud) -> None:
    """AWS: "Gateway response types for API Gateway" (THROTTLED)."""
    api.method()
    cloud.apigateway().put_gateway_response(
        restApiId=api.id,
        responseType="THROTTLED",
        statusCode="503",
        responseParameters={"gatewayresponse.header.Retry-After": "'1'"},
    )
    url = api.deploy() + "/"
    set_throttle(cloud, api.id, "s1", "/*/*", 0)
    reply = request("GET", url)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")


@pytest.fixture
def counter(places: Places, engine: str) -> Stack:
    return places.stack(engine, "throttled", "UPDATED_NEW")


def test_a_throttled_increment_was_not_applied(counter: Stack, cloud: Cloud) -> None:
    put(counter.url)
    set_throttle(cloud, counter.api_id, counter.stage, "/~1/GET", 3)
    replies = [request("GET", counter.url) for _ in range(5)]
    assert Counter(reply.status for reply in replies) == {200: 3, 429: 2}
    assert [reply.body for reply in replies[:3]] == ["2", "3", "4"]
    assert replies[4].headers["cache-control"] == "no-store", "the template's DEFAULT_4XX"
    assert read_counter(cloud, counter) == 4
    assert put(counter.url).status == 200, "another method has its own throttle"
