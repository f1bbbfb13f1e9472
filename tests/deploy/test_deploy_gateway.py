"""The local gateway against what API Gateway's documentation says, on APIs made by hand."""

import http.client
import json
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.local.lifecycle import LocalCloud
from deploy.stack import Stack
from tests.deploy.support import Reply, ScriptedDynamo, put, request

ROLE = "arn:aws:iam::000000000000:role/any"
URI = "arn:aws:apigateway:us-east-1:dynamodb:action/{}"
JSON_TYPE = "application/json"
LIST_TABLES = URI.format("ListTables")


@dataclass(slots=True)
class Api:
    """One API made by hand; `deploy` after every change, as on AWS."""

    cloud: Cloud
    endpoint_url: str
    id: str = ""
    resources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        client = self.cloud.apigateway()
        self.id = client.create_rest_api(name="by hand")["id"]
        self.resources["/"] = client.get_resources(restApiId=self.id)["items"][0]["id"]

    def resource(self, path: str) -> str:
        if path not in self.resources:
            parent, _, part = path.rpartition("/")
            self.resources[path] = self.cloud.apigateway().create_resource(
                restApiId=self.id, parentId=self.resource(parent or "/"), pathPart=part
            )["id"]
        return self.resources[path]

    def method(
        self,
        verb: str = "GET",
        path: str = "/",
        *,
        request_template: str | dict[str, str] = "{}",
        responses: dict[str, dict[str, Any]] | None = None,
        uri: str = LIST_TABLES,
        **integration: Any,
    ) -> None:
        """Put a method whose default response shows what the request template rendered."""
        client = self.cloud.apigateway()
        ids: dict[str, Any] = {
            "restApiId": self.id,
            "resourceId": self.resource(path),
            "httpMethod": verb,
        }
        authorization = integration.pop("authorization", "NONE")
        key_required = integration.pop("key_required", False)
        client.put_method(**ids, authorizationType=authorization, apiKeyRequired=key_required)
        templates = request_template
        if isinstance(templates, str):
            templates = {JSON_TYPE: templates}
        arguments: dict[str, Any] = {
            "type": "AWS",
            "integrationHttpMethod": "POST",
            "uri": uri,
            "credentials": ROLE,
            "requestTemplates": templates,
            "passthroughBehavior": "NEVER",
            **integration,
        }
        client.put_integration(**ids, **arguments)
        for status, response in (responses or {"200": {}}).items():
            client.put_integration_response(**ids, statusCode=status, **response)

    def deploy(self, **arguments: Any) -> str:
        self.cloud.apigateway().create_deployment(restApiId=self.id, stageName="s1", **arguments)
        return f"{self.endpoint_url}/_aws/execute-api/{self.id}/s1"


@pytest.fixture
def api(cloud: Cloud, local: LocalCloud) -> Iterator[Api]:
    made = Api(cloud, local.endpoint_url)
    yield made
    cloud.apigateway().delete_rest_api(restApiId=made.id)


