"""Removing stacks of ours."""

from typing import TYPE_CHECKING

from deploy.cloud import Cloud, aws_errors
from deploy.progress import Progress, Say, describe, wait
from deploy.stack import require_ours, settled
from history.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

DELETE_TIMEOUT_S = 600


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
