"""The integration request: which template maps a request, where it goes, what cannot be mapped."""

from typing import Any

import pytest

from deploy.local.lifecycle import LocalCloud
from deploy.stack import Stack
from tests.deploy.conformance.gateways import ROLE, URI, Deployed, method
from tests.deploy.handmade import JSON_TYPE, Api
from tests.deploy.support import request

SERVER_ERROR = b'{"message":"Internal server error"}'


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
    """AWS: "Integration passthrough behaviors"."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    reply = request("PUT", new.url, '{"value":1}', headers)
    assert reply.status == status
    if status == 415:
        assert reply.body == '{"message":"Unsupported Media Type"}'
        assert reply.headers["x-amzn-errortype"] == "BadRequestException"


@pytest.mark.parametrize(
    ("passthrough", "template_for", "sent", "expected"),
    [
        (passthrough, template_for, sent, expected)
        for template_for, sent, outcomes in (
            (JSON_TYPE, None, ("mapped", "mapped", "mapped")),
            (JSON_TYPE, JSON_TYPE, ("mapped", "mapped", "mapped")),
            (JSON_TYPE, "application/xml", ("as it is", 415, 415)),
            ("application/xml", None, ("as it is", 415, 415)),
            ("application/xml", JSON_TYPE, ("as it is", 415, 415)),
            ("application/xml", "application/xml", ("mapped", "mapped", "mapped")),
            (None, None, ("as it is", "as it is", 415)),
            (None, JSON_TYPE, ("as it is", "as it is", 415)),
        )
        for passthrough, expected in zip(
            ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"), outcomes, strict=True
        )
    ],
)
def test_passthrough_behaviours(
    passthrough: str, template_for: str | None, sent: str | None, expected: str | int
) -> None:
    """AWS: "Integration passthrough behaviors", the tables of both examples."""
    templates = {} if template_for is None else {template_for: '{"mapped":$input.json("$.a")}'}
    api = Deployed(
        methods={"POST": method(requestTemplates=templates, passthroughBehavior=passthrough)}
    )
    headers = {} if sent is None else {"Content-Type": sent}
    answer = api.ask("POST", body=b'{"a":1}', headers=headers)
    if expected == 415:
        assert (answer.status, api.called) == (415, [])
    else:
        body = b'{"mapped":1}' if expected == "mapped" else b'{"a":1}'
        assert (answer.status, api.called[0].body) == (200, body)


def test_passthrough_on_a_deployed_api(api: Api) -> None:
    """AWS: "Integration passthrough behaviors"."""
    for passthrough in ("NEVER", "WHEN_NO_TEMPLATES", "WHEN_NO_MATCH"):
        template = {"text/xml": "{}"}
        api.method(
            "POST",
            f"/{passthrough}",
            request_template=template,
            passthroughBehavior=passthrough,
        )
    url = api.deploy()
    headers = {"Content-Type": JSON_TYPE}
    seen = [
        request("POST", f"{url}/{passthrough}", '{"Limit":1}', headers).status
        for passthrough in ("NEVER", "WHEN_NO_TEMPLATES", "WHEN_NO_MATCH")
    ]
    assert seen == [415, 415, 200]


def test_the_call_names_action_region_and_account() -> None:
    """AWS: "REST API integrations": an action in the URI, a role for credentials."""
    api = Deployed(methods={"GET": method()})
    api.ask()
    call = api.called[0]
    assert (call.action, call.region, call.account) == ("PutItem", "us-east-1", "000000000000")


def test_stage_variables_in_uri_and_credentials() -> None:
    """AWS: "API Gateway stage variables reference for REST APIs in API Gateway"."""
    uri = URI.replace("PutItem", "${stageVariables.action}")
    credentials = ROLE.replace("any", "${stageVariables.role}")
    api = Deployed(
        methods={"GET": method(uri=uri, credentials=credentials)},
        variables={"action": "GetItem", "role": "reader"},
    )
    assert (api.ask().status, api.called[0].action) == (200, "GetItem")
    api.variables = {}
    assert (api.ask().status, len(api.called)) == (500, 1)


@pytest.mark.parametrize(
    ("integration", "reason"),
    [
        ({"uri": "arn:aws:apigateway:us-east-1:sqs:path/0/q"}, "sqs:path"),
        ({"type": "MOCK", "uri": None}, "integration type MOCK: only DynamoDB actions are"),
        ({"credentials": "arn:aws:iam::*:user/*"}, "user"),
        ({"credentials": None}, "with ''"),
        (
            {"requestParameters": {"integration.request.header.X-A": "'b'"}},
            "integration.request.header.X-A = 'b'",
        ),
        (
            {"requestParameters": {"integration.request.path.id": "method.request.path.id"}},
            "a DynamoDB action takes no such parameter",
        ),
        (
            {"requestParameters": {"integration.request.querystring.q": "context.stage"}},
            "integration.request.querystring.q",
        ),
        ({"contentHandling": "CONVERT_TO_BINARY"}, "CONVERT_TO_BINARY"),
        ({"connectionType": "VPC_LINK"}, "VPC_LINK"),
        ({"responseTransferMode": "STREAM"}, "STREAM"),
    ],
)
def test_what_is_configured_but_not_emulated_is_500_and_said(
    integration: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """AWS: "Gateway response types for API Gateway", API_CONFIGURATION_ERROR."""
    api = Deployed(methods={"GET": method(**integration)})
    answer = api.ask()
    assert (answer.status, answer.body, api.called) == (500, SERVER_ERROR, [])
    assert "GET '/things/7': " in caplog.text
    assert reason in caplog.text


@pytest.mark.parametrize(
    "integration",
    [
        {
            "requestParameters": {
                "integration.request.header.Content-Type": "'application/x-amz-json-1.0'"
            }
        },
        {"contentHandling": "CONVERT_TO_TEXT"},
        {"cacheNamespace": "r1", "cacheKeyParameters": ["method.request.querystring.a"]},
    ],
)
def test_what_changes_nothing_is_let_be(integration: dict[str, Any]) -> None:
    """AWS: "Content type conversions in API Gateway", "Cache settings for REST APIs"."""
    assert Deployed(methods={"GET": method(**integration)}).ask().status == 200


def test_a_request_validator_is_not_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """AWS: "Request validation for REST APIs in API Gateway"; models alone validate nothing."""
    validated = {**method(), "requestValidatorId": "v1", "requestModels": {JSON_TYPE: "Thing"}}
    described = {**method(), "requestParameters": {"method.request.querystring.a": True}}
    api = Deployed(methods={"GET": validated, "POST": described})
    assert (api.ask().status, api.ask("POST").status) == (500, 200)
    assert "not emulated: a request validator" in caplog.text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("#set($a = 1 + $none)", "both must be numbers"),
        ("#set($context.responseOverride.status = 201)", "responseOverride is for responses"),
        ("#set($context.requestOverride.header.a = 'b')", "take no headers"),
    ],
)
def test_a_request_template_that_fails_is_500_and_said(
    template: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """AWS: "Gateway response types for API Gateway", API_CONFIGURATION_ERROR."""
    api = Deployed(methods={"POST": method(requestTemplates={JSON_TYPE: template})})
    answer = api.ask("POST", body=b"{")
    assert (answer.status, answer.body, api.called) == (500, SERVER_ERROR, [])
    assert "POST '/things/7': template failed: the request template for application/json" in (
        caplog.text
    )
    assert reason in caplog.text


@pytest.mark.parametrize("template", ["$input.path('$.a')", "#set($x = $input.json('$'))$x"])
@pytest.mark.parametrize("body", [b"{", b'{"a": 1', b"not json"])
def test_a_payload_that_is_not_json_is_400_where_the_template_reads_it_as_json(
    template: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference": may be a 400."""
    api = Deployed(methods={"POST": method(requestTemplates={JSON_TYPE: template})})
    answer = api.ask("POST", body=body)
    expected = '{"message":"Could not parse request body into json"}'
    assert (answer.status, answer.body.decode(), api.called) == (400, expected, [])
    assert "the payload is not JSON" in caplog.text
    unread = Deployed(methods={"POST": method(requestTemplates={JSON_TYPE: "$input.body"})})
    assert unread.ask("POST", body=body).status == 200


