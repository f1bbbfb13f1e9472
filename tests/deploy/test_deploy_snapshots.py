"""A deployment is a snapshot of the API; which one a stage serves is live.

AWS: "Deploy REST APIs in API Gateway", "Create a deployment for a REST API in API Gateway".
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from deploy.cloud import Cloud
from deploy.inspection import inspect_stack, lines
from deploy.removal import remove_stack
from deploy.serving import own_deployment, served_deployment
from deploy.stack import Stack
from history.errors import UserError
from tests.deploy.support import EditTemplate, put, request, standing

WRITTEN = '{"ok":true}'
BY_HAND = '{"ok":"by hand"}'

Change = Callable[[], None]


@pytest.fixture
def stack(cloud: Cloud) -> Iterator[Stack]:
    yield standing(cloud, "frozen")
    remove_stack(cloud, "frozen", print)


@pytest.fixture
def client(cloud: Cloud) -> Any:
    return cloud.apigateway()


@pytest.fixture
def change(client: Any, stack: Stack) -> Change:
    """Change what PUT / answers, in the API's definition only."""

    def put_response() -> None:
        resources = client.get_resources(restApiId=stack.api_id)["items"]
        (root,) = (resource["id"] for resource in resources if resource["path"] == "/")
        client.put_integration_response(
            restApiId=stack.api_id,
            resourceId=root,
            httpMethod="PUT",
            statusCode="200",
            selectionPattern="200",
            responseTemplates={"application/json": BY_HAND},
        )

    return put_response


def deploy(client: Any, stack: Stack, **stage: str) -> str:
    return str(client.create_deployment(restApiId=stack.api_id, **stage)["id"])


def point(client: Any, stack: Stack, deployment: str) -> None:
    client.update_stage(
        restApiId=stack.api_id,
        stageName=stack.stage,
        patchOperations=[{"op": "replace", "path": "/deploymentId", "value": deployment}],
    )


def test_a_changed_method_is_served_only_once_it_is_deployed(
    client: Any, stack: Stack, change: Change
) -> None:
    assert put(stack.url).body == WRITTEN
    change()
    assert put(stack.url).body == WRITTEN
    deploy(client, stack, stageName=stack.stage)
    assert put(stack.url).body == BY_HAND


def test_a_stage_serves_the_deployment_it_names_and_is_pointed_back(
    cloud: Cloud, client: Any, stack: Stack, change: Change
) -> None:
    own = own_deployment(cloud, stack)
    change()
    other = deploy(client, stack)
    assert put(stack.url).body == WRITTEN
    point(client, stack, other)
    assert put(stack.url).body == BY_HAND
    point(client, stack, own)
    assert put(stack.url).body == WRITTEN
    point(client, stack, other)
    put(stack.url, 7)

    inspected = lines(inspect_stack(cloud, stack))
    assert f"  stage v1, deployment {other}" in inspected
    assert inspected[-1].startswith("3 methods, 1 NOT equal to deploy/template.yml: PUT / (")
    assert inspected[-1].endswith(
        f"; and stage v1 serves deployment {other}, not the stack's own {own}: someone rolled it "
        "back or deployed by hand; `make deploy` points it back"
    )

    said: list[str] = []
    assert standing(cloud, "frozen", said=said) == stack
    assert said[0].startswith(f"stage v1 of stack frozen serves deployment {other}, not the stack")
    assert said[0].endswith(f"own {own}: it is pointed back")
    assert said[1:] == [f"stack frozen is already up: {stack.url}"]
    assert served_deployment(cloud, stack) == own
    assert request("GET", stack.url).body == "8"
    assert put(stack.url).body == WRITTEN


def test_methods_as_written_that_are_not_served_are_a_difference(
    cloud: Cloud, client: Any, stack: Stack
) -> None:
    assert inspect_stack(cloud, stack).equal()
    point(client, stack, deploy(client, stack))
    inspection = inspect_stack(cloud, stack)
    assert inspection.methods_equal()
    assert not inspection.equal()
    assert lines(inspection)[-1].startswith(
        "3 methods, all equal to deploy/template.yml, but NOT served: stage v1 serves deployment "
    )


def test_a_stage_made_later_serves_what_its_deployment_froze(
    client: Any, stack: Stack, change: Change
) -> None:
    early = deploy(client, stack)
    change()
    late = deploy(client, stack)
    for stage, deployment, expected in (("early", early, WRITTEN), ("late", late, BY_HAND)):
        client.create_stage(restApiId=stack.api_id, stageName=stage, deploymentId=deployment)
        assert put(stack.url.replace("/v1/", f"/{stage}/")).body == expected


def test_an_update_moves_a_stage_that_was_pointed_elsewhere(
    cloud: Cloud, client: Any, stack: Stack, change: Change
) -> None:
    """With and without a new deployment of the stack's own."""
    change()
    other = deploy(client, stack)
    point(client, stack, other)
    updated = standing(cloud, "frozen", ReturnValues="UPDATED_OLD")
    assert served_deployment(cloud, updated) == own_deployment(cloud, updated)
    put(updated.url, 7)
    assert request("GET", updated.url).body == "7"


def test_a_stage_that_is_gone_is_a_difference_and_cannot_be_pointed(
    cloud: Cloud, client: Any, stack: Stack
) -> None:
    client.delete_stage(restApiId=stack.api_id, stageName=stack.stage)
    verdict = lines(inspect_stack(cloud, stack))[-1]
    assert "but NOT served: stage v1 serves deployment (none), not the stack's own " in verdict
    with pytest.raises(UserError, match="`make destroy STACK=frozen` and `make deploy` make both"):
        standing(cloud, "frozen")


def test_a_method_made_after_its_deployment_is_not_in_it(
    cloud: Cloud, client: Any, edited: EditTemplate
) -> None:
    """AWS: "AWS::ApiGateway::Deployment": without DependsOn it may be made too early."""
    early = edited(
        ("DependsOn: [PutMethod, GetMethod, ", "DependsOn: [PutMethod, "),
        (
            "  GetMethod:\n    Type: AWS::ApiGateway::Method\n",
            "  GetMethod:\n    Type: AWS::ApiGateway::Method\n    DependsOn: Deployment\n",
        ),
    )
    stack = standing(cloud, "early", early)
    try:
        assert put(stack.url, 1).body == WRITTEN
        reply = request("GET", stack.url)
        assert (reply.status, json.loads(reply.body)) == (
            403,
            {"message": "Missing Authentication Token"},
        )
        deploy(client, stack, stageName=stack.stage)
        assert request("GET", stack.url).body == "2"
    finally:
        remove_stack(cloud, "early", print)


def test_other_regions_and_accounts_do_not_thaw_a_deployment(
    cloud: Cloud, stack: Stack, change: Change
) -> None:
    change()
    for number in range(20):
        elsewhere = replace(cloud, region=f"eu-north-{number}")
        elsewhere.cloudformation().list_stacks()
    assert put(stack.url).body == WRITTEN
    cloud.cloudformation().list_stacks()
    assert put(stack.url).body == WRITTEN
