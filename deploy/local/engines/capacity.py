"""Which items a DynamoDB request is about, and how many capacity units each costs. Pure.

AWS: "DynamoDB read and write operations". What is stored is not known here, only the request:
`limits` says what that means.
"""

import base64
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from deploy.local.json_values import Json

WRITE_UNIT_BYTES = 1024
TRANSACTION_FACTOR = 2


class Kind(Enum):
    """What an access uses up; the value is its part of a throttling reason's name."""

    READ = "Read"
    WRITE = "Write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one request does to one item; `item` has at least its key."""

    table: str
    item: Mapping[str, Json]
    kind: Kind
    units: float


def accesses_of(action: str, body: Json) -> Iterator[Access]:
    """Name the items that a request is about, and what each of them costs; none if not counted.

    Raises ValueError, KeyError, TypeError or AttributeError for a body of another shape.
    """
    accesses = ACTIONS.get(action)
    return iter(()) if accesses is None else accesses(body)


def one_write(body: Json) -> Iterator[Access]:
    """PutItem, UpdateItem, DeleteItem."""
    yield write(body["TableName"], body)


def one_read(body: Json) -> Iterator[Access]:
    """GetItem."""
    yield read(body["TableName"], body["Key"], read_units(body))


def batch_writes(body: Json) -> Iterator[Access]:
    """BatchWriteItem."""
    for table, requests in body["RequestItems"].items():
        for request in requests:
            (inner,) = request.values()
            yield write(table, inner)


def batch_reads(body: Json) -> Iterator[Access]:
    """BatchGetItem."""
    for table, wanted in body["RequestItems"].items():
        for key in wanted["Keys"]:
            yield read(table, key, read_units(wanted))


def transaction_writes(body: Json) -> Iterator[Access]:
    """TransactWriteItems; a ConditionCheck costs as a write does."""
    for request in body["TransactItems"]:
        (inner,) = request.values()
        yield write(inner["TableName"], inner, factor=TRANSACTION_FACTOR)


def transaction_reads(body: Json) -> Iterator[Access]:
    """TransactGetItems."""
    for request in body["TransactItems"]:
        yield read(request["Get"]["TableName"], request["Get"]["Key"], TRANSACTION_FACTOR)


ACTIONS: Mapping[str, Callable[[Json], Iterator[Access]]] = {
    "PutItem": one_write,
    "UpdateItem": one_write,
    "DeleteItem": one_write,
    "GetItem": one_read,
    "BatchWriteItem": batch_writes,
    "BatchGetItem": batch_reads,
    "TransactWriteItems": transaction_writes,
    "TransactGetItems": transaction_reads,
}


def write(table: str, body: Json, *, factor: int = 1) -> Access:
    """Cost a put by its item, an update by its key and values."""
    if "Item" in body:
        item, size = body["Item"], size_of(body["Item"])
    else:
        item = body["Key"]
        size = size_of(item) + size_of(body.get("ExpressionAttributeValues") or {})
    units = factor * max(1, math.ceil(size / WRITE_UNIT_BYTES))
    return Access(table=table_name(table), item=item, kind=Kind.WRITE, units=units)


def read(table: str, key: Mapping[str, Json], units: float) -> Access:
    """Cost the read of an item of up to 4 KB."""
    return Access(table=table_name(table), item=key, kind=Kind.READ, units=units)


def read_units(body: Json) -> float:
    """Cost a read by its consistency."""
    return 1 if body.get("ConsistentRead") else 0.5


def table_name(name_or_arn: str) -> str:
    """Give a table's name, which a request may name by its ARN."""
    return name_or_arn.rpartition("/")[2]


def size_of(item: Mapping[str, Json]) -> int:
    """Weigh an item, in bytes (AWS: "DynamoDB item sizes and formats")."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Json]) -> int:
    """Weigh one attribute's value, written as DynamoDB's JSON: `{"S": "text"}`."""
    ((kind, found),) = value.items()
    return WEIGHTS[kind](found)


def number_size(text: str) -> int:
    """Weigh a number: a byte for two digits, and one more."""
    return math.ceil(sum(character.isdigit() for character in text) / 2) + 1


WEIGHTS: Mapping[str, Callable[[Json], int]] = {
    "S": lambda text: len(text.encode()),
    "N": number_size,
    "B": lambda text: len(base64.b64decode(text)),
    "SS": lambda members: sum(len(text.encode()) for text in members),
    "NS": lambda members: sum(number_size(text) for text in members),
    "BS": lambda members: sum(len(base64.b64decode(text)) for text in members),
    "L": lambda members: 3 + sum(1 + value_size(member) for member in members),
    "M": lambda members: 3 + len(members) + size_of(members),
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
}