def test_a_path_writes_no_lines_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """AWS does not say whether `{p+}` takes line ends; here it does, as any other character."""
    methods = {"GET": method(requestTemplates={JSON_TYPE: "#set($a = 1 + $none)"})}
    forged = "x\r\n2026-01-01 ERROR forged\x1b[31m\u2028/y"
    assert Deployed(methods=methods, path="/{p+}").ask(path=f"/{forged}").status == 500
    (record,) = caplog.records
    assert record.getMessage().isprintable()
    assert "template failed" in record.getMessage()


def test_a_reason_writes_no_lines_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """What a template says of what it was sent is the sender's text, too."""
    template = "#set($context.requestOverride.header[$input.params('q')] = 'b')"
    api = Deployed(methods={"GET": method(requestTemplates={JSON_TYPE: template})})
    assert api.ask(query={"q": "x\n2026-01-01 ERROR forged"}).status == 500
    (record,) = caplog.records
    assert record.getMessage().isprintable()
    assert "forged" in record.getMessage()


def test_the_log_says_what_a_deployment_has_too_much(api: Api, local: LocalCloud) -> None:
    """AWS: "Deploy REST APIs in API Gateway": a snapshot is what will be served."""
    mapped = {"integration.request.header.X-Loud": "'b'"}
    api.method("GET", "/loud", requestParameters=mapped)
    url = api.deploy()
    said = f"API {api.id}, GET /loud: not emulated: integration.request.header"
    assert local.log_path.read_text().count(said) == 1
    assert request("GET", url + "/loud").status == 500
    assert "GET '/loud': not emulated: integration.request" in local.log_path.read_text()
