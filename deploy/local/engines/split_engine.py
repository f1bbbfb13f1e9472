"""Two databases as one: the items in the engine's, the tables in MiniStack's and mirrored.

AWS: "DynamoDB API" tells the data plane from the control plane.
"""

import json
from collections.abc import Callable
from dataclasses import replace

from deploy.local.engines.engine import CONTENT_TYPE, Call, Engine, EngineAnswer
from deploy.local.engines.mirror import Mirror, Scope

ITEM_ACTIONS = frozenset(
    {
        "BatchExecuteStatement",
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "ExecuteStatement",
        "ExecuteTransaction",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    }
)
"""DynamoDB's data plane."""
DESCRIBING = "DescribeTable"
READING = ("Describe", "List", "Get")
ACCOUNT_DIGITS = 12
DEFAULT_REGION = "us-east-1"
OK = 200
REFUSED = 400
FAILED = 500
SERVER_ERROR = "com.amazonaws.dynamodb.v20120810#InternalServerError"
ENGINE_FAILURE = "EngineFailure"
"""Our own error code: AWS has no such thing as an engine. With a 400 no client tries again."""


class SplitEngine:
    """An engine that keeps the items, beside a control plane that keeps the tables.

    `account_of` names the account of an access key, as the control plane does.
    """

    def __init__(
        self,
        *,
        control: Engine,
        data: Engine,
        mirror: Mirror,
        account_of: Callable[[str], str],
    ) -> None:
        self._control = control
        self._data = data
        self._account_of = account_of
        self.mirror = mirror

    def scope_of(self, access_key: str, region: str) -> Scope:
        """Name the account and region that a signature means."""
        is_account = len(access_key) == ACCOUNT_DIGITS and access_key.isdigit()
        account = access_key if is_account else self._account_of(access_key)
        return account, region or DEFAULT_REGION

    async def call(self, call: Call, *, timeout_s: float) -> EngineAnswer:
        """Run one action once, where it belongs."""
        account, region = self.scope_of(call.account, call.region)
        if account != call.account or region != call.region:
            call = replace(call, account=account, region=region)
        if call.action not in ITEM_ACTIONS:
            return await self._control_call(call, timeout_s=timeout_s)
        why = self.mirror.objection(call.body)
        if why is not None:
            return failure(why)
        return await self._data.call(call, timeout_s=timeout_s)

    async def _control_call(self, call: Call, *, timeout_s: float) -> EngineAnswer:
        """Run one action of the control plane; a table that cannot be mirrored is not made.

        A table that is not as the control plane has it is not described either, every time anew.
        """
        answer = await self._control.call(call, timeout_s=timeout_s)
        if call.action == DESCRIBING and answer.status == OK:
            why = await self._standing_failure(call)
            return answer if why is None else failure(why)
        if call.action.startswith(READING) or answer.status != OK:
            return answer
        scope = (call.account, call.region)
        await self.mirror.reconcile([scope])
        name = json.loads(call.body).get("TableName", "")
        why = self.mirror.failure(scope, name)
        if why is None:
            return answer
        if call.action == "CreateTable":
            undone = replace(
                call, action="DeleteTable", body=json.dumps({"TableName": name}).encode()
            )
            await self._control.call(undone, timeout_s=timeout_s)
            await self.mirror.reconcile([scope])
        self.mirror.take_failures()  # told now
        return failure(why)

    async def _standing_failure(self, call: Call) -> str | None:
        """Say why a table is not in the database as it should be, unless it can be made so now."""
        scope = (call.account, call.region)
        name = json.loads(call.body).get("TableName", "").rpartition("/")[2]  # of an ARN
        if self.mirror.failure(scope, name) is not None:
            await self.mirror.reconcile([scope])
        return self.mirror.failure(scope, name)


def failure(why: str) -> EngineAnswer:
    """Answer in DynamoDB's form that the engine could not do its part: nothing was applied."""
    return error(REFUSED, ENGINE_FAILURE, why)


def unanswered(action: str) -> EngineAnswer:
    """Answer that the engine gave no answer, so that what was asked may be applied or not."""
    return error(FAILED, SERVER_ERROR, f"the database gave no answer to {action}")


def error(status: int, kind: str, message: str) -> EngineAnswer:
    """Build an error as DynamoDB does (AWS: "Error handling with DynamoDB")."""
    return EngineAnswer(
        status=status,
        headers={"content-type": CONTENT_TYPE},
        body=json.dumps({"__type": kind, "message": message}).encode(),
    )
