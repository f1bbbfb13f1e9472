"""Deploying, finding and removing stacks on the real local cloud."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy import deployer, removal, serving
from deploy import stack as stacks
from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.creation import deploy_stack
from deploy.deployer import deviation
from deploy.probe import CHANGED, FAR, NEAR, Patience
from deploy.progress import describe
from deploy.removal import clean_up, remove_stack
from deploy.serving import patience_for
from deploy.stack import OUR_TAG, Stack, await_settled, find_stack, url_of
from deploy.template import TEMPLATE_PATH, sha256_of, template_text
from history.errors import UserError
from tests.deploy.support import BROKEN, STUCK, EditTemplate, put, request
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.both_engines


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


def test_a_failed_resource_is_named_and_nothing_is_left(cloud: Cloud, edited: EditTemplate) -> None:
    broken = edited(BROKEN)
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


def test_a_refused_template_is_one_sentence(cloud: Cloud, edited: EditTemplate) -> None:
    refused = edited(("AWS::DynamoDB::Table", "AWS::DynamoDB::Tabel"))
    with pytest.raises(UserError, match="Tabel"):
        deploy_stack(cloud, name="refused", parameters={}, say=print, template_path=refused)
    assert status(cloud, "refused") is None


def test_a_parameter_that_is_not_allowed_is_one_sentence(cloud: Cloud) -> None:
    with pytest.raises(UserError, match="ReturnValues"):
        deploy_stack(cloud, name="odd", parameters={"ReturnValues": "ALL_NEW"}, say=print)
    assert status(cloud, "odd") is None


@pytest.mark.parametrize("on_failure", ["DO_NOTHING", "ROLLBACK"])
def test_a_stack_that_failed_before_is_not_found_and_is_replaced(
    cloud: Cloud, edited: EditTemplate, on_failure: str
) -> None:
    broken = edited(BROKEN)
    client = cloud.cloudformation()
    client.create_stack(
        StackName="ruin",
        TemplateBody=broken.read_text(),
        Capabilities=["CAPABILITY_IAM"],
        OnFailure=on_failure,  # type: ignore[arg-type]
        Tags=[OUR_TAG],
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


def test_patience_grows_with_the_distance_and_after_a_change() -> None:
    near, far = Cloud(region="x", endpoint_url="http://127.0.0.1:1"), Cloud(region="x")
    assert {patience_for(near), patience_for(near, changed=True)} == {NEAR}
    assert (patience_for(far), patience_for(far, changed=True)) == (FAR, CHANGED)


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
    cloud.cloudformation().delete_stack(StackName="other")


FOREIGN = "stack theirs was not made by gapless, so it is not touched; choose another name with"


@pytest.fixture
def theirs(cloud: Cloud) -> Iterator[str]:
    """A stack that someone else made, of our template even, with a tag of their own."""
    client = cloud.cloudformation()
    client.create_stack(
        StackName="theirs",
        TemplateBody=TEMPLATE_PATH.read_text(),
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "made-by", "Value": "someone else"}],
    )
    client.get_waiter("stack_create_complete").wait(
        StackName="theirs", WaiterConfig={"Delay": 0, "MaxAttempts": 1000}
    )
    yield "theirs"
    client.delete_stack(StackName="theirs")


def test_a_stack_that_we_did_not_make_is_not_touched(cloud: Cloud, theirs: str) -> None:
    for attempt in (
        lambda: remove_stack(cloud, theirs, print),
        lambda: deploy_stack(cloud, name=theirs, parameters={}, say=print),
        lambda: clean_up(cloud, theirs, None, print),
    ):
        with pytest.raises(UserError, match=FOREIGN):
            attempt()
    assert status(cloud, theirs) == "CREATE_COMPLETE"


Describe = Callable[[Any, str], Any]


def described_as(monkeypatch: pytest.MonkeyPatch, *statuses: str) -> None:
    """Let the next descriptions of a stack have these statuses, and all later ones the truth."""
    pending = list(statuses)

    def pretending(client: Any, name: str) -> Any:
        found = describe(client, name)
        return {**found, "StackStatus": pending.pop(0)} if pending and found else found

    for module in (stacks, removal):
        monkeypatch.setattr(module, "describe", pretending)


@pytest.mark.parametrize(
    ("state", "usable"),
    [
        ("CREATE_COMPLETE", True),
        ("UPDATE_COMPLETE", True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True),
        ("UPDATE_ROLLBACK_COMPLETE", True),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", True),
        ("IMPORT_COMPLETE", True),
        ("IMPORT_ROLLBACK_COMPLETE", True),
        ("CREATE_IN_PROGRESS", False),
        ("CREATE_FAILED", False),
        ("ROLLBACK_COMPLETE", False),
        ("ROLLBACK_FAILED", False),
        ("ROLLBACK_IN_PROGRESS", False),
        ("UPDATE_IN_PROGRESS", False),
        ("UPDATE_FAILED", False),
        ("UPDATE_ROLLBACK_FAILED", False),
        ("DELETE_IN_PROGRESS", False),
        ("DELETE_FAILED", False),
        ("REVIEW_IN_PROGRESS", False),
        ("IMPORT_IN_PROGRESS", False),
        ("IMPORT_ROLLBACK_FAILED", False),
    ],
)
def test_usable_states(
    cloud: Cloud, new: Stack, monkeypatch: pytest.MonkeyPatch, state: str, *, usable: bool
) -> None:
    described_as(monkeypatch, state)
    assert (find_stack(cloud, new.name) == new) is usable


@pytest.mark.parametrize("state", ["CREATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_what_is_in_progress_is_waited_for_before_the_removal(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    deploy_stack(cloud, name="busy", parameters={}, say=print)
    described_as(monkeypatch, state)
    said: list[str] = []
    assert remove_stack(cloud, "busy", said.append)
    assert said[:2] == [
        f"stack busy is {state}: waiting for that to end",
        "removing stack busy (CREATE_COMPLETE)",
    ]
    assert status(cloud, "busy") is None


def test_what_does_not_end_is_not_removed(cloud: Cloud, edited: EditTemplate) -> None:
    client = cloud.cloudformation()
    stuck = edited(("\nOutputs:", STUCK)).read_text()
    client.create_stack(
        StackName="endless", TemplateBody=stuck, Capabilities=["CAPABILITY_IAM"], Tags=[OUR_TAG]
    )
    with pytest.raises(UserError, match="waiting for stack endless: still CREATE_IN_PROGRESS"):
        remove_stack(cloud, "endless", print, timeout_s=0.1)
    assert status(cloud, "endless") == "CREATE_IN_PROGRESS"

    def removed_meanwhile(line: str) -> None:
        if "waiting" in line:
            client.delete_stack(StackName="endless")

    assert await_settled(cloud, "endless", removed_meanwhile) is None
    assert leftovers(cloud, "endless") == []


def test_a_change_set_under_review_is_refused(
    cloud: Cloud, new: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    described_as(monkeypatch, "REVIEW_IN_PROGRESS")
    with pytest.raises(UserError, match="stack new is REVIEW_IN_PROGRESS: someone is preparing"):
        remove_stack(cloud, new.name, print)


def test_a_stack_that_never_serves_is_left_and_not_called_up(
    cloud: Cloud, edited: EditTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "NEAR", Patience(timeout_s=0.0, answers=1, spread_s=0.0))
    deaf = edited(("SelectionPattern: 4\\d{2}", "SelectionPattern: '499'"))
    with pytest.raises(UserError) as failure:
        deploy_stack(cloud, name="deaf", parameters={}, say=print, template_path=deaf)
    sentence = str(failure.value)
    assert sentence.startswith("stack deaf is there, but http://127.0.0.1:")
    assert 'its last answer was 502 {"type":"BackendUnexpected"' in sentence
    assert "`make destroy STACK=deaf` removes it" in sentence
    assert status(cloud, "deaf") == "CREATE_COMPLETE"
    assert remove_stack(cloud, "deaf", print)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param({}, None, id="the defaults"),
        pytest.param({"ReturnValues": "UPDATED_NEW", "StageName": "v1"}, None, id="all named"),
        pytest.param(
            {"ReturnValues": "UPDATED_OLD"},
            "has ReturnValues UPDATED_NEW, asked for is UPDATED_OLD",
            id="another mode",
        ),
        pytest.param({"StageName": "v2"}, "has StageName v1, asked for is v2", id="another stage"),
    ],
)
def test_deviation(new: Stack, parameters: dict[str, str], expected: str | None) -> None:
    assert deviation(new, template_text(), parameters) == expected


def test_another_template_is_a_deviation(new: Stack) -> None:
    edited = replace(new, template_sha256="0" * 64)
    assert deviation(edited, template_text(), {}) == "was made from another deploy/template.yml"


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


def test_a_creation_that_takes_too_long_is_given_up(cloud: Cloud, edited: EditTemplate) -> None:
    stuck = edited(("\nOutputs:", STUCK))
    with pytest.raises(UserError, match=r"creating stack stuck: still CREATE_IN_PROGRESS after"):
        deploy_stack(
            cloud, name="stuck", parameters={}, say=print, template_path=stuck, timeout_s=0.2
        )
    assert status(cloud, "stuck") is None
    assert leftovers(cloud, "stuck") == []


def test_the_hash_is_of_the_bytes_whatever_the_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "template.yml"
    path.write_bytes(b"a: 1\r\nb: 2\n\n")
    assert sha256_of(template_text(path)) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_hash_is_of_the_template_that_is_deployed(new: Stack, old: Stack) -> None:
    expected = hashlib.sha256(TEMPLATE_PATH.read_bytes()).hexdigest()
    assert {new.template_sha256, old.template_sha256, sha256_of(template_text())} == {expected}


def test_two_that_create_the_same_stack_at_once_get_the_same_one(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "together"
    both_looked = threading.Barrier(2)
    looked: set[int] = set()

    def find_and_wait(cloud: Cloud, name: str) -> Stack | None:
        found = find_stack(cloud, name)
        if threading.get_ident() not in looked:
            looked.add(threading.get_ident())
            both_looked.wait(PATIENCE_S)
        return found

    monkeypatch.setattr(deployer, "find_stack", find_and_wait)
    said: list[str] = []
    parameters = {"ReturnValues": "UPDATED_NEW"}
    with ThreadPoolExecutor(2) as pool:
        results = [
            pool.submit(deployer.bring_up, cloud, name=name, parameters=parameters, say=said.append)
            for _ in range(2)
        ]
        first, second = (result.result() for result in results)
    assert first == second
    assert f"stack {name} is being created by another command: it is waited for" in said
    assert request("GET", first.url).status == 409
