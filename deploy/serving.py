"""Which deployment a stack's stage serves, and waiting until it serves.

API Gateway does not say when all of its hosts have a new deployment. What can be known is that the
stage names the stack's own deployment, and that the API answers well for a while; a host that has
the old definition answers the same, so `CHANGED` is patience, not proof.
"""

from deploy.cloud import Cloud, aws_errors, is_loopback
from deploy.probe import CHANGED, FAR, NEAR, Patience, await_serving, send
from deploy.progress import Say
from deploy.stack import Stack
from history.errors import UserError

NONE = "(none)"
READ_STATUSES = (200, 409)
"""What a read through the controls is answered, with a counter and without."""


def own_deployment(cloud: Cloud, stack: Stack) -> str:
    """Return the id of the deployment that the stack itself made."""
    with aws_errors(f"looking for the deployment of stack {stack.name}"):
        return cloud.cloudformation().describe_stack_resource(
            StackName=stack.name, LogicalResourceId=stack.deployment
        )["StackResourceDetail"]["PhysicalResourceId"]


def served_deployment(cloud: Cloud, stack: Stack) -> str:
    """Return the id of the deployment that the stack's stage names; NONE if the stage is gone."""
    with aws_errors(f"reading stage {stack.stage} of stack {stack.name}"):
        client = cloud.apigateway()
        try:
            stage = client.get_stage(restApiId=stack.api_id, stageName=stack.stage)
        except client.exceptions.NotFoundException:
            return NONE
    return stage["deploymentId"]


def point_back(cloud: Cloud, stack: Stack, *, served: str, own: str, say: Say) -> None:
    """Let the stage serve the stack's own deployment again.

    CloudFormation does not notice that a stage was changed by hand: an update that does not touch
    it leaves it so (AWS: "Detect unmanaged configuration changes to stacks and resources with drift
    detection"). UpdateStage makes it again what CloudFormation holds it to be.
    """
    say(
        f"stage {stack.stage} of stack {stack.name} serves deployment {served}, not the stack's "
        f"own {own}: it is pointed back"
    )
    with aws_errors(
        f"pointing stage {stack.stage} of stack {stack.name} to deployment {own} (`make destroy "
        f"STACK={stack.name}` and `make deploy` make both anew)"
    ):
        cloud.apigateway().update_stage(
            restApiId=stack.api_id,
            stageName=stack.stage,
            patchOperations=[{"op": "replace", "path": "/deploymentId", "value": own}],
        )


def require_serving(cloud: Cloud, stack: Stack, *, changed: bool = False) -> None:
    """Wait until the API serves; longer if it `changed` just now, while it served already.

    Raises UserError with its last answer, or why its table cannot be used; the stack stays.
    """
    patience = patience_for(cloud, changed=changed)
    try:
        require_table(cloud, stack)
        await_serving(stack.url, patience)
        if stack.controls:  # which another right of the role allows
            await_serving(
                stack.unsafe_url,
                patience,
                ask=lambda url: send("GET", url),
                good_statuses=READ_STATUSES,
            )
    except UserError as error:
        raise UserError(
            f"stack {stack.name} is there, but {error}; it is left as it is: "
            f"`make inspect STACK={stack.name}` shows it, `make destroy STACK={stack.name}` "
            "removes it, `make deploy` waits for it again"
        ) from error


def require_table(cloud: Cloud, stack: Stack) -> None:
    """Raise UserError if the stack's table is not to be used as CloudFormation says it is.

    Only a local cloud can have one: its engine may hold the items in another database. On AWS
    nobody needs a permission to describe the table just to use the API.
    """
    if is_loopback(cloud.endpoint_url):
        with aws_errors(f"looking at table {stack.table_name}"):
            cloud.dynamodb().describe_table(TableName=stack.table_name)


def patience_for(cloud: Cloud, *, changed: bool = False) -> Patience:
    """Say how sure to be that an API serves."""
    if is_loopback(cloud.endpoint_url):
        return NEAR
    return CHANGED if changed else FAR