def rendered(api: Api, template: str, **sent: Any) -> Reply:
    """Answer what a response template renders for one request."""
    api.method("POST", responses={"200": {"responseTemplates": {JSON_TYPE: template}}})
    url = api.deploy(variables={"colour": "blue"}) + sent.pop("suffix", "/")
    return request("POST", url, sent.pop("body", None), sent.pop("headers", None))


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


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        pytest.param(None, 200, id="none counts as application/json"),
        pytest.param("application/json", 200, id="mapped"),
        pytest.param("application/json; charset=utf-8", 200, id="mapped, with a parameter"),
        pytest.param("Application/JSON", 200, id="mapped, in capitals"),
        pytest.param("text/plain", 415, id="unmapped"),
    ],
)
def test_the_content_type_chooses_the_request_template(
    new: Stack, content_type: str | None, status: int
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    reply = request("PUT", new.url, '{"value":1}', headers)
    assert reply.status == status
    if status == 415:
        assert reply.body == '{"message":"Unsupported Media Type"}'


@pytest.mark.parametrize(
    ("passthrough", "templates", "status"),
    [
        pytest.param("NEVER", {"text/xml": "{}"}, 415, id="never"),
        pytest.param("WHEN_NO_TEMPLATES", {"text/xml": "{}"}, 415, id="no templates, but one"),
        pytest.param("WHEN_NO_TEMPLATES", {}, 200, id="no templates, and none"),
        pytest.param("WHEN_NO_MATCH", {"text/xml": "{}"}, 200, id="no match"),
    ],
)
def test_passthrough(api: Api, passthrough: str, templates: dict[str, str], status: int) -> None:
    api.method("POST", request_template=templates, passthroughBehavior=passthrough)
    reply = request("POST", api.deploy() + "/", '{"Limit":1}', {"Content-Type": JSON_TYPE})
    assert reply.status == status


def test_the_selection_pattern_matches_the_whole_status(
    scripted_stack: Stack, backend: ScriptedDynamo
) -> None:
    endpoint_url = scripted_stack.url.partition("/_aws")[0]
    api = Api(Cloud(region="us-east-1", endpoint_url=endpoint_url), endpoint_url)
    api.method(
        responses={
            "201": {"selectionPattern": "20"},
            "202": {"selectionPattern": "2.."},
            "203": {},
            "204": {"selectionPattern": "40[0-9]|5"},
        }
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


def test_every_answer_names_its_request(new: Stack) -> None:
    replies = [request("GET", new.url), request("GET", new.url + "nowhere")]
    ids = {reply.headers["x-amzn-requestid"] for reply in replies}
    assert len(ids) == 2
    assert all(reply.headers["x-amz-apigw-id"] for reply in replies)


def test_the_request_id_in_the_template_is_the_one_in_the_header(api: Api) -> None:
    reply = rendered(api, "$context.requestId")
    assert reply.body == reply.headers["x-amzn-requestid"]


def test_context_input_and_stage_variables(api: Api) -> None:
    template = (
        "$context.apiId $context.stage $context.httpMethod $context.resourcePath "
        "$context.identity.sourceIp $stageVariables.colour $input.params('q') "
        "$input.params().header.get('X-Sent') $input.params('x-sent')"
    )
    reply = rendered(api, template, suffix="/?q=a%20b", headers={"X-Sent": "yes"})
    assert reply.body == f"{api.id} s1 POST / 127.0.0.1 blue a b yes yes"


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


def test_path_parameters_and_the_most_specific_resource(api: Api) -> None:
    def shows(text: str) -> dict[str, dict[str, Any]]:
        return {"200": {"responseTemplates": {JSON_TYPE: text}}}

    api.method("ANY", "/{proxy+}", responses=shows("greedy $input.params('proxy')"))
    api.method("GET", "/{the-name}", responses=shows("one $input.params('the-name')"))
    api.method("GET", "/fixed", responses=shows("fixed"))
    url = api.deploy()
    seen = [request("GET", url + path).body for path in ("/fixed", "/a%20b", "/a/b", "/fixed/")]
    assert seen == ["fixed", "one a b", "greedy a/b", "fixed"]


def test_a_method_that_wants_more_than_we_check_is_refused(api: Api) -> None:
    api.method("GET", "/iam", authorization="AWS_IAM")
    api.method("GET", "/key", key_required=True)
    api.method("GET", "/token", authorization="CUSTOM")
    url = api.deploy()
    assert [request("GET", url + path).status for path in ("/iam", "/key", "/token")] == [
        403,
        403,
        401,
    ]


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


def test_a_changed_method_is_served_only_after_a_new_deployment(api: Api) -> None:
    api.method(responses={"200": {"responseTemplates": {JSON_TYPE: "first"}}})
    url = api.deploy() + "/"
    api.method(responses={"200": {"responseTemplates": {JSON_TYPE: "second"}}})
    assert request("GET", url).body == "first"
    api.deploy()
    assert request("GET", url).body == "second"


def test_a_deleted_api_is_no_longer_served(cloud: Cloud, local: LocalCloud) -> None:
    api = Api(cloud, local.endpoint_url)
    api.method()
    url = api.deploy() + "/"
    assert request("GET", url).status == 200
    cloud.apigateway().delete_rest_api(restApiId=api.id)
    assert request("GET", url).status == 403


def test_all_three_forms_of_the_address(new: Stack, local: LocalCloud) -> None:
    put(new.url, 10)
    base = local.endpoint_url
    older = f"{base}/restapis/{new.api_id}/{new.stage}/_user_request_/"
    host = {"Host": f"{new.api_id}.execute-api.us-east-1.amazonaws.com"}
    assert request("GET", new.url).body == "11"
    assert request("GET", new.url.rstrip("/")).body == "12"
    assert request("GET", older).body == "13"
    assert request("GET", f"{base}/{new.stage}/", headers=host).body == "14"


def test_a_web_page_cannot_reach_the_control_plane(new: Stack, local: LocalCloud) -> None:
    page = {"Origin": "http://example.com"}
    url = local.endpoint_url + "/_ministack/reset"
    assert request("POST", url, headers=page).status == 403
    assert put(new.url).status == 200


def test_only_the_services_the_template_needs_are_on(local: LocalCloud) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=test/20000101/us-east-1/lambda/aws4_request, "
    headers = {"Authorization": scope + "SignedHeaders=host, Signature=0"}
    reply = request("GET", local.endpoint_url + "/2015-03-31/functions", headers=headers)
    assert (reply.status, reply.body) == (400, '{"error": "Unsupported service: lambda"}')


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


def test_2000_concurrent_gets_are_2000_consecutive_numbers(cloud: Cloud, new: Stack) -> None:
    put(new.url, 0)
    seen: list[list[int]] = [[] for _ in range(50)]
    path = urllib.parse.urlsplit(new.url)

    def client(mine: list[int]) -> None:
        connection = http.client.HTTPConnection(path.netloc, timeout=30)
        for _ in range(40):
            connection.request("GET", path.path)
            mine.append(int(connection.getresponse().read()))
        connection.close()

    threads = [threading.Thread(target=client, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for mine in seen for number in mine) == list(range(1, 2001))
    assert all(mine == sorted(mine) for mine in seen)
    assert read_counter(cloud, new) == 2000
