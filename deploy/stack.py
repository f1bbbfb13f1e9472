"""Deploying, finding and removing the stack. The same code for AWS and for every emulator."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cloud import Cloud, aws_errors, is_loopback
from deploy.probe import FAR, NEAR, Patience, await_serving
from deploy.progress import IN_PROGRESS, Progress, Say, describe, wait
from history.errors import UserError
from history.operation import Returns

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef, TagTypeDef

TEMPLATE_PATH = Path(__file__).with_name("template.yml")
CREATE_TIMEOUT_S = 600
DELETE_TIMEOUT_S = 600
USABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
"""The states in which all resources are there and work, as before or as after the last change.

CLEANUP: what the change replaced is being deleted. ROLLBACK_COMPLETE, without UPDATE or IMPORT, is
a creation that failed: nothing is there.
"""
REVIEW = "REVIEW_IN_PROGRESS"
"""A change set was made for a stack that does not exist yet: this never ends by itself."""
OUR_TAG: "TagTypeDef" = {"Key": "made-by", "Value": "gapless"}
"""On every stack we create; a stack without it is never removed."""
RETURN_VALUES = {Returns.NEW: "UPDATED_NEW", Returns.OLD: "UPDATED_OLD"}
"""The template's parameter ReturnValues."""


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


def template_text(path: Path = TEMPLATE_PATH) -> str:
    """Read the template exactly as it is sent: UTF-8, no line end translated."""
    return path.read_bytes().decode()


def template_sha256() -> str:
    """Hash the template that would be deployed now."""
    return sha256_of(template_text())


def sha256_of(template: str) -> str:
    """Hash a template's text, in hexadecimal."""
    return hashlib.sha256(template.encode()).hexdigest()


def deploy_stack(
    cloud: Cloud,
    *,
    name: str,
    parameters: Mapping[str, str],
    say: Say,
    template_path: Path = TEMPLATE_PATH,
    timeout_s: float = CREATE_TIMEOUT_S,
) -> Stack:
    """Deploy the template as a new stack, in the place of any old one of ours, until it serves.

    Raises UserError as `create_stack` does, and if the new API does not serve: the stack is then
    left as it is, to be looked at.
    """
    stack = create_stack(
        cloud,
        name=name,
        parameters=parameters,
        say=say,
        template_path=template_path,
        timeout_s=timeout_s,
    )
    require_serving(cloud, stack)
    return stack


def create_stack(
    cloud: Cloud,
    *,
    name: str,
    parameters: Mapping[str, str],
    say: Say,
    template_path: Path = TEMPLATE_PATH,
    timeout_s: float = CREATE_TIMEOUT_S,
) -> Stack:
    """Create the stack, in the place of any old one of ours; on AWS it may not serve yet.

    Raises UserError naming the first resource that failed and why; whatever was half up is then
    removed. An interrupt removes it as well.
    """
    body = template_text(template_path)
    remove_stack(cloud, name, say)
    client = cloud.cloudformation()
    say(f"creating stack {name} in {cloud.place}")
    stack_id = None
    try:
        stack_id = order(client, name, body, parameters)
        progress = Progress(client=client, stack_id=stack_id, say=say)
        doing = f"creating stack {name}"
        status = wait(client, progress, stack_id, doing=doing, timeout_s=timeout_s)
    except KeyboardInterrupt:
        clean_up(cloud, name, stack_id, say)
        raise
    except UserError:
        if stack_id is not None:  # else it is not ours: CreateStack itself was refused
            clean_up(cloud, name, stack_id, say)
        raise
    if status != "CREATE_COMPLETE":
        clean_up(cloud, name, stack_id, say)
        why = progress.why(status)
        raise UserError(f"stack {name} could not be created: {why}; nothing of it is left")
    found = find_stack(cloud, name)
    if found is None:
        raise UserError(f"stack {name} was created and is gone again; run `make deploy` once more")
    return found


def require_serving(cloud: Cloud, stack: Stack) -> None:
    """Wait until the API serves. Raises UserError with its last answer; the stack stays."""
    try:
        await_serving(stack.url, patience_for(cloud))
    except UserError as error:
        raise UserError(
            f"stack {stack.name} is there, but {error}; it is left as it is: "
            f"`make inspect STACK={stack.name}` shows it, `make destroy STACK={stack.name}` "
            "removes it, `make deploy` waits for it again"
        ) from error


