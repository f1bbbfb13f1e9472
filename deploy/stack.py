"""Deploying, finding and removing the stack. The same code for AWS and for every emulator."""

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from botocore.exceptions import ClientError

from deploy.cloud import Cloud, aws_errors, is_loopback
from deploy.probe import await_serving
from history.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef, TagTypeDef

TEMPLATE_PATH = Path(__file__).with_name("template.yml")
CREATE_TIMEOUT_S = 600
DELETE_TIMEOUT_S = 600
POLL_MAX_S = 3.0
SERVING_TIMEOUT_S = 60.0
LOCAL_SERVING_TIMEOUT_S = 5.0
USABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    }
)
CANCELLED = "Resource creation cancelled"
TAG: "TagTypeDef" = {"Key": "made-by", "Value": "gapless"}

Say = Callable[[str], None]
Returns = Literal["new", "old"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack; every value is read from what is deployed."""

    name: str
    url: str
    """Where PUT and GET go, with a trailing slash."""
    api_id: str
    stage: str
    table_name: str
    role_arn: str
    returns: Returns
    """Whether GET answers the value after its increment or the one before it."""
    template_sha256: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Progress:
    """The events of one operation on one stack, oldest first, each told once."""

    client: "CloudFormationClient"
    stack_id: str
    say: Say
    seen: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def skip_past(self) -> None:
        """Take what has happened so far as known."""
        self.seen.update(event["EventId"] for event in self._events())

    def tell(self) -> None:
        """Print each resource that came up, went or failed since the last time."""
        for event in reversed(
            [event for event in self._events() if event["EventId"] not in self.seen]
        ):
            self.seen.add(event["EventId"])
            self._tell_one(event)

    def _tell_one(self, event: "StackEventTypeDef") -> None:
        status = event.get("ResourceStatus", "")
        name = event.get("LogicalResourceId", "?")
        kind = event.get("ResourceType", "?")
        reason = " ".join(event.get("ResourceStatusReason", "").split())
        itself = kind == "AWS::CloudFormation::Stack"
        if status.endswith("_FAILED") and CANCELLED not in reason:
            self.say(f"  {status:<16} {name} ({kind}): {reason}")
            sentence = f"{name} ({kind}): {reason or status}"
            # A resource's own failure says more than the stack's summary of it.
            if itself:
                self.failures.append(sentence)
            else:
                at = sum(" (AWS::CloudFormation::Stack): " not in old for old in self.failures)
                self.failures.insert(at, sentence)
        elif status.endswith("_COMPLETE") and not itself:
            self.say(f"  {status:<16} {name} ({kind})")

    def _events(self) -> "Iterator[StackEventTypeDef]":
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=self.stack_id)
        for page in pages:
            yield from page["StackEvents"]


def deploy_stack(
    cloud: Cloud,
    *,
    name: str,
    parameters: Mapping[str, str],
    say: Say,
    template_path: Path = TEMPLATE_PATH,
    timeout_s: float = CREATE_TIMEOUT_S,
) -> Stack:
    """Deploy the template as a new stack, after removing any old one of that name.

    Raises UserError naming the first resource that failed and why; whatever was half up is then
    removed. An interrupt removes it as well.
    """
    body = template_path.read_text()
    remove_stack(cloud, name, say)
    client = cloud.cloudformation()
    say(f"creating stack {name} in {cloud.endpoint_url or cloud.region}")
    doing = f"creating stack {name}"
    stack_id = None
    try:
        stack_id = create(client, name, body, parameters)
        progress = Progress(client=client, stack_id=stack_id, say=say)
        status = wait(client, progress, stack_id, doing=doing, timeout_s=timeout_s)
    except KeyboardInterrupt:
        clean_up(cloud, name, say)
        raise
    except UserError:
        if stack_id is not None:  # else it is not ours: CreateStack itself was refused
            clean_up(cloud, name, say)
        raise
    if status != "CREATE_COMPLETE":
        clean_up(cloud, name, say)
        why = progress.failures[0] if progress.failures else f"it ended as {status}"
        raise UserError(f"stack {name} could not be created: {why}; nothing of it is left")
    found = find_stack(cloud, name)
    if found is None:
        raise UserError(f"stack {name} was created and is gone again; run `make deploy` once more")
    serving_s = LOCAL_SERVING_TIMEOUT_S if is_loopback(cloud.endpoint_url) else SERVING_TIMEOUT_S
    await_serving(found.url, say, timeout_s=serving_s)
    return found


def create(
    client: "CloudFormationClient", name: str, body: str, parameters: Mapping[str, str]
) -> str:
    """Order the creation of a stack and return its id.

    DO_NOTHING leaves a failed stack as it is: its events say why, and we remove it ourselves.
    """
    with aws_errors(f"creating stack {name}"):
        return client.create_stack(
            StackName=name,
            TemplateBody=body,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
            OnFailure="DO_NOTHING",
            ClientRequestToken=str(uuid.uuid4()),  # a repeated request is the same request
            Tags=[TAG],
        )["StackId"]


def clean_up(cloud: Cloud, name: str, say: Say) -> None:
    """Remove a half-made stack. Raises UserError saying exactly what is left if that fails."""
    say(f"removing what was made of stack {name}")
    try:
        remove_stack(cloud, name, say)
    except KeyboardInterrupt:
        raise UserError(
            f"interrupted: stack {name} is half up; `make destroy STACK={name}` removes it"
        ) from None
    except UserError as error:
        raise UserError(
            f"stack {name} is half up and could not be removed ({error}); "
            f"`make destroy STACK={name}` removes it"
        ) from error


def find_stack(cloud: Cloud, name: str) -> Stack | None:
    """Return the deployed stack, None when there is none or it is not usable."""
    client = cloud.cloudformation()
    with aws_errors(f"looking for stack {name}"):
        described = describe(client, name)
        if described is None or described["StackStatus"] not in USABLE:
            return None
        body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for output in described.get("Outputs", [])
        if "OutputKey" in output and "OutputValue" in output
    }
    parameters = {
        parameter.get("ParameterKey", ""): parameter.get("ParameterValue", "")
        for parameter in described.get("Parameters", [])
    }
    try:
        return Stack(
            name=name,
            url=url_of(cloud, outputs),
            api_id=outputs["ApiId"],
            stage=outputs["StageName"],
            table_name=outputs["TableName"],
            role_arn=outputs["RoleArn"],
            returns="old" if outputs["ReturnValues"] == "UPDATED_OLD" else "new",
            template_sha256=hashlib.sha256(str(body).encode()).hexdigest(),
            parameters=parameters,
        )
    except KeyError as error:
        raise UserError(
            f"stack {name} has no output {error.args[0]}: it was not made from "
            "deploy/template.yml; choose another STACK"
        ) from None


def url_of(cloud: Cloud, outputs: Mapping[str, str]) -> str:
    """Return the API's address: AWS's own form, or the path form that emulators serve."""
    if cloud.endpoint_url is None:
        return outputs["Url"]
    base = cloud.endpoint_url.rstrip("/")
    return f"{base}/_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}/"


def remove_stack(cloud: Cloud, name: str, say: Say, *, timeout_s: float = DELETE_TIMEOUT_S) -> bool:
    """Remove the stack in whatever state it is and wait until it is gone; False if there was none.

    Raises UserError naming what could not be removed.
    """
    client = cloud.cloudformation()
    doing = f"removing stack {name}"
    with aws_errors(doing):
        described = describe(client, name)
        if described is None:
            return False
        stack_id = described.get("StackId", name)
        say(f"removing stack {name} ({described['StackStatus']})")
        progress = Progress(client=client, stack_id=stack_id, say=say)
        progress.skip_past()
        client.delete_stack(StackName=name)
    status = wait(client, progress, stack_id, doing=doing, timeout_s=timeout_s)
    if status != "DELETE_COMPLETE":
        why = progress.failures[0] if progress.failures else f"it ended as {status}"
        raise UserError(f"stack {name} could not be removed: {why}")
    return True


def wait(
    client: "CloudFormationClient",
    progress: Progress,
    stack_id: str,
    *,
    doing: str,
    timeout_s: float,
) -> str:
    """Tell the events until the stack's status is final, and return that status.

    Polls after 0.05 s, then ever less often up to every 3 s. Raises UserError after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    pause_s = 0.05
    while True:
        with aws_errors(doing):
            described = describe(client, stack_id)
            if described is None:
                return "DELETE_COMPLETE"
            status = described["StackStatus"]
            progress.tell()
        if not status.endswith("_IN_PROGRESS"):
            return cast("str", status)
        if time.monotonic() > deadline:
            raise UserError(f"{doing}: still {status} after {timeout_s:g} s")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, POLL_MAX_S)


def describe(client: "CloudFormationClient", name: str) -> "StackTypeDef | None":
    """Describe one stack by name or id, None if there is none (or, by name, no longer)."""
    try:
        stacks = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no error code of its own for "no such stack".
        if "does not exist" in str(error):
            return None
        raise
    by_id = name.startswith("arn:")
    kept = [stack for stack in stacks if by_id or stack["StackStatus"] != "DELETE_COMPLETE"]
    return kept[0] if kept else None
