"""Which integration response maps the backend's answer, and what it maps."""

import json

import pytest

from deploy.cloud import Cloud
from deploy.stack import Stack
from tests.deploy.handmade import URI, Api, rendered
from tests.deploy.support import ScriptedDynamo, request


def test_the_selection_pattern_matches_the_whole_status(
    scripted_stack: Stack, backend: ScriptedDynamo
) -> None:
    endpoint_url = scripted_stack.url.partition("/_aws")[0]
    api = Api(Cloud(region="us-east-1", endpoint_url=endpoint_url), endpoint_url)
    api.method(
        uri=URI.format("Scan"),
        responses={
            "201": {"selectionPattern": "20"},
            "202": {"selectionPattern": "2.."},
            "203": {},
            "204": {"selectionPattern": "40[0-9]|5"},
        },
    )
    url = api.deploy() + "/"
    seen = {}
    for status in (200, 400, 500, 555):
        backend.scripted = (status, "{}")
        seen[status] = request("GET", url).status
    backend.reset()
    assert seen == {200: 202, 400: 204, 500: 203, 555: 203}


def test_no_match_and_no_default_is_500(api: Api) -> None:
    api.method(responses={"200": {"selectionPattern": "500"}})
    reply = request("GET", api.deploy() + "/")
    assert (reply.status, reply.body) == (500, '{"message":"Internal server error"}')


def test_no_response_template_passes_the_body_on(api: Api) -> None:
    api.method()
    assert "TableNames" in json.loads(request("GET", api.deploy() + "/").body)


def test_headers_from_constants_and_from_the_backend(api: Api) -> None:
    parameters = {
        "method.response.header.X-Constant": "'fixed'",
        "method.response.header.X-Type": "integration.response.header.Content-Type",
        "method.response.header.X-Absent": "integration.response.header.Nothing",
    }
    api.method(responses={"200": {"responseParameters": parameters}})
    headers = request("GET", api.deploy() + "/").headers
    assert headers["x-constant"] == "fixed"
    assert headers["x-type"] == "application/x-amz-json-1.0"
    assert "x-absent" not in headers


def test_the_response_override_sets_status_and_header(api: Api) -> None:
    template = (
        "#set($context.responseOverride.status = 418)"
        '#set($context.responseOverride.header.X-Tea = "pot")short'
    ).replace("X-Tea", "tea")
    reply = rendered(api, template)
    assert (reply.status, reply.body, reply.headers["tea"]) == (418, "short", "pot")


TWICE = "#set($context.responseOverride.status = 404)" * 2


@pytest.mark.parametrize(
    "template",
    [
        "#if($x",
        "$input.path('$..x')",
        "$input.body.matches('[')",
        TWICE,
        "#set($context.responseOverride.status = 600)",
    ],
)
def test_a_template_that_fails_is_500(api: Api, template: str) -> None:
    reply = rendered(api, template)
    assert (reply.status, reply.body) == (500, '{"message":"Internal server error"}')