def patience_for(cloud: Cloud) -> Patience:
    """Say how sure to be that an API serves."""
    return NEAR if is_loopback(cloud.endpoint_url) else FAR


def order(
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
            Tags=[OUR_TAG],
        )["StackId"]


def clean_up(cloud: Cloud, name: str, stack_id: str | None, say: Say) -> None:
    """Remove what this process half made, without waiting for the creation to end.

    `stack_id` is None if an interrupt came before its creation was confirmed: then it is looked up
    by name. Raises UserError saying exactly what is left if that fails.
    """
    by_hand = f"`make destroy STACK={name}` removes it"
    say(f"removing what was made of stack {name}")
    try:
        client = cloud.cloudformation()
        with aws_errors(f"removing stack {name}"):
            described = describe(client, stack_id or name)
        if described is not None:
            delete(client, name, described, say, timeout_s=DELETE_TIMEOUT_S)
    except KeyboardInterrupt:
        raise UserError(f"interrupted: stack {name} is half up; {by_hand}") from None
    except UserError as error:
        raise UserError(
            f"stack {name} is half up and could not be removed ({error}); {by_hand}"
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
            returns=Returns.OLD if outputs["ReturnValues"] == "UPDATED_OLD" else Returns.NEW,
            template_sha256=sha256_of(str(body)),
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
    """Remove our stack of that name and wait until it is gone; False if there was none.

    One on which something is in progress is waited for first. Raises UserError if the stack is not
    ours, if it does not come to rest, or naming what could not be removed.
    """
    client = cloud.cloudformation()
    with aws_errors(f"removing stack {name}"):
        described = describe(client, name)
    if described is None:
        return False
    rested = settled(client, name, described, say, timeout_s=timeout_s)
    if rested is not None:
        delete(client, name, rested, say, timeout_s=timeout_s)
    return True


def await_settled(
    cloud: Cloud, name: str, say: Say, *, timeout_s: float = CREATE_TIMEOUT_S
) -> str | None:
    """Wait until nothing is in progress on a stack and return its status, None if there is none."""
    client = cloud.cloudformation()
    with aws_errors(f"looking for stack {name}"):
        described = describe(client, name)
    if described is None or described["StackStatus"] in USABLE:
        return None if described is None else described["StackStatus"]
    rested = settled(client, name, described, say, timeout_s=timeout_s)
    return None if rested is None else rested["StackStatus"]


def settled(
    client: "CloudFormationClient",
    name: str,
    described: "StackTypeDef",
    say: Say,
    *,
    timeout_s: float,
) -> "StackTypeDef | None":
    """Wait for what someone else has in progress on a stack; None if that was its end."""
    status = described["StackStatus"]
    if not status.endswith(IN_PROGRESS):
        return described
    if status == REVIEW:
        raise UserError(
            f"stack {name} is {status}: someone is preparing it with a change set, so it is not "
            "touched; choose another name with STACK=…"
        )
    require_ours(name, described)
    say(f"stack {name} is {status}: waiting for that to end")
    stack_id = described.get("StackId", name)
    doing = f"waiting for stack {name}"
    with aws_errors(doing):
        progress = Progress(client=client, stack_id=stack_id, say=say)
        progress.skip_past()
    wait(client, progress, stack_id, doing=doing, timeout_s=timeout_s)
    with aws_errors(doing):
        return describe(client, name)


def require_ours(name: str, described: "StackTypeDef") -> None:
    """Refuse to go on with a stack that does not carry our tag."""
    if OUR_TAG not in described.get("Tags", []):
        raise UserError(
            f"stack {name} was not made by gapless, so it is not touched; "
            "choose another name with STACK=…"
        )


def delete(
    client: "CloudFormationClient",
    name: str,
    described: "StackTypeDef",
    say: Say,
    *,
    timeout_s: float,
) -> None:
    """Delete a stack by its id, and wait until it is gone; only if it is ours."""
    require_ours(name, described)
    doing = f"removing stack {name}"
    stack_id = described.get("StackId", name)
    say(f"removing stack {name} ({described['StackStatus']})")
    with aws_errors(doing):
        progress = Progress(client=client, stack_id=stack_id, say=say)
        progress.skip_past()
        client.delete_stack(StackName=stack_id)
    status = wait(client, progress, stack_id, doing=doing, timeout_s=timeout_s)
    if status != "DELETE_COMPLETE":
        raise UserError(f"stack {name} could not be removed: {progress.why(status)}")
