"""A stack of ours that differs is updated in place, and serves a new deployment if its API changed.

AWS: "AWS::ApiGateway::Deployment", "Understand update behaviors of stack resources".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from deploy import update
from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.removal import remove_stack
from deploy.serving import own_deployment, served_deployment
from deploy.stack import OUR_TAG, Stack, await_settled, find_stack
from deploy.template import template_text
from history.errors import UserError
from tests.deploy.support import DONE, EditTemplate, Reply, put, request, standing

TEXT = template_text()
METHOD = re.compile(r"  DecrementMethod:\n(?:    .*\n|\n(?=    ))+")
(DECREMENT,) = METHOD.findall(TEXT)


def deployments(cloud: Cloud, stack: Stack) -> set[str]:
    found = cloud.apigateway().get_deployments(restApiId=stack.api_id)["items"]
    return {deployment["id"] for deployment in found}


def events(cloud: Cloud, name: str) -> list[str]:
    """What completed in an update of a stack so far, oldest first."""
    pages = cloud.cloudformation().get_paginator("describe_stack_events").paginate(StackName=name)
    found = [
        event["LogicalResourceId"]
        for page in pages
        for event in page["StackEvents"]
        if event["ResourceStatus"] == "UPDATE_COMPLETE"
    ]
    return found[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request, and what of its answer an update is to change."""

    method: str
    path: str = ""
    of: Callable[[Reply], object] = lambda reply: reply.status
    before: object
    after: object


def body(reply: Reply) -> object:
    return reply.body


def cache_control(reply: Reply) -> object:
    return reply.headers.get("cache-control")


MORE = DECREMENT.replace("DecrementMethod", "More").replace(
    "      HttpMethod: POST", "      HttpMethod: GET"
)


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("passages", "parameters", "asks"),
    [
        pytest.param(
            [],
            {"ReturnValues": "UPDATED_OLD"},
            [Ask(method="GET", of=body, before="6", after="5")],
            id="a parameter",
        ),
        pytest.param(
            [
                DONE,
                ('":step":{"N":"1"}', '":step":{"N":"7"}'),
                ("header.Cache-Control: \"'no-store'\"}\n\n", "header.x: \"'y'\"}\n\n"),
                ("  # A deployment is a", MORE + "\n  # A deployment is a"),
            ],
            {},
            [
                Ask(method="PUT", of=body, before='{"ok":true}', after='{"ok":"new"}'),
                Ask(method="GET", of=body, before="2", after="8"),
                Ask(method="GET", path="nowhere", of=cache_control, before="no-store", after=None),
                Ask(method="GET", path="decrement", before=403, after=200),
            ],
            id="templates, a gateway response, and a method more that nothing waits for",
        ),
        pytest.param(
            [
                ('SelectionPattern: "200"', 'SelectionPattern: "299"'),
                ("HttpMethod: POST\n      A", "HttpMethod: PATCH\n      A"),
            ],
            {},
            [
                Ask(method="GET", before=200, after=502),
                Ask(method="POST", path="decrement", before=200, after=403),
                Ask(method="PATCH", path="decrement", before=403, after=502),
            ],
            id="integration responses, and a method replaced",
        ),
        pytest.param(
            [(DECREMENT, ""), ("DecrementMethod, ", ""), ("PathPart: decrement", "PathPart: down")],
            {},
            [Ask(method="POST", path="decrement", before=200, after=403)],
            id="a method less, and a path replaced",
        ),
    ],
)
def test_a_changed_api_is_served_and_the_counter_stays(
    cloud: Cloud,
    edited: EditTemplate,
    name: str,
    *,
    passages: list[tuple[str, str]],
    parameters: dict[str, str],
    asks: list[Ask],
) -> None:
    def seen(stack: Stack) -> list[object]:
        """Ask with the counter at 5 whatever was asked before."""
        cloud.dynamodb().put_item(
            TableName=stack.table_name, Item={"id": {"S": "counter"}, "tally": {"N": "5"}}
        )
        return [ask.of(request(ask.method, stack.url + ask.path)) for ask in asks]

    first = standing(cloud, name)
    assert seen(first) == [ask.before for ask in asks]
    kept = read_counter(cloud, first)
    happened = events(cloud, name)
    said: list[str] = []
    second = standing(cloud, name, edited(*passages), said, **parameters)
    assert read_counter(cloud, second) == kept
    assert (second.url, second.table_name) == (first.url, first.table_name)
    assert second.deployment == second.deployment_due != first.deployment
    assert deployments(cloud, second) == {own_deployment(cloud, second)}
    assert served_deployment(cloud, second) == own_deployment(cloud, second)
    assert seen(second) == [ask.after for ask in asks]
    assert said[0].startswith(f"stack {name} ")
    assert said[0].endswith(": it is updated in place")
    assert f"  UPDATE_COMPLETE  {second.deployment} (AWS::ApiGateway::Deployment)" in said
    assert said[-1] == f"stack {name} is updated: {second.url}"

    # The deployment is made when all else, removals included, is done.
    happened = events(cloud, name)[len(happened) :]
    first_end = happened.index(name)
    assert {"PutMethod", "GetMethod", "Stage"} <= set(happened[:first_end])
    assert second.deployment not in happened[:first_end]
    assert second.deployment in happened[first_end:]


