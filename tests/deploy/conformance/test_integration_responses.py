"""The integration response: which one maps the backend's answer, and what it maps."""

import json
from typing import Any

import pytest

from deploy.cloud import Cloud
from deploy.local.lifecycle import LocalCloud
from deploy.stack import Stack
from tests.deploy.conformance.gateways import JSON_TYPE, Deployed, backend, method, response
from tests.deploy.handmade import URI, Api, rendered
from tests.deploy.support import ScriptedDynamo, request

SERVER_ERROR = '{"message":"Internal server error"}'
HEADER = "method.response.header."


def test_the_selection_pattern_matches_the_whole_status(
    scripted_stack: Stack, backend: ScriptedDynamo
) -> None:
    """AWS: "Set up an integration response using the API Gateway console"."""
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


@pytest.mark.parametrize("default", [{}, {"selectionPattern": ""}])
def test_the_default_response_has_no_pattern(default: dict[str, str]) -> None:
    """AWS: "Set up an integration response using the API Gateway console"."""
    responses = (response(status="400", selectionPattern="4.."), response(status="203", **default))
    api = Deployed(methods={"GET": method(*responses)})
    assert api.ask().status == 203


def test_no_match_and_no_default_is_500(api: Api, local: LocalCloud) -> None:
    """AWS: "Gateway response types for API Gateway", API_CONFIGURATION_ERROR."""
    api.method(responses={"200": {"selectionPattern": "500"}})
    reply = request("GET", api.deploy() + "/")
    assert (reply.status, reply.body) == (500, SERVER_ERROR)
    assert "no integration response matches status 200" in local.log_path.read_text()


def test_no_response_template_passes_the_body_on(api: Api) -> None:
    """AWS: "Amazon API Gateway API request and response data mapping reference"."""
    api.method()
    reply = request("GET", api.deploy() + "/")
    assert "TableNames" in json.loads(reply.body)
    assert reply.headers["content-type"] == JSON_TYPE


@pytest.mark.parametrize(
    ("accept", "templates", "expected"),
    [
        (None, ("application/xml", "application/json"), "application/json"),
        ("application/json", ("application/xml", "application/json"), "application/json"),
        ("application/xml", ("application/json", "application/xml"), "application/xml"),
        ("Application/XML; q=1", ("application/json", "application/xml"), "application/xml"),
        (None, ("application/xml", "text/plain"), "application/xml"),
        ("text/html", ("application/xml", "text/plain"), "application/xml"),
        ("*/*", ("application/xml", "application/json"), "application/json"),
    ],
)
def test_the_accept_header_chooses_the_template(
    accept: str | None, templates: tuple[str, ...], expected: str
) -> None:
    """AWS: "Amazon API Gateway API request and response data mapping reference".

    "The first existing template", for want of a match, is the JSON one here if there is one.
    """
    texts = {mime_type: f"as {mime_type}" for mime_type in templates}
    mapped = {**response(), "responseTemplates": texts}
    headers = {} if accept is None else {"Accept": accept}
    answer = Deployed(methods={"GET": method(mapped)}).ask(headers=headers)
    assert (answer.body.decode(), answer.headers["Content-Type"]) == (f"as {expected}", expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'fixed'", "fixed"),
        ("''", ""),
        ("integration.response.header.X-Backend", "b"),
        ("integration.response.header.x-none", None),
        ("integration.response.multivalueheader.X-Backend", "b"),
        ("integration.response.body", '{"url":"/to","n":[1.50,{"a":true}]}'),
        ("integration.response.body.url", "/to"),
        ("integration.response.body.n[0]", "1.50"),
        ("integration.response.body.n[1]", '{"a":true}'),
        ("integration.response.body.none", None),
        ("context.stage", "v1"),
        ("context.identity.sourceIp", "127.0.0.1"),
        ("context.requestTimeEpoch.x", None),
        ("context.none", None),
        ("stageVariables.colour", "blue"),
        ("stageVariables.none", None),
    ],
)
def test_header_sources(source: str, expected: str | None) -> None:
    """AWS: "Amazon API Gateway API request and response data mapping reference".

    That a source without a value leaves its header out is not documented.
    """
    mapped = response(responseParameters={HEADER + "X-Out": source})
    api = Deployed(
        methods={"GET": method(mapped)},
        answer=backend('{"url":"/to","n":[1.50,{"a":true}]}', X_Backend="b"),
    )
    answer = api.ask()
    assert (answer.status, answer.headers.get("X-Out")) == (200, expected)


