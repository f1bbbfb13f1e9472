"""`$context`: by itself, and as a deployed API's templates see it.

AWS: "API Gateway mapping template and access logging variable reference" (now "Variables for data
transformations for API Gateway").
"""

import json
import re
import time

import pytest

from deploy.local.gateway.context import IDENTITY_BLANK, RequestIds
from deploy.local.gateway.velocity import RenderError
from tests.deploy.conformance.templates import API_KEY, render, text
from tests.deploy.handmade import Api, rendered


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("accountId", "000000000000"),
        ("apiId", "api-1"),
        ("authorizer.principalId", ""),
        ("deploymentId", "deployment-1"),
        ("domainName", "abc.example.com:80"),
        ("domainPrefix", "abc"),
        ("extendedRequestId", "extended-1"),
        ("httpMethod", "GET"),
        ("identity.sourceIp", "127.0.0.1"),
        ("identity.userAgent", ""),
        *[(f"identity.{name}", {"apiKeyId": API_KEY.id}.get(name, "")) for name in IDENTITY_BLANK],
        ("path", "/v1/things/7"),
        ("protocol", "HTTP/1.1"),
        ("requestId", "request-1"),
        ("resourceId", "resource-1"),
        ("resourcePath", "/things/{id}"),
        ("stage", "v1"),
    ],
)
def test_variables(variable: str, expected: str) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", `$context`."""
    assert text(f"$context.{variable}") == expected


@pytest.mark.parametrize(
    "variable",
    [
        "authorizer.claims.sub",
        "awsEndpointRequestId",
        "error.message",
        "isCanaryRequest",
        "wafResponseCode",
        "webaclArn",
        "xrayTraceId",
        "status",
        "integrationLatency",
    ],
)
def test_what_a_request_here_has_no_value_for(variable: str) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", `$context`.

    Authorizers, WAF and X-Ray set the first; the last are for access logging only, and error is for
    gateway responses.
    """
    assert text(f"$!context.{variable}|") == "|"


def test_a_caller_without_a_signature_or_authorizer_prints_as_nothing() -> None:
    """AWS: "Examples using variables for mapping template transformations"."""
    template = '"$context.authorizer.principalId" "$context.identity.caller"'
    assert text(template) == '"" ""'


def test_the_time_of_the_request() -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", `$context`."""
    before_ms = int(time.time() * 1000)
    clf, epoch_ms = text("$context.requestTime|$context.requestTimeEpoch").split("|")
    assert before_ms <= int(epoch_ms) <= time.time() * 1000
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", clf)
    seconds = time.strptime(clf, "%d/%b/%Y:%H:%M:%S +0000")
    assert time.strftime("%s", seconds) == time.strftime("%s", time.gmtime(int(epoch_ms) // 1000))


def test_the_identity_can_be_walked() -> None:
    """AWS: "API Gateway mapping template and access logging variable reference"."""
    template = "#foreach($k in $context.identity.keySet())$k=$context.identity.get($k);#end"
    assert "sourceIp=127.0.0.1;" in text(template)
    assert "requestId" in text("$context.keySet()")


def test_request_ids_are_unique_and_look_like_uuids() -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", requestId."""
    ids = RequestIds()
    made = [ids.next() for _ in range(10_000)] + [RequestIds().next()]
    assert len({request_id for request_id, _ in made}) == len(made)
    assert len({extended for _, extended in made}) == len(made)
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(uuid.fullmatch(request_id) for request_id, _ in made)


def test_overrides() -> None:
    """AWS: "Override your API's request and response parameters and status codes"."""
    template = (
        "#set($context.responseOverride.status = 418)"
        "#set($context.responseOverride.header.X-Tea = 'pot')"
        "#set($context.responseOverride.header['milk'] = 'no')ok"
    )
    rendering = render(template)
    assert (rendering.text, rendering.status) == ("ok", 418)
    assert rendering.headers == {"X-Tea": "pot", "milk": "no"}
    assert render("plain $context.stage").status is None


def set_status(value: str) -> str:
    return f"#set($context.responseOverride.status = {value})"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        *[
            pytest.param(set_status(value), "status is set to .*, no HTTP status", id=value)
            for value in ("'x'", "'404'", "99", "100", "199", "600", "-404", "true", "404.0")
        ],
        pytest.param(set_status("404") * 2, "status is set twice", id="status twice"),
        pytest.param(
            "#set($context.responseOverride.header.Tea = '1')"
            "#set($context.responseOverride.header.tea = '2')",
            "header.tea is set twice",
            id="header twice",
        ),
        pytest.param("#set($context.responseOverride.header.Tea = 1)", "no string", id="no string"),
        pytest.param(
            "#set($context.responseOverride.code = 404)", "nothing to set", id="no such override"
        ),
        pytest.param("#set($context.stage = 'x')", "nothing to set", id="no override at all"),
        *[
            pytest.param(
                f"#set($context.requestOverride.{kind}.a = 'b')",
                "takes? no headers, path or query string",
                id=f"request {kind}",
            )
            for kind in ("header", "path", "querystring")
        ],
    ],
)
def test_an_override_that_cannot_be_fails(template: str, reason: str) -> None:
    """AWS: "Override your API's request and response parameters and status codes"."""
    with pytest.raises(RenderError, match=reason):
        render(template)


def test_the_request_ids_in_the_template_are_those_in_the_headers(api: Api) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference", requestId."""
    reply = rendered(api, "$context.requestId $context.extendedRequestId")
    headers = reply.headers
    assert reply.body == f"{headers['x-amzn-requestid']} {headers['x-amz-apigw-id']}"


def test_a_deployed_api_in_its_templates(api: Api) -> None:
    """AWS: "API Gateway mapping template and access logging variable reference"."""
    template = json.dumps(
        {
            "account": "$context.accountId",
            "api": "$context.apiId",
            "deployment": "$context.deploymentId",
            "resource": "$context.resourceId $context.resourcePath",
            "request": "$context.httpMethod $context.path $context.protocol",
            "caller": "$context.identity.sourceIp $context.identity.userAgent",
            "host": "$context.domainName",
            "backend": "$context.awsEndpointRequestId",
            "names": "#foreach($name in $input.params().header.keySet())"
            "#if($name.toLowerCase() == 'x-sent')$name#end#end",
            "sent": "$stageVariables.colour $input.params('q') $input.params('X-Sent')",
        }
    )
    headers = {"X-Sent": "yes", "User-Agent": "me"}
    reply = rendered(api, template, suffix="/?q=a%20b&q=c", headers=headers)
    client = api.cloud.apigateway()
    shown = json.loads(reply.body)
    assert shown.pop("backend")
    assert shown == {
        "account": "000000000000",
        "api": api.id,
        "deployment": client.get_deployments(restApiId=api.id)["items"][0]["id"],
        "resource": f"{api.resources['/']} /",
        "request": "POST /s1/ HTTP/1.1",
        "caller": "127.0.0.1 me",
        "host": api.endpoint_url.partition("//")[2],
        "names": "X-Sent",
        "sent": "blue c yes",
    }
