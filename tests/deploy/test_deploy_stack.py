"""Deploying, finding and removing stacks on the real local cloud."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.stack import (
    TEMPLATE_PATH,
    Stack,
    deploy_stack,
    describe,
    find_stack,
    remove_stack,
    url_of,
)
from history.errors import UserError
from tests.deploy.support import put, request

Edit = Callable[[str, str], Path]

BROKEN = ("ResponseType: DEFAULT_5XX", "ResponseType: DEFAULT_6XX")
"""Turns the template into one whose resource ServerErrors is refused."""
STUCK = """
  Never:
    Type: AWS::CloudFormation::WaitCondition
    DependsOn: Table
    Properties:
      Handle: !Ref Handle
      Timeout: "600"
  Handle:
    Type: AWS::CloudFormation::WaitConditionHandle

Outputs:"""


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """Write the template with one passage replaced."""

    def write(old: str, new: str) -> Path:
        text = TEMPLATE_PATH.read_text()
        assert old in text
        path = tmp_path / "template.yml"
        path.write_text(text.replace(old, new))
        return path

    return write


def status(cloud: Cloud, name: str) -> str | None:
    described = describe(cloud.cloudformation(), name)
    return None if described is None else described["StackStatus"]


def leftovers(cloud: Cloud, name: str) -> list[str]:
    """What of a stack is still there: its tables and APIs carry its name."""
    tables = cloud.dynamodb().list_tables()["TableNames"]
    apis = [api["name"] for api in cloud.apigateway().get_rest_apis()["items"]]
    return [found for found in [*tables, *apis] if found.startswith(name)]


def test_a_second_deployment_replaces_the_first(cloud: Cloud) -> None:
    said: list[str] = []
    first = deploy_stack(cloud, name="twice", parameters={}, say=said.append)
    put(first.url, 5)
    second = deploy_stack(
        cloud, name="twice", parameters={"ReturnValues": "UPDATED_OLD"}, say=said.append
    )
    assert first.api_id != second.api_id
    assert request("GET", first.url).status == 403
    assert request("GET", second.url).status == 409
    assert find_stack(cloud, "twice") == second
    assert "removing stack twice (CREATE_COMPLETE)" in said
    assert "  CREATE_COMPLETE  Table (AWS::DynamoDB::Table)" in said
    assert remove_stack(cloud, "twice", said.append)
    assert leftovers(cloud, "twice") == []


def test_an_absent_stack(cloud: Cloud) -> None:
    assert find_stack(cloud, "absent") is None
    assert remove_stack(cloud, "absent", print) is False


def test_a_failed_resource_is_named_and_nothing_is_left(cloud: Cloud, edited: Edit) -> None:
    broken = edited(*BROKEN)
    said: list[str] = []
    with pytest.raises(UserError) as failure:
        deploy_stack(cloud, name="broken", parameters={}, say=said.append, template_path=broken)
    assert str(failure.value).startswith(
        "stack broken could not be created: ServerErrors (AWS::ApiGateway::GatewayResponse): "
    )
    assert str(failure.value).endswith("; nothing of it is left")
    assert any(line.startswith("  CREATE_FAILED    ServerErrors") for line in said)
    assert status(cloud, "broken") is None
    assert leftovers(cloud, "broken") == []


def test_a_refused_template_is_one_sentence(cloud: Cloud, edited: Edit) -> None:
    refused = edited("AWS::DynamoDB::Table", "AWS::DynamoDB::Tabel")
    with pytest.raises(UserError, match="Tabel"):
        deploy_stack(cloud, name="refused", parameters={}, say=print, template_path=refused)
    assert status(cloud, "refused") is None


def test_a_parameter_that_is_not_allowed_is_one_sentence(cloud: Cloud) -> None:
    with pytest.raises(UserError, match="ReturnValues"):
        deploy_stack(cloud, name="odd", parameters={"ReturnValues": "ALL_NEW"}, say=print)
    assert status(cloud, "odd") is None


@pytest.mark.parametrize("on_failure", ["DO_NOTHING", "ROLLBACK"])
def test_a_stack_that_failed_before_is_not_found_and_is_replaced(
    cloud: Cloud, edited: Edit, on_failure: str
) -> None:
    broken = edited(*BROKEN)
    client = cloud.cloudformation()
    client.create_stack(
        StackName="ruin",
        TemplateBody=broken.read_text(),
        Capabilities=["CAPABILITY_IAM"],
        OnFailure=on_failure,  # type: ignore[arg-type]
    )
    expected = {"DO_NOTHING": "CREATE_FAILED", "ROLLBACK": "ROLLBACK_COMPLETE"}[on_failure]
    assert status(cloud, "ruin") == expected
    assert find_stack(cloud, "ruin") is None
    stack = deploy_stack(cloud, name="ruin", parameters={}, say=print)
    assert request("GET", stack.url).status == 409
    remove_stack(cloud, "ruin", print)


def test_the_url_is_read_by_its_key_whatever_the_order(cloud: Cloud, tmp_path: Path) -> None:
    head, mark, outputs = TEMPLATE_PATH.read_text().partition("\nOutputs:\n")
    entries = re.split(r"\n(?=  \w)", outputs.rstrip())
    path = tmp_path / "template.yml"
    path.write_text(head + mark + "\n".join(reversed(entries)) + "\n")
    stack = deploy_stack(cloud, name="order", parameters={}, say=print, template_path=path)
    assert stack.url.endswith(f"/_aws/execute-api/{stack.api_id}/v1/")
    put(stack.url, 4)
    assert read_counter(cloud, stack) == 4
    remove_stack(cloud, "order", print)


def test_on_aws_the_url_is_the_output_itself() -> None:
    outputs = {"ApiId": "a", "StageName": "v1", "Url": "https://a.execute-api.x.amazonaws.com/v1/"}
    assert url_of(Cloud(region="x"), outputs) == outputs["Url"]
    assert url_of(Cloud(region="x", endpoint_url="http://h:1/"), outputs) == (
        "http://h:1/_aws/execute-api/a/v1/"
    )


def test_the_stage_name_is_a_parameter(cloud: Cloud) -> None:
    stack = deploy_stack(cloud, name="stage", parameters={"StageName": "prod"}, say=print)
    assert (stack.stage, stack.url.rpartition("/prod/")[1]) == ("prod", "/prod/")
    assert put(stack.url).status == 200
    remove_stack(cloud, "stage", print)


def test_a_stack_of_another_template_is_not_taken_for_ours(cloud: Cloud) -> None:
    body = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"
    cloud.cloudformation().create_stack(StackName="other", TemplateBody=body)
    with pytest.raises(UserError, match="stack other has no output ApiId"):
        find_stack(cloud, "other")
    remove_stack(cloud, "other", print)


def test_an_interrupt_in_the_middle_leaves_nothing(cloud: Cloud) -> None:
    def interrupted(line: str) -> None:
        if "CREATE_COMPLETE  Table" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deploy_stack(cloud, name="stopped", parameters={}, say=interrupted)
    assert status(cloud, "stopped") is None
    assert leftovers(cloud, "stopped") == []


def test_an_interrupt_of_the_cleaning_up_says_what_is_left(cloud: Cloud) -> None:
    def interrupted(line: str) -> None:
        if "CREATE_COMPLETE  Table" in line or line.startswith("removing stack"):
            raise KeyboardInterrupt

    with pytest.raises(UserError, match="stack halved is half up; `make destroy STACK=halved`"):
        deploy_stack(cloud, name="halved", parameters={}, say=interrupted)
    assert remove_stack(cloud, "halved", print)


def test_a_creation_that_takes_too_long_is_given_up(cloud: Cloud, edited: Edit) -> None:
    stuck = edited("\nOutputs:", STUCK)
    with pytest.raises(UserError, match=r"creating stack stuck: still CREATE_IN_PROGRESS after"):
        deploy_stack(
            cloud, name="stuck", parameters={}, say=print, template_path=stuck, timeout_s=0.2
        )
    assert status(cloud, "stuck") is None
    assert leftovers(cloud, "stuck") == []


def test_the_hash_is_of_the_template_that_is_deployed(new: Stack, old: Stack) -> None:
    expected = hashlib.sha256(TEMPLATE_PATH.read_bytes()).hexdigest()
    assert {new.template_sha256, old.template_sha256} == {expected}
