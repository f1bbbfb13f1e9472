"""`make inspect`: everything equal on a fresh stack, and each kind of tampering named."""

from collections.abc import Callable
from typing import Any

import pytest

from deploy.cloud import Cloud
from deploy.creation import deploy_stack
from deploy.inspection import ABSENT, inspect_stack, integration_timeout_ms, lines
from deploy.integration import timeout_ms
from deploy.removal import remove_stack
from deploy.stack import Stack

Tamper = Callable[[Any, dict[str, str]], object]


@pytest.fixture
def stack(cloud: Cloud) -> Stack:
    return deploy_stack(cloud, name="inspected", parameters={}, say=lambda _line: None)


def test_a_fresh_stack_is_equal(cloud: Cloud, new: Stack, old: Stack) -> None:
    for stack in (new, old):
        inspection = inspect_stack(cloud, stack)
        assert inspection.equal()
        assert lines(inspection)[-1] == "3 methods, all equal to deploy/template.yml"
        assert [(method.http_method, method.path) for method in inspection.methods] == [
            ("GET", "/"),
            ("PUT", "/"),
            ("POST", "/decrement"),
        ]


def test_what_a_person_reads(cloud: Cloud, new: Stack) -> None:
    text = "\n".join(lines(inspect_stack(cloud, new)))
    for line in (
        "  integration type           AWS",
        "  service                    dynamodb",
        "  integration HTTP method    POST",
        "  action                     PutItem",
        "  action                     UpdateItem",
        f"  role                       {new.role_arn}",
        "  passthrough                NEVER",
        r"  response 500 for status    4\d{2}",
        "  response 502 for status    any other",
    ):
        assert line in text
    assert f'"TableName":"{new.table_name}"' in text


def root_get(cloud: Cloud, stack: Stack) -> dict[str, str]:
    """Name a stack's GET / as API Gateway's calls do."""
    root = next(
        item["id"]
        for item in cloud.apigateway().get_resources(restApiId=stack.api_id)["items"]
        if item["path"] == "/"
    )
    return {"restApiId": stack.api_id, "resourceId": root, "httpMethod": "GET"}


def replace(path: str, value: str) -> Tamper:
    operations = [{"op": "replace", "path": path, "value": value}]

    def tamper(client: Any, ids: dict[str, str]) -> object:
        return client.update_integration(**ids, patchOperations=operations)

    return tamper


@pytest.mark.parametrize(
    ("tamper", "field"),
    [
        pytest.param(replace("/type", "HTTP"), "integration type", id="type"),
        pytest.param(replace("/httpMethod", "GET"), "integration HTTP method", id="HTTP method"),
        pytest.param(replace("/credentials", "arn:aws:iam::1:role/x"), "role", id="role"),
        pytest.param(
            replace("/uri", "arn:aws:apigateway:us-east-1:dynamodb:action/GetItem"),
            "action, URI",
            id="action",
        ),
        pytest.param(
            lambda client, ids: client.put_integration(
                **ids, type="AWS", integrationHttpMethod="POST", requestTemplates={"text/xml": "{}"}
            ),
            "request text/xml",
            id="request template",
        ),
        pytest.param(
            lambda client, ids: client.put_integration_response(
                **ids, statusCode="503", selectionPattern="5"
            ),
            "response 503 for status, response 503 Cache-Control, response 503 application/json",
            id="response",
        ),
        pytest.param(
            lambda client, ids: client.delete_integration_response(**ids, statusCode="502"),
            "response 502 for status, response 502 Cache-Control, response 502 application/json",
            id="response gone",
        ),
        pytest.param(
            lambda client, ids: client.put_method(**ids, authorizationType="AWS_IAM"),
            "authorization",
            id="authorization",
        ),
    ],
)
def test_tampering_is_named(cloud: Cloud, stack: Stack, tamper: Tamper, field: str) -> None:
    tamper(cloud.apigateway(), root_get(cloud, stack))
    inspection = inspect_stack(cloud, stack)
    assert not inspection.equal()
    printed = lines(inspection)
    assert printed[-1].startswith("3 methods, 1 NOT equal to deploy/template.yml: GET / (")
    assert field in printed[-1]
    assert any("DIFFERS from deploy/template.yml" in line for line in printed)


@pytest.mark.parametrize(
    ("new_ms", "longest_ms"),
    [
        pytest.param("1234", 29_000, id="shorter than the other methods'"),
        pytest.param("61000", 61_000, id="longer, as AWS allows on request"),
    ],
)
def test_the_integrations_time_out_is_the_longest_of_all_methods(
    cloud: Cloud, stack: Stack, new_ms: str, longest_ms: int
) -> None:
    assert integration_timeout_ms(cloud, stack) == 29_000
    replace("/timeoutInMillis", new_ms)(cloud.apigateway(), root_get(cloud, stack))
    assert integration_timeout_ms(cloud, stack) == longest_ms


def test_a_missing_and_a_foreign_method_are_named(cloud: Cloud, stack: Stack) -> None:
    client = cloud.apigateway()
    resources = {
        item["path"]: item for item in client.get_resources(restApiId=stack.api_id)["items"]
    }
    root = {"restApiId": stack.api_id, "resourceId": resources["/"]["id"]}
    client.delete_method(**root, httpMethod="PUT")
    client.put_method(**root, httpMethod="DELETE", authorizationType="NONE")
    client.put_integration(**root, httpMethod="DELETE", type="MOCK")
    inspection = inspect_stack(cloud, stack)
    differing = {
        (method.http_method, method.deployed.get("integration type", ABSENT))
        for method in inspection.methods
        if method.differences()
    }
    assert differing == {("PUT", ABSENT), ("DELETE", "MOCK")}
    remove_stack(cloud, stack.name, lambda _line: None)


@pytest.mark.parametrize(("integration", "waits_ms"), [({}, 29_000), ({"timeoutInMillis": 50}, 50)])
def test_an_integration_that_says_nothing_waits_as_aws_documents(
    integration: dict[str, int], waits_ms: int
) -> None:
    assert timeout_ms(integration) == waits_ms
