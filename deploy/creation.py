"""Making a new stack, in the place of any old one of ours."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cloud import Cloud, aws_errors
from deploy.definition import to_send
from deploy.progress import Progress, Say, wait
from deploy.removal import clean_up, remove_stack
from deploy.serving import require_serving
from deploy.stack import OUR_TAG, Stack, find_stack
from deploy.template import TEMPLATE_PATH, template_text
from history.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

CREATE_TIMEOUT_S = 600


class StackExistsError(UserError):
    """Somebody else created the stack between our looking for it and our creating it."""


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
    body = to_send(template_text(template_path), parameters)
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


def order(
    client: "CloudFormationClient", name: str, body: str, parameters: Mapping[str, str]
) -> str:
    """Order the creation of a stack and return its id.

    DO_NOTHING leaves a failed stack as it is: its events say why, and we remove it ourselves.
    """
    with aws_errors(f"creating stack {name}"):
        try:
            return client.create_stack(
                StackName=name,
                TemplateBody=body,
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value}
                    for key, value in parameters.items()
                ],
                Capabilities=["CAPABILITY_IAM"],
                OnFailure="DO_NOTHING",
                ClientRequestToken=str(uuid.uuid4()),  # a repeated request is the same request
                Tags=[OUR_TAG],
            )["StackId"]
        except client.exceptions.AlreadyExistsException as error:
            raise StackExistsError(
                f"stack {name} was created by another command just now: run `make deploy` again"
            ) from error
