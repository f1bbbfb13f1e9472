"""The controls: GET and PUT /unsafe, with which an update can be lost through the real API."""

import json
from typing import Any

import pytest

from deploy import serving
from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.creation import deploy_stack
from deploy.deployer import bring_up, parameters_of
from deploy.inspection import inspect_stack, lines
from deploy.probe import Patience
from deploy.serving import own_deployment, served_deployment
from deploy.stack import Stack
from history.errors import UserError
from history.operation import Returns
from tests.deploy.support import EditTemplate, put, request, standing

pytestmark = pytest.mark.both_engines

JSON_TYPE = {"Content-Type": "application/json"}
ASKED = {controls: parameters_of(Returns.NEW, controls=controls) for controls in (False, True)}
SAYS_SO = """\
  Controls:
    Description: Whether GET and PUT unsafe are there, true or false
    Value: !Ref DeployControls
"""


def test_a_command_says_whether_it_wants_controls_and_by_default_it_does_not() -> None:
    assert parameters_of(Returns.OLD) == {"ReturnValues": "UPDATED_OLD", "DeployControls": "false"}
    assert ASKED[True] == {"ReturnValues": "UPDATED_NEW", "DeployControls": "true"}


@pytest.mark.parametrize(
    "value", [0, 1, -7, 2**53 + 1, int("9" * 38), -int("9" * 38)], ids=lambda value: f"{value}"
)
def test_a_read_answers_only_the_number_that_was_written(unsafe: Stack, value: int) -> None:
    assert unsafe.controls
    written = put(unsafe.unsafe_url, value)
    assert (written.status, written.body) == (200, '{"ok":true}')
    read = request("GET", unsafe.unsafe_url)
    assert (read.status, read.body) == (200, str(value))


def test_the_controls_and_the_other_methods_have_one_counter(cloud: Cloud, unsafe: Stack) -> None:
    put(unsafe.url, 4)
    assert request("GET", unsafe.unsafe_url).body == "4"
    assert request("GET", unsafe.url).body == "5"
    assert request("GET", unsafe.unsafe_url).body == "5"
    assert request("PUT", unsafe.unsafe_url).body == '{"ok":true}'
    assert request("GET", unsafe.url).body == "2"
    assert read_counter(cloud, unsafe) == 2


@pytest.mark.parametrize(
    "body",
    ['{"value":"5"}', '{"value":1.5}', '{"value":' + "9" * 39 + "}", "5", '{"value":5'],
    ids=["string", "fraction", "39 digits", "bare number", "cut off"],
)
def test_a_bad_write_is_400_and_changes_nothing(cloud: Cloud, unsafe: Stack, body: str) -> None:
    put(unsafe.url, 41)
    reply = request("PUT", unsafe.unsafe_url, body, JSON_TYPE)
    assert reply.status == 400
    assert json.loads(reply.body)["type"] == "ValidationException"
    assert read_counter(cloud, unsafe) == 41


def test_a_read_before_any_put_is_an_error_and_makes_no_counter(cloud: Cloud, name: str) -> None:
    """AWS: "GetItem": without such an item there is a 200 and no Item in it."""
    fresh = deploy_stack(cloud, name=name, parameters=ASKED[True], say=print)
    replies = [request("GET", url) for url in (fresh.url, fresh.unsafe_url)]
    assert [reply.status for reply in replies] == [409, 409]
    answers = [json.loads(reply.body) for reply in replies]
    assert answers[0] == answers[1]
    assert answers[0]["type"] == "ConditionalCheckFailedException"
    with pytest.raises(UserError, match="has no counter yet"):
        read_counter(cloud, fresh)


def test_every_answer_forbids_caching(unsafe: Stack) -> None:
    put(unsafe.url)
    replies = [
        request("GET", unsafe.unsafe_url),
        put(unsafe.unsafe_url, 1),
        request("PUT", unsafe.unsafe_url, "x", JSON_TYPE),
        request("PUT", unsafe.unsafe_url, "x", {"Content-Type": "text/plain"}),
        request("POST", unsafe.unsafe_url),
    ]
    assert [reply.status for reply in replies] == [200, 200, 400, 415, 403]
    assert {reply.headers["cache-control"] for reply in replies} == {"no-store"}


def test_without_controls_they_are_an_unknown_path(new: Stack) -> None:
    assert not new.controls
    unknown = request("GET", new.url + "nowhere")
    assert unknown.status == 403
    for method in ("GET", "PUT"):
        reply = request(method, new.unsafe_url)
        assert (reply.status, reply.body) == (403, unknown.body)


