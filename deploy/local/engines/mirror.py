"""Tables of the control plane, made in the engine's database too.

With an engine other than MiniStack the control plane (CloudFormation, CreateTable) still keeps its
tables in MiniStack's memory. This module makes and deletes them in the database that holds the
items. What it did not make it neither uses nor deletes.
"""

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from deploy.local.engines.engine import Call, Engine, EngineAnswer
from deploy.local.engines.ownership import Owner
from deploy.local.json_values import Json

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 5.0
SETTLE_TIMEOUT_S = 30.0
POLL_MAX_S = 0.5
OK = 200
EXISTS = "ResourceInUseException"
MISSING = "ResourceNotFoundException"
STILL_OLD = "could not be made: the table of that name before it could not be deleted"
INDEXES_CHANGED = (
    "has other indexes now, which is not carried over: delete the table, or the stack, and make it "
    "anew"
)

Scope: TypeAlias = tuple[str, str]
"""An account (twelve digits) and a region."""


class Refusal(Exception):  # noqa: N818 (an answer that is a no, not an error of ours)
    """The database did not do what it was asked to, or did not answer."""

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the control plane, as far as a database has to know it."""

    scope: Scope
    name: str
    id: str
    """AWS's TableId: another table of the same name has another."""
    definition: str
    """The CreateTable request that makes it, as JSON."""


@dataclass(slots=True, kw_only=True)
class Mirror:
    """Keeps the database's tables as the control plane's are.

    `database` names the engine to a person. `owner` marks what we make in a database that is not
    ours alone; without one, whatever is there is ours.
    """

    control: Engine
    data: Engine
    database: str
    owner: Owner | None = None
    _made: dict[tuple[Scope, str], Table] = field(default_factory=dict)
    _failed: dict[Table, str] = field(default_factory=dict)
    _untold: list[str] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def reconcile(self, scopes: Iterable[Scope]) -> None:
        """Make what is missing in the database and delete what is gone.

        What fails is logged once, kept for `take_failures`, and tried again the next time.
        """
        async with self._lock:
            for scope in dict.fromkeys(scopes):
                wanted = await self._tables(scope)
                await self._delete_gone(scope, wanted)
                for table in wanted.values():
                    await self._make(table)

    def take_failures(self) -> list[str]:
        """Return each sentence that nobody was told yet; the failure itself stands: `failure`."""
        untold, self._untold = self._untold, []
        return untold

    def failure(self, scope: Scope, name: str) -> str | None:
        """Say why a table is not in the database; None if it is, or is no table of ours."""
        for table, why in self._failed.items():
            if (table.scope, table.name) == (scope, name):
                return why
        return None

    def objection(self, body: bytes) -> str | None:
        """Say why a request must not reach the database: it names a table that is another there.

        Someone else's may have its name, or the one that was deleted before it is still there. One
        that only has other indexes is the same table.
        """
        for table, why in self._failed.items():
            if table.name.encode() in body:
                made = self._made.get((table.scope, table.name))
                if made is None or made.id != table.id or made == table:
                    return why
        return None

    async def delete_all(self) -> None:
        """Delete every table that we made: the database stays when we end."""
        for table in list(self._made.values()):
            try:
                await self._delete(table)
            except Refusal as refusal:
                log.error("table %s is left in %s: %s", table.name, self.database, refusal)  # noqa: TRY400

    async def _tables(self, scope: Scope) -> dict[str, Table]:
        """Ask the control plane for all tables of an account and region."""
        names: list[str] = []
        start: str | None = None
        while True:
            page = {} if start is None else {"ExclusiveStartTableName": start}
            found = await ask(self.control, scope, "ListTables", page)
            names += found["TableNames"]
            start = found.get("LastEvaluatedTableName")
            if start is None:
                break
        tables = {}
        for name in names:
            described = await ask(self.control, scope, "DescribeTable", {"TableName": name})
            tables[name] = table_of(scope, described["Table"])
        return tables

    async def _delete_gone(self, scope: Scope, wanted: Mapping[str, Table]) -> None:
        current = set(wanted.values())
        for table in [table for table in self._failed if table.scope == scope]:
            if table not in current and table not in self._made.values():
                del self._failed[table]
        for table in [table for (place, _), table in self._made.items() if place == scope]:
            now = wanted.get(table.name)
            if now is None or now.id != table.id:
                try:
                    await self._delete(table)
                except Refusal as refusal:
                    self._fail(table, f"could not be deleted: {refusal}")

    async def _make(self, table: Table) -> None:
        made = self._made.get((table.scope, table.name))
        if made == table:
            return
        if made is not None:
            self._fail(table, INDEXES_CHANGED if made.id == table.id else STILL_OLD)
            return
        try:
            await self._create(table)
        except Refusal as refusal:
            self._fail(table, f"could not be made: {refusal}")
        else:
            self._made[table.scope, table.name] = table
            self._failed.pop(table, None)

    def _fail(self, table: Table, what: str) -> None:
        sentence = f"table {table.name} {what} (ENGINE={self.database})"
        if self._failed.get(table) != sentence:
            self._failed[table] = sentence
            self._untold.append(sentence)
            log.error("%s", sentence)

    async def _create(self, table: Table) -> None:
        request = json.loads(table.definition)
        if self.owner is not None:
            request["Tags"] = self.owner.tags()
        try:
            await ask(self.data, table.scope, "CreateTable", request)
        except Refusal as refusal:
            if refusal.code != EXISTS:
                raise
            await self._give_up_or_take_over(table)
            await ask(self.data, table.scope, "CreateTable", request)
        await self._settle(table, gone=False)

    async def _give_up_or_take_over(self, table: Table) -> None:
        """Delete a table that a cloud of ours, now dead, left behind; refuse any other."""
        if self.owner is not None:
            described = await ask(
                self.data, table.scope, "DescribeTable", {"TableName": table.name}
            )
            tags = await self._tags(table.scope, described["Table"].get("TableArn", ""))
            foreign = self.owner.objection(tags)
            if foreign is not None:
                raise Refusal(
                    f"the database has a table of that name already, {foreign}; it is left alone: "
                    "delete it there, or choose another STACK",
                    code=EXISTS,
                )
        log.warning("table %s was left in %s by an earlier cloud", table.name, self.database)
        await self._delete(table)

    async def _tags(self, scope: Scope, arn: str) -> dict[str, str]:
        try:
            found = await ask(self.data, scope, "ListTagsOfResource", {"ResourceArn": arn})
        except Refusal:
            return {}  # a database without tags: nothing there says that it is ours
        return {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}

    async def _delete(self, table: Table) -> None:
        try:
            await ask(self.data, table.scope, "DeleteTable", {"TableName": table.name})
            await self._settle(table, gone=True)
        except Refusal as refusal:
            if refusal.code != MISSING:
                raise
        self._made.pop((table.scope, table.name), None)
        self._failed.pop(table, None)

    async def _settle(self, table: Table, *, gone: bool) -> None:
        """Wait until a table is there or gone: neither is at once, on AWS and elsewhere."""
        deadline_s = time.monotonic() + SETTLE_TIMEOUT_S
        pause_s = 0.002
        status = ""
        while time.monotonic() < deadline_s:
            try:
                found = await ask(
                    self.data, table.scope, "DescribeTable", {"TableName": table.name}
                )
                status = found["Table"].get("TableStatus", "")
            except Refusal as refusal:
                if refusal.code != MISSING:
                    raise
                status = "gone"
            if status == ("gone" if gone else "ACTIVE"):
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, POLL_MAX_S)
        raise Refusal(f"it is still {status} after {SETTLE_TIMEOUT_S:g} s")