@pytest.mark.parametrize(
    ("passages", "changed"),
    [
        pytest.param(
            [
                ("Value: !Ref ReturnValues", "Value: !Sub '${ReturnValues}'"),
                ("      BillingMode:", "      Tags: [{Key: a, Value: b}]\n      BillingMode:"),
                ("Name: !Ref StageName\n", "Name: !Ref StageName\n      Variables: {a: b}\n"),
            ],
            True,
            id="an output, the table's tag, a stage variable",
        ),
        pytest.param([("# What the gateway", "# Whatever the gateway")], False, id="a comment"),
    ],
)
def test_a_change_outside_the_api_makes_no_deployment(
    cloud: Cloud, edited: EditTemplate, name: str, passages: list[tuple[str, str]], *, changed: bool
) -> None:
    first = standing(cloud, name)
    before = deployments(cloud, first)
    said: list[str] = []
    second = standing(cloud, name, edited(*passages), said)
    why = "was made from another deploy/template.yml"
    assert said[0] == f"stack {name} {why}: it is updated in place"
    assert second.deployment == first.deployment
    assert deployments(cloud, second) == before
    assert (second.template_sha256 != first.template_sha256) is changed
    assert (f"stack {name}: CloudFormation finds nothing to change in it" in said) is not changed
    stage = cloud.apigateway().get_stage(restApiId=second.api_id, stageName=second.stage)
    assert stage.get("variables", {}) == ({"a": "b"} if changed else {})


def test_the_stage_gets_another_name(cloud: Cloud, name: str) -> None:
    first = standing(cloud, name)
    put(first.url, 7)
    second = standing(cloud, name, StageName="prod")
    assert request("GET", second.url).body == "8"
    assert request("GET", first.url).status == 403
    assert second.deployment == first.deployment


def test_a_stack_of_ours_from_before_deployments_had_names(cloud: Cloud) -> None:
    client = cloud.cloudformation()
    client.create_stack(
        StackName="early", TemplateBody=TEXT, Capabilities=["CAPABILITY_IAM"], Tags=[OUR_TAG]
    )
    await_settled(cloud, "early", print)
    found = find_stack(cloud, "early")
    assert found is not None
    assert found.deployment == "Deployment"
    said: list[str] = []
    stack = standing(cloud, "early", said=said)
    assert said[0] == "stack early has an API that is not deployed yet: it is updated in place"
    assert stack.deployment == stack.deployment_due != "Deployment"
    assert stack.template_sha256 == found.template_sha256
    remove_stack(cloud, "early", print)


def test_a_stack_that_is_not_ours_is_used_if_equal_and_refused_if_not(
    cloud: Cloud, edited: EditTemplate
) -> None:
    client = cloud.cloudformation()
    client.create_stack(StackName="by-hand", TemplateBody=TEXT, Capabilities=["CAPABILITY_IAM"])
    client.get_waiter("stack_create_complete").wait(
        StackName="by-hand", WaiterConfig={"Delay": 0, "MaxAttempts": 1000}
    )
    said: list[str] = []
    stack = standing(cloud, "by-hand", said=said)
    assert said[0].startswith("stack by-hand was not made by gapless: it is used as it is")
    assert said[1:] == [f"stack by-hand is already up: {stack.url}"]
    with pytest.raises(UserError, match="by-hand was not made by gapless, so it is not touched"):
        standing(cloud, "by-hand", edited(DONE))
    with pytest.raises(UserError, match="by-hand was not made by gapless, so it is not touched"):
        update.update_stack(cloud, stack, parameters={}, say=print, template_path=edited(DONE))
    assert find_stack(cloud, "by-hand") == stack
    client.delete_stack(StackName="by-hand")
