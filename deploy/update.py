"""Changing a stack of ours in place: the table, and so the counter, stays.

Two updates if the API changed. CloudFormation deletes what an update removes or replaces only after
all else of that update is done (AWS: "Understand update behaviors of stack resources"), so a
deployment made in the same update still holds removed methods (aws/aws-cdk#14660,
serverless/serverless#1761). The first update changes everything but the deployment, while the stage
goes on serving the old one; the second makes the new deployment of what is then there.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deploy.cloud import Cloud, aws_errors, code_of
from deploy.definition import deployment_of, to_send, with_deployment
from deploy.progress import Progress, Say, describe, wait
from deploy.replacement import Definition, table_lost
from deploy.stack import Stack, deployed_template, find_stack, require_ours, settled
from deploy.template import TEMPLATE_PATH, parse, template_text, values_of
from history.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

UPDATE_TIMEOUT_S = 600
NOTHING_TO_DO = "No updates are to be performed"
"""CloudFormation has no error code of its own for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One UpdateStack of an update, and what holds if it ends badly."""

    body: str
    failed: str
    """What could not be done."""
    left: str
    """How the stack is after CloudFormation has taken the step back."""


def update_stack(
    cloud: Cloud,
    stack: Stack,
    *,
    parameters: Mapping[str, str],
    say: Say,
    template_path: Path = TEMPLATE_PATH,
    timeout_s: float = UPDATE_TIMEOUT_S,
) -> Stack:
    """Make a usable stack of ours what the template and the parameters say.

    Raises UserError naming the first resource that failed and why, and how the stack is now; and
    before anything is changed, if the counter's table would not stay. An interrupt stops only the
    watching: it says in what state the stack is.
    """
    client = cloud.cloudformation()
    with aws_errors(f"updating stack {stack.name}"):
        described = describe(client, stack.name)
    if described is not None:
        require_ours(stack.name, described)
        described = settled(client, stack.name, described, say, timeout_s=timeout_s)
    if described is None:
        raise UserError(f"stack {stack.name} is gone; `make deploy` makes it anew")
    text = template_text(template_path)
    values = values_of(parse(text).content, parameters)
    require_table_kept(client, stack, Definition(template=parse(text).content, parameters=values))
    say(f"updating stack {stack.name} in {cloud.place}")
    progress = Progress(client=client, stack_id=described.get("StackId", stack.name), say=say)
    try:
        done = 0
        for step in steps_of(stack, text, parameters):
            done += run(client, stack.name, step, values, progress, timeout_s=timeout_s)
        if not done:
            say(f"stack {stack.name}: CloudFormation finds nothing to change in it")
    except KeyboardInterrupt:
        say_state(client, stack.name, say)
        raise
    found = find_stack(cloud, stack.name)
    if found is None:
        raise UserError(f"stack {stack.name} was updated and changed again: run `make deploy`")
    return found


def require_table_kept(client: "CloudFormationClient", stack: Stack, wanted: Definition) -> None:
    """Raise UserError if an update would replace or remove the counter's table."""
    deployed = parse(deployed_template(client, stack.name)).content
    why = table_lost(Definition(template=deployed, parameters=stack.parameters), wanted)
    if why is not None:
        raise UserError(
            f"stack {stack.name} cannot be updated in place: {why}, so CloudFormation would make a "
            f"new table and the counter in {stack.table_name} would be lost; nothing was changed: "
            "take that change back, or `make destroy`, then `make deploy`, for a new counter"
        )


def steps_of(stack: Stack, text: str, parameters: Mapping[str, str]) -> list[Step]:
    """Plan the updates from a deployed stack to a template: two if the API is deployed anew."""
    final = to_send(text, parameters)
    before = Step(
        body=with_deployment(text, stack.deployment),
        failed="could not be updated",
        left="it is as it was before",
    )
    if deployment_of(final) == stack.deployment:
        return [before]
    return [
        before,
        Step(
            body=final,
            failed="was updated, but its API could not be deployed",
            left="its stage still serves the API as it was before; `make deploy` tries again",
        ),
    ]


def run(
    client: "CloudFormationClient",
    name: str,
    step: Step,
    values: Mapping[str, str],
    progress: Progress,
    *,
    timeout_s: float,
) -> bool:
    """Do one step and wait for its end, the removal of what it replaced included.

    False if CloudFormation finds nothing to do.
    """
    doing = f"updating stack {name}"
    with aws_errors(doing):
        progress.skip_past()
        if not order(client, progress.stack_id, step.body, values):
            return False
    try:
        status = wait(client, progress, progress.stack_id, doing=doing, timeout_s=timeout_s)
    except UserError as error:
        raise UserError(
            f"{error}; CloudFormation goes on by itself: `make deploy` waits for its end"
        ) from error
    if status == "UPDATE_COMPLETE":
        return True
    why = progress.why(status)
    if status == "UPDATE_ROLLBACK_COMPLETE":
        raise UserError(f"stack {name} {step.failed}: {why}; {step.left}")
    raise UserError(
        f"stack {name} {step.failed}: {why}; nor could that be taken back, it is {status}: "
        f"`make deploy` makes it anew, with a new counter"
    )


def order(
    client: "CloudFormationClient", stack_id: str, body: str, values: Mapping[str, str]
) -> bool:
    """Order an update; False if CloudFormation finds nothing to do.

    Every parameter is named: one left out would take its default on AWS, and elsewhere perhaps the
    value it has (AWS: "Parameter" in the CloudFormation API Reference).
    """
    try:
        client.update_stack(
            StackName=stack_id,
            TemplateBody=body,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in values.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
            ClientRequestToken=str(uuid.uuid4()),  # a repeated request is the same request
        )
    except ClientError as error:
        if code_of(error) == "ValidationError" and NOTHING_TO_DO in str(error):
            return False
        raise
    return True


def say_state(client: "CloudFormationClient", name: str, say: Say) -> None:
    """Say how an update stands that is no longer watched."""
    with aws_errors(f"interrupted: looking for stack {name}"):
        described = describe(client, name)
    status = "gone" if described is None else described["StackStatus"]
    say(
        f"stack {name} is {status}: CloudFormation ends what it began by itself, and the stage "
        "serves the old API until the new one is deployed; `make deploy` waits for the end and "
        f"does the rest (`aws cloudformation cancel-update-stack --stack-name {name}` takes an "
        "update in progress back)"
    )