def test_two_clients_that_read_then_write_lose_an_update_and_two_gets_do_not(
    cloud: Cloud, unsafe: Stack
) -> None:
    """The race itself, one step after the other: read, read, write, write."""
    put(unsafe.url, 7)
    read = [int(request("GET", unsafe.unsafe_url).body) for _client in range(2)]
    handed_out = [value + 1 for value in read]
    written = [put(unsafe.unsafe_url, value).status for value in handed_out]
    assert written == [200, 200]
    assert handed_out == [8, 8]
    assert read_counter(cloud, unsafe) == 8

    put(unsafe.url, 7)
    assert [request("GET", unsafe.url).body for _client in range(2)] == ["8", "9"]
    assert read_counter(cloud, unsafe) == 9


def allowed(cloud: Cloud, stack: Stack) -> Any:
    """What a stack's role may do, and to what."""
    client: Any = cloud._session().client(
        "iam", region_name=cloud.region, endpoint_url=cloud.endpoint_url
    )
    role = stack.role_arn.rpartition("/")[2]
    (policy,) = client.list_role_policies(RoleName=role)["PolicyNames"]
    document = client.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    (statement,) = document["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Resource"].endswith(f":table/{stack.table_name}")
    return statement["Action"]


def require_as_asked(cloud: Cloud, stack: Stack, *, controls: bool) -> None:
    """Compare all that tells whether a stack has controls, down to what it serves."""
    assert stack.controls is controls
    read = request("GET", stack.unsafe_url)
    assert (read.status, read.body.isdigit()) == ((200, True) if controls else (403, False))
    assert put(stack.unsafe_url, 5).status == (200 if controls else 403)
    writes = ["dynamodb:PutItem", "dynamodb:UpdateItem"]
    assert allowed(cloud, stack) == (writes + ["dynamodb:GetItem"] * controls)
    inspection = inspect_stack(cloud, stack)
    assert lines(inspection)[-1] == (
        f"{5 if controls else 3} methods, all equal to deploy/template.yml"
    )
    assert ("/unsafe" in {method.path for method in inspection.methods}) is controls
    paths = cloud.apigateway().get_resources(restApiId=stack.api_id)["items"]
    assert ("/unsafe" in {resource["path"] for resource in paths}) is controls
    found = cloud.apigateway().get_deployments(restApiId=stack.api_id)["items"]
    assert [deployment["id"] for deployment in found] == [own_deployment(cloud, stack)]
    assert served_deployment(cloud, stack) == own_deployment(cloud, stack)


@pytest.mark.parametrize("first", [False, True], ids=["from without", "from with"])
def test_a_stack_gets_and_loses_its_controls_in_place(
    cloud: Cloud, name: str, *, first: bool
) -> None:
    """AWS: "Condition attribute", "DependsOn attribute"."""
    stack = bring_up(cloud, name=name, parameters=ASKED[first], say=print)
    put(stack.url, 5)
    require_as_asked(cloud, stack, controls=first)
    for controls in (not first, first):
        said: list[str] = []
        counter = read_counter(cloud, stack)
        changed = bring_up(cloud, name=name, parameters=ASKED[controls], say=said.append)
        found, asked = (str(value).lower() for value in (not controls, controls))
        assert said[0] == (
            f"stack {name} has DeployControls {found}, asked for is {asked}: it is updated in place"
        )
        assert read_counter(cloud, changed) == counter
        assert (changed.url, changed.table_name) == (stack.url, stack.table_name)
        assert changed.deployment == changed.deployment_due != stack.deployment
        require_as_asked(cloud, changed, controls=controls)
        again = bring_up(cloud, name=name, parameters=ASKED[controls], say=said.append)
        assert said[-1] == f"stack {name} is already up: {changed.url}"
        assert again == changed
        stack = changed


def test_a_stack_that_does_not_say_so_has_none_until_it_is_updated(
    cloud: Cloud, edited: EditTemplate, name: str
) -> None:
    early = standing(cloud, name, edited((SAYS_SO, "")))
    assert not early.controls
    put(early.url, 5)
    updated = bring_up(cloud, name=name, parameters=ASKED[True], say=print)
    assert read_counter(cloud, updated) == 5
    require_as_asked(cloud, updated, controls=True)


def test_controls_that_do_not_serve_are_waited_for_and_said(
    cloud: Cloud, edited: EditTemplate, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "NEAR", Patience(timeout_s=0.2, answers=1, spread_s=0.0))
    elsewhere = edited(("PathPart: unsafe", "PathPart: danger"))
    with pytest.raises(UserError, match=r"/unsafe does not serve after 0.2 s: .* was 403"):
        standing(cloud, name, elsewhere, DeployControls="true")
