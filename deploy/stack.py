"""Finding a stack and reading what it is. The same code for AWS and for every emulator."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.cloud import Cloud, aws_errors
from deploy.definition import as_written, deployment_of, to_send
from deploy.progress import IN_PROGRESS, Progress, Say, describe, wait
from deploy.template import sha256_of
from history.destination import UNSAFE_PATH
from history.errors import UserError
from history.operation import Returns

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef, TagTypeDef

SETTLE_TIMEOUT_S = 600
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
"""On every stack we create; a stack without it is never changed or removed."""
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
    """Of the template as written, before its deployment was named: `sha256sum template.yml`."""
    deployment: str
    """The logical id of the API's deployment, which says what definition it froze."""
    deployment_due: str
    """The logical id that the stack's definition asks for: another one after half an update."""
    ours: bool
    """Whether it carries our tag: only then it may be changed or removed."""
    controls: bool = False
    """Whether GET and PUT at `unsafe_url` are there, which lose updates on purpose."""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def unsafe_url(self) -> str:
        """Where a stack with controls lets the counter be read and written as separate requests."""
        return self.url + UNSAFE_PATH


def find_stack(cloud: Cloud, name: str) -> Stack | None:
    """Return the deployed stack, None when there is none or it is not usable."""
    client = cloud.cloudformation()
    with aws_errors(f"looking for stack {name}"):
        described = describe(client, name)
        if described is None or described["StackStatus"] not in USABLE:
            return None
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for output in described.get("Outputs", [])
        if "OutputKey" in output and "OutputValue" in output
    }
    parameters = {
        parameter.get("ParameterKey", ""): parameter.get("ParameterValue", "")
        for parameter in described.get("Parameters", [])
    }
    body = deployed_template(client, name)
    try:
        return Stack(
            name=name,
            url=url_of(cloud, outputs),
            api_id=outputs["ApiId"],
            stage=outputs["StageName"],
            table_name=outputs["TableName"],
            role_arn=outputs["RoleArn"],
            returns=Returns.OLD if outputs["ReturnValues"] == "UPDATED_OLD" else Returns.NEW,
            template_sha256=sha256_of(as_written(body)),
            deployment=deployment_of(body),
            deployment_due=deployment_of(to_send(body, parameters)),
            ours=OUR_TAG in described.get("Tags", []),
            # A stack of an earlier template says nothing of controls: it has none.
            controls=outputs.get("Controls") == "true",
            parameters=parameters,
        )
    except KeyError as error:
        raise UserError(
            f"stack {name} has no output {error.args[0]}: it was not made from "
            "deploy/template.yml; choose another STACK"
        ) from None


def deployed_template(client: "CloudFormationClient", name: str) -> str:
    """Read the template that a stack was last deployed with, as it was sent."""
    with aws_errors(f"reading the template of stack {name}"):
        # A string for YAML; boto3 parses a template that was sent as JSON.
        body: object = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    return body if isinstance(body, str) else json.dumps(body)


def url_of(cloud: Cloud, outputs: Mapping[str, str]) -> str:
    """Return the API's address: AWS's own form, or the path form that emulators serve."""
    if cloud.endpoint_url is None:
        return outputs["Url"]
    base = cloud.endpoint_url.rstrip("/")
    return f"{base}/_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}/"


def await_settled(
    cloud: Cloud, name: str, say: Say, *, timeout_s: float = SETTLE_TIMEOUT_S
) -> str | None:
    """Wait until nothing is in progress on a stack and return its status, None if there is none.

    A removal of what a finished update replaced is not waited for: the stack is usable.
    """
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
        raise refusal(name)


class NotOursError(UserError):
    """The stack was not made by these commands, and is left as it is."""


def refusal(name: str) -> NotOursError:
    """Say that a stack is not ours."""
    return NotOursError(
        f"stack {name} was not made by gapless, so it is not touched; "
        "choose another name with STACK=…"
    )
