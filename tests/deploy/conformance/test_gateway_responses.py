"""What the gateway answers by itself, and how an API customises it."""

import json
from typing import Any

import pytest

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.creation import deploy_stack
from deploy.local.process import LocalCloud
from deploy.stack import Stack
from tests.deploy.conformance.gateways import Deployed, backend, method
from tests.deploy.handmade import JSON_TYPE, Api
from tests.deploy.places import quiet
from tests.deploy.support import EditTemplate, ScriptedDynamo, put, request
from tests.patience import PATIENCE_S

MISSING_TOKEN = "MISSING_AUTHENTICATION_TOKEN"  # noqa: S105 (a response type)
WHERE_IT_ARISES: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    MISSING_TOKEN: (
        403,
        "Missing Authentication Token",
        "MissingAuthenticationTokenException",
        {"path": "/nowhere"},
    ),
    "UNAUTHORIZED": (401, "Unauthorized", "UnauthorizedException", {"verb": "PUT"}),
    "REQUEST_TOO_LARGE": (
        413,
        "Request Too Long",
        "RequestTooLargeException",
        {"too_large": True},
    ),
    "UNSUPPORTED_MEDIA_TYPE": (
        415,
        "Unsupported Media Type",
        "BadRequestException",
        {"headers": {"Content-Type": "text/csv"}},
    ),
    "API_CONFIGURATION_ERROR": (
        500,
        "Internal server error",
        "InternalServerErrorException",
        {"verb": "PATCH"},
    ),
    "INTEGRATION_FAILURE": (504, "Internal server error", "InternalServerErrorException", {}),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out", "InternalServerErrorException", {}),
}
"""The response types that can arise here: status, message, error type, and a request that does."""


def api_of(kind: str, *gateway_responses: dict[str, Any]) -> Deployed:
    """Deploy an API whose answer to the request above is of one type."""
    failures: dict[str, BaseException] = {
        "INTEGRATION_FAILURE": ConnectionError("gone"),
        "INTEGRATION_TIMEOUT": TimeoutError(),
    }
    return Deployed(
        methods={
            "GET": method(),
            "PUT": {**method(), "authorizationType": "CUSTOM"},
            "PATCH": {"authorizationType": "NONE"},
        },
        gateway_responses=list(gateway_responses),
        answer=failures.get(kind, backend()),
    )


@pytest.mark.parametrize("kind", WHERE_IT_ARISES)
def test_each_type_has_its_own_status_and_message(kind: str) -> None:
    """AWS: "Gateway response types for API Gateway"; the messages are not all documented."""
    status, message, error_type, sent = WHERE_IT_ARISES[kind]
    answer = api_of(kind).ask(**sent)
    assert (answer.status, json.loads(answer.body)) == (status, {"message": message})
    assert answer.headers["x-amzn-ErrorType"] == error_type
    assert answer.headers["Content-Type"] == JSON_TYPE
    assert answer.headers["x-amzn-RequestId"]
    assert answer.headers["x-amz-apigw-id"]


