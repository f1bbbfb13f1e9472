"""DynamoDB's limits per item, with LIMITS=aws: what a table would refuse, refused here.

What AWS documents:

- A partition gives at most 1,000 write units and 3,000 read units a second ("Best practices for
  designing and using partition keys effectively in DynamoDB"), so one item has no more, however
  fast its table is. Burst capacity, up to 300 s of what was not used ("DynamoDB burst and adaptive
  capacity"), does not lift that (AWS re:Post on spiky workloads over short intervals).
- A write costs one unit a KB of the larger of the item before and after it, rounded up, also when
  its condition fails; a read one unit for 4 KB, half of that if only eventually consistent; both
  twice that in a transaction ("DynamoDB read and write operations").
- What is over the limit is answered 400 ProvisionedThroughputExceededException ("Error handling
  with DynamoDB"). For tables in on-demand mode that page says that ThrottlingException might be
  returned instead; deploy/template.yml answers 429 to both, and here always the first is given.

What is our model: a token bucket an item, holding one second's worth (AWS does not say how long a
partition's second is); sizes are those that the request shows, since the stored item is not read
(an update costs what its key and values weigh, a delete or a read the least it can); what is over
the limit but invalid too is refused for the limit; of a batch or a transaction all or nothing is
refused, where AWS returns a batch's UnprocessedItems and cancels a transaction. Query, Scan and
PartiQL are not counted.
"""

import base64
import json
import secrets
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local.engines.capacity import Access, Kind, accesses_of
from deploy.local.engines.engine import CONTENT_TYPE, Call, Engine, EngineAnswer
from deploy.local.throttling import Buckets, RateLimit

ITEM_WRITES = RateLimit(rate_per_s=1_000, burst=1_000)
ITEM_READS = RateLimit(rate_per_s=3_000, burst=3_000)
TABLES_MAX = 1_000
EXCEEDED = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
MESSAGE = (
    "The level of configured provisioned throughput for the table was exceeded. Consider "
    "increasing your provisioning level with the UpdateTable API."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What must be known of a table to tell its items apart."""

    arn: str
    key_names: tuple[str, ...]


class ItemLimits:
    """Meters the items of all tables of one DynamoDB."""

    def __init__(
        self,
        engine: Engine,
        *,
        writes: RateLimit = ITEM_WRITES,
        reads: RateLimit = ITEM_READS,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._limits = {Kind.READ: reads, Kind.WRITE: writes}
        self._clock_s = clock_s
        self._buckets = Buckets()
        self._tables: dict[tuple[str, str, str], Table] = {}

    async def refusal(self, call: Call, *, timeout_s: float) -> EngineAnswer | None:
        """Count one request; gives the answer that refuses it, None if it may be run.

        One that makes no sense is not counted: DynamoDB itself will say so.
        """
        try:
            accesses = list(accesses_of(call.action, json.loads(call.body)))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        for access in accesses:
            table = await self._table_of(access, call, timeout_s)
            if table is None:
                return None
            key = (table.arn, access.kind, *(repr(access.item[name]) for name in table.key_names))
            limit = self._limits[access.kind]
            if not self._buckets.take(key, limit, self._clock_s(), access.units):
                return exceeded(table.arn, access.kind)
        return None

    async def _table_of(self, access: Access, call: Call, timeout_s: float) -> Table | None:
        """Describe a table once, and again if its key has changed; None if that is not its key."""
        place = (call.account, call.region, access.table)
        table = self._tables.get(place)
        if table is None or not access.item.keys() >= set(table.key_names):
            if len(self._tables) >= TABLES_MAX:
                self._tables.clear()
            table = await self._describe(access.table, call, timeout_s)
            if table is None or not access.item.keys() >= set(table.key_names):
                return None
            self._tables[place] = table
        return table

    async def _describe(self, name: str, call: Call, timeout_s: float) -> Table | None:
        question = Call(
            action="DescribeTable",
            region=call.region,
            account=call.account,
            body=json.dumps({"TableName": name}).encode(),
        )
        answer = await self._engine.call(question, timeout_s=timeout_s)
        if answer.status != 200:  # noqa: PLR2004
            return None
        found = json.loads(answer.body)["Table"]
        return Table(
            arn=found["TableArn"],
            key_names=tuple(part["AttributeName"] for part in found["KeySchema"]),
        )


class LimitedEngine:
    """An engine that refuses what is over the limits, and runs the rest."""

    def __init__(self, engine: Engine, limits: ItemLimits) -> None:
        self._engine = engine
        self._limits = limits

    async def call(self, call: Call, *, timeout_s: float) -> EngineAnswer:
        """Run one action once, or refuse it."""
        refused = await self._limits.refusal(call, timeout_s=timeout_s)
        return refused or await self._engine.call(call, timeout_s=timeout_s)


def exceeded(table_arn: str, kind: Kind) -> EngineAnswer:
    """Answer as DynamoDB does to what is over a partition's limit (AWS: "ThrottlingReason")."""
    reason = {"reason": f"Table{kind.value}KeyRangeThroughputExceeded", "resource": table_arn}
    answer = {"__type": EXCEEDED, "message": MESSAGE, "ThrottlingReasons": [reason]}
    body = json.dumps(answer, separators=(",", ":")).encode()
    headers = {
        "content-type": CONTENT_TYPE,
        "x-amzn-requestid": base64.b32hexencode(secrets.token_bytes(32)).decode().rstrip("="),
        "x-amz-crc32": str(zlib.crc32(body)),
    }
    return EngineAnswer(status=400, headers=headers, body=body)