def table_of(scope: Scope, described: Json) -> Table:
    """Take from a description what another database needs, in an order that does not change.

    On demand whatever the original is: the engine's speed is nobody's provision.
    """
    definition = {
        "TableName": described["TableName"],
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": described.get("AttributeDefinitions", []),
        "KeySchema": described["KeySchema"],
    }
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        indexes = [
            {
                "IndexName": index["IndexName"],
                "KeySchema": index["KeySchema"],
                "Projection": index.get("Projection") or {"ProjectionType": "ALL"},
            }
            for index in described.get(kind) or []
        ]
        if indexes:
            definition[kind] = sorted(indexes, key=lambda index: str(index["IndexName"]))
    return Table(
        scope=scope,
        name=described["TableName"],
        id=described.get("TableId", ""),
        definition=json.dumps(definition, sort_keys=True),
    )


async def ask(engine: Engine, scope: Scope, action: str, arguments: Json) -> Json:
    """Call one action and return its answer. Raises Refusal with the reason for any other."""
    account, region = scope
    body = json.dumps(arguments).encode()
    call = Call(action=action, region=region, account=account, body=body)
    try:
        answer = await engine.call(call, timeout_s=CALL_TIMEOUT_S)
    except TimeoutError:
        raise Refusal(f"no answer to {action} within {CALL_TIMEOUT_S:g} s") from None
    except ConnectionError as error:
        raise Refusal(f"no answer to {action} ({error})") from None
    if answer.status != OK:
        raise refusal_of(action, answer)
    return json.loads(answer.body)


def refusal_of(action: str, answer: EngineAnswer) -> Refusal:
    """Read a DynamoDB error (AWS: "Error handling with DynamoDB"), or whatever came instead."""
    try:
        found = json.loads(answer.body)
        code = str(found["__type"]).rpartition("#")[2]
        message = str(found.get("message") or found.get("Message") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Refusal(f"{action} was answered {answer.status}, not as DynamoDB answers")
    reason = " ".join(f"{code}: {message}".split()).rstrip(": .")
    return Refusal(f"{action} was refused with {reason}", code=code)