@pytest.mark.parametrize("kind", WHERE_IT_ARISES)
def test_an_unspecified_type_defaults_to_its_family(kind: str) -> None:
    """AWS: "Gateway response types for API Gateway", DEFAULT_4XX and DEFAULT_5XX."""
    status, message, error_type, sent = WHERE_IT_ARISES[kind]
    families = [
        {
            "responseType": f"DEFAULT_{family}XX",
            "statusCode": f"{family}99",
            "responseParameters": {"gatewayresponse.header.X-Family": f"'{family}'"},
            "responseTemplates": {JSON_TYPE: '{"t":"$context.error.responseType"}'},
        }
        for family in (4, 5)
    ]
    answer = api_of(kind, *families).ask(**sent)
    assert answer.status == status // 100 * 100 + 99
    assert answer.headers["X-Family"] == str(status // 100)
    assert json.loads(answer.body) == {"t": kind}

    own = {"responseType": kind, "responseTemplates": {JSON_TYPE: "$context.error.messageString"}}
    answer = api_of(kind, *families, own).ask(**sent)
    assert (answer.status, json.loads(answer.body)) == (status, message)
    assert "X-Family" not in answer.headers
    assert answer.headers["x-amzn-ErrorType"] == error_type


def test_a_family_without_a_status_keeps_each_types_own() -> None:
    """AWS: "Gateway response types for API Gateway": a null status reverts to the original."""
    family = {
        "responseType": "DEFAULT_4XX",
        "responseParameters": {"gatewayresponse.header.X-A": "'a'"},
    }
    answer = api_of("UNAUTHORIZED", family).ask("PUT")
    assert (answer.status, answer.body) == (401, b'{"message":"Unauthorized"}')
    assert answer.headers["X-A"] == "a"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'a.b.c'", "a.b.c"),
        ("method.request.header.x-amzn-RequestId", "123344566"),
        ("method.request.header.none", None),
        ("method.request.path.id", "7"),
        ("method.request.querystring.q", "1"),
        ("method.request.querystring.none", None),
        ("context.resourcePath", "/things/{id}"),
        ("context.identity.sourceIp", "127.0.0.1"),
        ("stageVariables.colour", "blue"),
        ("method.request.header.X-Split", None),
    ],
)
def test_header_sources(source: str, expected: str | None) -> None:
    """AWS: "Set up a gateway response for a REST API using the API Gateway console".

    And "x-amazon-apigateway-gateway-responses.responseParameters object". A value that would split
    the answer is left out.
    """
    custom = {
        "responseType": MISSING_TOKEN,
        "responseParameters": {"gatewayresponse.header.X-Out": source},
    }
    headers = {"x-amzn-RequestId": "123344566", "X-Split": "a\nb"}
    answer = api_of("", custom).ask("DELETE", query={"q": "1"}, headers=headers)
    assert (answer.status, answer.headers.get("X-Out")) == (403, expected)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$context.error.message", "Missing Authentication Token"),
        ("$context.error.messageString", '"Missing Authentication Token"'),
        ("$context.error.responseType", MISSING_TOKEN),
        ("$context.error.validationErrorString|", "|"),
        ("$context.stage$context.resourcePath", "v1/things/{id}"),
        ("$context.httpMethod $context.path", "DELETE /v1/things/7"),
        ("$context.identity.sourceIp", "127.0.0.1"),
        ("$context.none|$stageVariables.none|", "||"),
        ("$stageVariables.colour", "blue"),
        ("#if(true)$input.body#end", "#if(true)$input.body#end"),
        ("$5 $context", "$5 $context"),
    ],
)
def test_simple_substitution(template: str, expected: str) -> None:
    """AWS: "Gateway responses in API Gateway": a template that is not Velocity.

    What a variable without a value leaves is not documented: nothing, here.
    """
    custom = {"responseType": MISSING_TOKEN, "responseTemplates": {"text/plain": template}}
    answer = api_of("", custom).ask("DELETE")
    assert (answer.status, answer.body.decode()) == (403, expected)
    assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "parameters",
    [
        {"gatewayresponse.header.X": "method.request.body"},
        {"gatewayresponse.header.X": "fixed"},
        {"gatewayresponse.path.id": "'a'"},
    ],
)
def test_a_gateway_response_that_cannot_be_made_is_500_and_said(
    parameters: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """AWS: "x-amazon-apigateway-gateway-responses.responseParameters object"."""
    custom = {"responseType": "THROTTLED", "responseParameters": parameters}
    assert api_of("", custom).ask().status == 500
    assert "gateway response THROTTLED" in caplog.text


@pytest.mark.parametrize("path", ["/nowhere", "/decrement/x", "//", "/decrement//"])
def test_an_unknown_path_is_403(new: Stack, path: str) -> None:
    """AWS: "Gateway response types for API Gateway", MISSING_AUTHENTICATION_TOKEN."""
    reply = request("GET", new.url.rstrip("/") + path)
    assert (reply.status, reply.body) == (403, '{"message":"Missing Authentication Token"}')
    assert reply.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize("verb", ["DELETE", "PATCH", "POST", "OPTIONS"])
def test_an_unknown_method_is_403(new: Stack, verb: str) -> None:
    """AWS: "Gateway response types for API Gateway", MISSING_AUTHENTICATION_TOKEN."""
    reply = request(verb, new.url)
    assert (reply.status, reply.body) == (403, '{"message":"Missing Authentication Token"}')


def test_an_unknown_api_or_stage_is_403(new: Stack, local: LocalCloud) -> None:
    """AWS: "Gateway response types for API Gateway" has no type for it; ours has this message."""
    for path in ("nosuchapi/v1/", f"{new.api_id}/nosuchstage/"):
        reply = request("GET", f"{local.endpoint_url}/_aws/execute-api/{path}")
        assert (reply.status, reply.body) == (403, '{"message":"Forbidden"}')


def test_every_answer_names_its_request(new: Stack) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", requestId."""
    replies = [request("GET", new.url), request("GET", new.url + "nowhere")]
    ids = {reply.headers["x-amzn-requestid"] for reply in replies}
    assert len(ids) == 2
    assert all(reply.headers["x-amz-apigw-id"] for reply in replies)


def test_the_documented_customisation_on_a_deployed_api(api: Api) -> None:
    """AWS: "Set up a gateway response for a REST API using the API Gateway console"."""
    api.cloud.apigateway().put_gateway_response(
        restApiId=api.id,
        responseType=MISSING_TOKEN,
        statusCode="404",
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'a.b.c'",
            "gatewayresponse.header.x-request-query": "method.request.querystring.q",
            "gatewayresponse.header.x-request-path": "method.request.path.petId",
        },
        responseTemplates={
            JSON_TYPE: '{"message":$context.error.messageString,'
            '"type":"$context.error.responseType","stage":"$context.stage",'
            '"resourcePath":"$context.resourcePath","a":"$stageVariables.a",'
            '"id":"$context.requestId"}'
        },
    )
    api.method("GET", "/pets/{petId}")
    reply = request("POST", api.deploy(variables={"a": "b"}) + "/pets/5?q=1")
    assert reply.status == 404
    assert reply.headers["access-control-allow-origin"] == "a.b.c"
    assert reply.headers["x-request-query"] == "1"
    assert reply.headers["x-request-path"] == "5"
    assert json.loads(reply.body) == {
        "message": "Missing Authentication Token",
        "type": MISSING_TOKEN,
        "stage": "s1",
        "resourcePath": "/pets/{petId}",
        "a": "b",
        "id": reply.headers["x-amzn-requestid"],
    }


