"""Bringing a stack up, whatever is there: what `make deploy` and a load test both do."""

from collections.abc import Mapping
from pathlib import Path

from deploy.cloud import Cloud
from deploy.creation import StackExistsError, deploy_stack
from deploy.definition import as_written
from deploy.progress import Say
from deploy.serving import own_deployment, point_back, require_serving, served_deployment
from deploy.stack import RETURN_VALUES, Stack, await_settled, find_stack, refusal
from deploy.template import TEMPLATE_PATH, parse, sha256_of, template_text, values_of
from deploy.update import update_stack
from history.operation import Returns


def parameters_of(returns: Returns, *, controls: bool = False) -> dict[str, str]:
    """Name the template's parameters that a command sets."""
    return {
        "ReturnValues": RETURN_VALUES[returns],
        "DeployControls": "true" if controls else "false",
    }


def bring_up(
    cloud: Cloud,
    *,
    name: str,
    parameters: Mapping[str, str],
    say: Say,
    template_path: Path = TEMPLATE_PATH,
) -> Stack:
    """Return the stack once it is what the template and the parameters say, and serves that.

    One that is so already is left alone, one of ours that differs is updated in place, one that is
    broken is made anew. Raises UserError as these do, and for a stack that is not ours and differs.
    """
    status = await_settled(cloud, name, say)
    found = find_stack(cloud, name)
    if found is None:
        if status is not None:
            say(f"stack {name} is {status}, which is not usable: it is made anew")
        try:
            stack = deploy_stack(
                cloud, name=name, parameters=parameters, say=say, template_path=template_path
            )
        except StackExistsError:
            say(f"stack {name} is being created by another command: it is waited for")
            await_settled(cloud, name, say)
            found = find_stack(cloud, name)
            if found is None:
                raise
        else:
            say(f"stack {name} is up: {stack.url}")
            return stack
    why = deviation(found, template_text(template_path), parameters)
    if why is None:
        require_serving(cloud, found, changed=restore_stage(cloud, found, say))
        say(f"stack {name} is already up: {found.url}")
        return found
    if not found.ours:
        raise refusal(name)
    say(f"stack {name} {why}: it is updated in place")
    stack = update_stack(cloud, found, parameters=parameters, say=say, template_path=template_path)
    if stack.table_name != found.table_name:
        # Not foreseen: `update_stack` refuses what it can tell beforehand.
        say(
            f"stack {name} has a new table {stack.table_name} in the place of {found.table_name}: "
            "its counter is lost, and a PUT makes a new one"
        )
    restore_stage(cloud, stack, say)
    require_serving(cloud, stack, changed=True)
    say(f"stack {name} is updated: {stack.url}")
    return stack


def deviation(stack: Stack, text: str, parameters: Mapping[str, str]) -> str | None:
    """Say in what a stack is not the template deployed with these parameters; None if it is."""
    if stack.template_sha256 != sha256_of(as_written(text)):
        return "was made from another deploy/template.yml"
    wanted = values_of(parse(text).content, parameters)
    for name in sorted({*wanted, *stack.parameters}):
        found, asked = stack.parameters.get(name, "(none)"), wanted.get(name, "(none)")
        if found != asked:
            return f"has {name} {found}, asked for is {asked}"
    # A stack that someone else made has a deployment that no hash was added to.
    if stack.ours and stack.deployment != stack.deployment_due:
        return "has an API that is not deployed yet"
    return None


def restore_stage(cloud: Cloud, stack: Stack, say: Say) -> bool:
    """Let the stage serve the stack's own deployment; True if it did not.

    The stage of a stack that is not ours is not touched: who made it may have deployed by hand, as
    one has to after `aws cloudformation deploy` of a changed template.
    """
    served = served_deployment(cloud, stack)
    if not stack.ours:
        say(
            f"stack {stack.name} was not made by gapless: it is used as it is, and whether its "
            f"stage's deployment {served} is of its newest definition is not known"
        )
        return False
    own = own_deployment(cloud, stack)
    if served == own:
        return False
    point_back(cloud, stack, served=served, own=own, say=say)
    return True
