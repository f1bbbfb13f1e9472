"""Updates that fail, hang or are interrupted: what is served then, and what is said."""

import re
from dataclasses import replace
from typing import Any

import pytest

from deploy import update
from deploy.cloud import Cloud
from deploy.deployer import bring_up, deviation
from deploy.inspection import inspect_stack, lines
from deploy.progress import describe
from deploy.stack import Stack, await_settled, find_stack
from history.errors import UserError
from tests.deploy.support import BROKEN, DONE, STUCK, EditTemplate, put, request, standing, status


def test_a_failed_update_leaves_everything_as_it_was(
    cloud: Cloud, edited: EditTemplate, name: str
) -> None:
    first = standing(cloud, name)
    put(first.url, 7)
    with pytest.raises(UserError) as failure:
        standing(cloud, name, edited(DONE, BROKEN))
    assert str(failure.value).startswith(
        f"stack {name} could not be updated: ServerErrors (AWS::ApiGateway::GatewayResponse): "
    )
    assert str(failure.value).endswith("; it is as it was before")
    assert status(cloud, name) == "UPDATE_ROLLBACK_COMPLETE"
    assert find_stack(cloud, name) == first
    assert inspect_stack(cloud, first).equal()
    assert request("GET", first.url).body == "8"
    assert put(first.url).body == '{"ok":true}'
    said: list[str] = []
    assert standing(cloud, name, said=said) == first
    assert said == [f"stack {name} is already up: {first.url}"]


def test_a_deployment_that_fails_leaves_the_old_api_served(
    cloud: Cloud, edited: EditTemplate, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = standing(cloud, name)
    path = edited(DONE)
    with monkeypatch.context() as broken:
        to_send = update.to_send
        broken.setattr(update, "to_send", lambda *given: to_send(*given).replace(*BROKEN))
        with pytest.raises(UserError) as failure:
            standing(cloud, name, path)
    assert "was updated, but its API could not be deployed: ServerErrors (" in str(failure.value)
    assert str(failure.value).endswith(
        "still serves the API as it was before; `make deploy` tries again"
    )
    assert put(first.url).body == '{"ok":true}'
    halved = find_stack(cloud, name)
    assert halved is not None
    assert deviation(halved, path.read_text(), {}) == "has an API that is not deployed yet"
    inspected = inspect_stack(cloud, halved)
    assert not inspected.equal()
    assert lines(inspected)[-1].endswith(
        "made before the API was last changed: an update was cut short; `make deploy` completes it"
    )
    standing(cloud, name, path)
    assert put(first.url).body == '{"ok":"new"}'


def test_an_update_that_cannot_be_taken_back_says_so(
    cloud: Cloud, edited: EditTemplate, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing(cloud, name)
    with monkeypatch.context() as pretending:
        pretending.setattr(update, "wait", lambda *_given, **_named: "UPDATE_ROLLBACK_FAILED")
        with pytest.raises(UserError, match="it is UPDATE_ROLLBACK_FAILED: `make deploy`"):
            standing(cloud, name, edited(DONE))
    await_settled(cloud, name, print)


def test_an_update_that_takes_too_long_goes_on_by_itself(
    cloud: Cloud, edited: EditTemplate
) -> None:
    stack = standing(cloud, "slow")
    with pytest.raises(
        UserError, match=r"still UPDATE_IN_PROGRESS after 0\.1 s; CloudFormation goes on"
    ):
        update.update_stack(
            cloud,
            stack,
            parameters={},
            say=print,
            template_path=edited(("\nOutputs:", STUCK)),
            timeout_s=0.1,
        )
    assert status(cloud, "slow") == "UPDATE_IN_PROGRESS"
    assert request("GET", stack.url).status == 409
    cloud.cloudformation().delete_stack(StackName="slow")


def test_an_interrupted_update_says_how_it_stands_and_is_completed(
    cloud: Cloud, edited: EditTemplate, name: str
) -> None:
    first = standing(cloud, name)
    said: list[str] = []

    def interrupted(line: str) -> None:
        said.append(line)
        if "UPDATE_COMPLETE  GetMethod" in line:
            raise KeyboardInterrupt

    path = edited(DONE)
    with pytest.raises(KeyboardInterrupt):
        bring_up(cloud, name=name, parameters={}, say=interrupted, template_path=path)
    assert re.match(
        rf"stack {name} is UPDATE_(COMPLETE|IN_PROGRESS): CloudFormation ends", said[-1]
    )
    assert put(first.url).body == '{"ok":true}'
    standing(cloud, name, path, said)
    assert put(first.url).body == '{"ok":"new"}'


def test_what_an_update_replaced_may_still_be_going(
    cloud: Cloud, edited: EditTemplate, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing(cloud, name)
    cleaning = ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]

    def pretending(client: Any, stack: str) -> Any:
        found = describe(client, stack)
        return {**found, "StackStatus": cleaning.pop()} if cleaning and found else found

    monkeypatch.setattr(update, "describe", pretending)
    said: list[str] = []
    standing(cloud, name, edited(DONE), said)
    assert f"stack {name} is UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: waiting for that to end" in said


def test_a_stack_that_vanishes_is_said_to_be_gone(cloud: Cloud, new: Stack) -> None:
    with pytest.raises(UserError, match="stack gone is gone; `make deploy` makes it anew"):
        update.update_stack(cloud, replace(new, name="gone"), parameters={}, say=print)