def test_headers_on_a_deployed_api(api: Api) -> None:
    """AWS: "Amazon API Gateway API request and response data mapping reference"."""
    parameters = {
        HEADER + "X-Constant": "'fixed'",
        HEADER + "X-Type": "integration.response.header.Content-Type",
        HEADER + "X-Absent": "integration.response.header.Nothing",
        HEADER + "X-First": "integration.response.body.TableNames",
        HEADER + "X-Id": "context.requestId",
        HEADER + "Content-Type": "'text/plain'",
    }
    api.method(responses={"200": {"responseParameters": parameters}})
    headers = request("GET", api.deploy() + "/").headers
    assert headers["x-constant"] == "fixed"
    assert headers["x-type"] == "application/x-amz-json-1.0"
    assert "x-absent" not in headers
    assert isinstance(json.loads(headers["x-first"]), list)
    assert headers["x-id"] == headers["x-amzn-requestid"]
    assert headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"methodResponses": {}}, "the method has no response of this status"),
        ({"methodResponses": {"200": {}}}, "X-Out is not declared in the method response"),
    ],
)
def test_what_aws_would_not_have_taken_is_500_and_said(
    changed: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """AWS: "PutIntegrationResponse": its status and headers must be the method response's.

    AWS refuses the configuration; a control plane that takes it makes an API that cannot exist.
    """
    mapped = response(responseParameters={HEADER + "X-Out": "'a'"})
    api = Deployed(methods={"GET": {**method(mapped), **changed}})
    assert (api.ask().status, api.called) == (500, [])
    assert reason in caplog.text


def test_an_undeclared_response_on_a_deployed_api(api: Api) -> None:
    """AWS: "PutIntegrationResponse"."""
    api.method(declared=False)
    reply = request("GET", api.deploy() + "/")
    assert (reply.status, reply.body) == (500, SERVER_ERROR)


@pytest.mark.parametrize(
    ("mapped", "reason"),
    [
        ({"responseParameters": {HEADER + "X": "method.request.header.A"}}, "no source here"),
        ({"responseParameters": {HEADER + "X": "fixed"}}, "no source here"),
        ({"responseParameters": {HEADER + "X": "integration.response.header"}}, "no source here"),
        ({"responseParameters": {HEADER + "X": "integration.response.body.a..b"}}, "understood"),
        ({"responseParameters": {HEADER + "Content-Length": "'1'"}}, "cannot be mapped"),
        ({"contentHandling": "CONVERT_TO_BINARY"}, "CONVERT_TO_BINARY"),
        ({"selectionPattern": "("}, "selectionPattern"),
    ],
)
def test_a_response_that_cannot_be_mapped_is_500_and_said(
    mapped: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """AWS: "Amazon API Gateway API request and response data mapping reference"."""
    api = Deployed(methods={"GET": method(response(**mapped))})
    assert (api.ask().status, api.called) == (500, [])
    assert reason in caplog.text


@pytest.mark.parametrize(
    ("mapped", "body", "reason"),
    [
        (response(responseParameters={HEADER + "X": "integration.response.body"}), "a\nb", "X"),
        (response(responseParameters={HEADER + "X": "integration.response.body.a"}), "{", "JSON"),
        (
            response("#set($context.responseOverride.header.A = $input.body)"),
            "a\nb",
            "the header A",
        ),
        (response("#set($context.responseOverride.header.Connection = 'a')"), "{}", "Connection"),
    ],
)
def test_a_value_that_fits_no_header_is_500_and_said(
    mapped: dict[str, Any], body: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """AWS does not document it: nothing that the backend says may split the answer."""
    api = Deployed(methods={"GET": method(mapped)}, answer=backend(body))
    assert api.ask().status == 500
    assert reason in caplog.text


def test_the_response_override_comes_last() -> None:
    """AWS: "Override your API's request and response parameters and status codes"."""
    template = (
        "#set($context.responseOverride.status = 418)"
        "#set($context.responseOverride.header.X-Tea = 'pot')"
        "#set($context.responseOverride.header.content-type = 'text/plain')short"
    )
    mapped = response(template, responseParameters={HEADER + "x-tea": "'leaves'"})
    answer = Deployed(methods={"GET": method(mapped)}).ask()
    headers = {name: value for name, value in answer.headers.items() if "amz" not in name}
    assert (answer.status, answer.body) == (418, b"short")
    assert headers == {"X-Tea": "pot", "content-type": "text/plain"}


def test_the_documented_status_override(api: Api) -> None:
    """AWS: "Override your API's request and response parameters and status codes", the tutorial."""
    template = (
        "#set($inputRoot = $input.path('$'))\n"
        '$input.json("$")\n'
        '#if($inputRoot.toString().contains("TableNames"))\n'
        "#set($context.responseOverride.status = 400)\n"
        "#end\n"
    )
    reply = rendered(api, template)
    assert reply.status == 400
    assert "TableNames" in json.loads(reply.body)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("#set($a = 1 + $none)", "both must be numbers"),
        ("$input.path('$..x')", "is not understood"),
        ("$input.body.matches('[')", "unterminated character set"),
        ("#set($context.responseOverride.status = 404)" * 2, "status is set twice"),
        ("#set($context.responseOverride.status = 600)", "600, no HTTP status"),
    ],
)
def test_a_response_template_that_fails_is_500_and_said(
    template: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """AWS: "Override your API's request and response parameters and status codes": 5XX if twice.

    What other failing templates answer is not documented; API_CONFIGURATION_ERROR is a 500.
    """
    answer = Deployed(methods={"GET": method(response(template))}).ask()
    assert (answer.status, answer.body.decode()) == (500, SERVER_ERROR)
    assert "GET '/things/7': template failed: the integration response 200: " in caplog.text
    assert reason in caplog.text


def test_a_failing_template_on_a_deployed_api(api: Api, local: LocalCloud) -> None:
    """AWS: "Gateway response types for API Gateway", API_CONFIGURATION_ERROR."""
    reply = rendered(api, "$input.path('nothing-of-the-kind')")
    assert (reply.status, reply.body) == (500, SERVER_ERROR)
    assert "a JSONPath starts with $, found 'nothing-of-the-kind'" in local.log_path.read_text()