def test_a_body_over_10_mb_is_413(new: Stack) -> None:
    """AWS: "Amazon API Gateway quotas"; "Gateway response types", REQUEST_TOO_LARGE."""
    reply = request("PUT", new.url, b"1" * (10 * 1024 * 1024 + 1), {"Content-Type": JSON_TYPE})
    assert (reply.status, reply.body) == (413, '{"message":"Request Too Long"}')


PATIENT_GET = "TimeoutInMillis: 29000\n        RequestTemplates:\n          # The condition: a GET"


def test_a_time_out_is_504_while_the_write_still_lands(
    scripted: Stack, backend: ScriptedDynamo, edited: EditTemplate
) -> None:
    """AWS: "Gateway response types for API Gateway", INTEGRATION_TIMEOUT."""
    cloud = Cloud(region="us-east-1", endpoint_url=scripted.url.partition("/_aws")[0])
    # GET's alone: on a machine that stands still for a moment a PUT would take as long, too.
    hasty = edited((PATIENT_GET, PATIENT_GET.replace("29000", "250")))
    stack = deploy_stack(cloud, name="hasty", parameters={}, say=quiet, template_path=hasty)
    put(stack.url, 7)
    backend.hold()
    reply = request("GET", stack.url)
    assert (reply.status, reply.body) == (504, '{"message": "Endpoint request timed out"}')
    assert reply.headers["cache-control"] == "no-store"
    backend.release()
    assert backend.applied.acquire(timeout=PATIENCE_S)
    assert read_counter(cloud, stack) == 8


def test_a_backend_that_drops_the_answer_is_504_and_sent_once(
    scripted: Stack, backend: ScriptedDynamo
) -> None:
    """AWS: "Gateway response types for API Gateway", INTEGRATION_FAILURE."""
    backend.drop = True
    reply = request("GET", scripted.url)
    assert (reply.status, reply.body) == (504, '{"message":"Internal server error"}')
