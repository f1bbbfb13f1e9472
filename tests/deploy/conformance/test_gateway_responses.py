"""What the gateway answers by itself, and how an API customises it."""

import json

import pytest

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.local.lifecycle import LocalCloud
from deploy.stack import Stack
from tests.deploy.handmade import JSON_TYPE, Api
from tests.deploy.support import ScriptedDynamo, put, request


@pytest.mark.parametrize("path", ["/nowhere", "/decrement/x", "//", "/decrement//"])
def test_an_unknown_path_is_403(new: Stack, path: str) -> None:
    reply = request("GET", new.url.rstrip("/") + path)
    assert (reply.status, reply.body) == (403, '{"message":"Missing Authentication Token"}')
    assert reply.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "POST", "OPTIONS"])
def test_an_unknown_method_is_403(new: Stack, method: str) -> None:
    reply = request(method, new.url)
    assert (reply.status, reply.body) == (403, '{"message":"Missing Authentication Token"}')


def test_an_unknown_api_or_stage_is_403(new: Stack, local: LocalCloud) -> None:
    for path in ("nosuchapi/v1/", f"{new.api_id}/nosuchstage/"):
        reply = request("GET", f"{local.endpoint_url}/_aws/execute-api/{path}")
        assert (reply.status, reply.body) == (403, '{"message":"Forbidden"}')


def test_every_answer_names_its_request(new: Stack) -> None:
    replies = [request("GET", new.url), request("GET", new.url + "nowhere")]
    ids = {reply.headers["x-amzn-requestid"] for reply in replies}
    assert len(ids) == 2
    assert all(reply.headers["x-amz-apigw-id"] for reply in replies)


def test_an_integration_that_is_not_dynamodb_is_500(api: Api) -> None:
    api.method(uri="arn:aws:apigateway:us-east-1:sqs:path/0/q")
    assert request("GET", api.deploy() + "/").status == 500


def test_a_gateway_response_customises_status_header_and_body(api: Api) -> None:
    api.cloud.apigateway().put_gateway_response(
        restApiId=api.id,
        responseType="MISSING_AUTHENTICATION_TOKEN",
        statusCode="404",
        responseParameters={"gatewayresponse.header.X-Why": "'no such path'"},
        responseTemplates={
            JSON_TYPE: '{"m":$context.error.messageString,"id":"$context.requestId"}'
        },
    )
    api.method()
    reply = request("GET", api.deploy() + "/nowhere")
    assert (reply.status, reply.headers["x-why"]) == (404, "no such path")
    assert json.loads(reply.body) == {
        "m": "Missing Authentication Token",
        "id": reply.headers["x-amzn-requestid"],
    }


def test_a_body_over_10_mb_is_413(new: Stack) -> None:
    reply = request("PUT", new.url, b"1" * (10 * 1024 * 1024 + 1), {"Content-Type": JSON_TYPE})
    assert (reply.status, reply.body) == (413, '{"message":"Request Too Long"}')


def test_a_time_out_is_504_while_the_write_still_lands(
    scripted: Stack, backend: ScriptedDynamo
) -> None:
    put(scripted.url, 7)
    backend.hold()
    reply = request("GET", scripted.url)
    assert (reply.status, reply.body) == (504, '{"message": "Endpoint request timed out"}')
    assert reply.headers["cache-control"] == "no-store"
    backend.release()
    assert backend.applied.acquire(timeout=10)
    endpoint_url = scripted.url.partition("/_aws")[0]
    assert read_counter(Cloud(region="us-east-1", endpoint_url=endpoint_url), scripted) == 8


def test_a_backend_that_drops_the_answer_is_504_and_sent_once(
    scripted: Stack, backend: ScriptedDynamo
) -> None:
    backend.drop = True
    reply = request("GET", scripted.url)
    assert (reply.status, reply.body) == (504, '{"message":"Internal server error"}')
