"""The columns of a history: the one table that every reader and writer follows.

One row an operation. Times are integers, so a blank must never turn a column into floats:
2**53 + 1 would be lost (pandas without a schema does just that).
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

SCHEMA_VERSION = 1

ColumnType = Literal["int64", "int32", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name, type, whether a history file must have it, and its meaning.

    `recorded` is False for what only histories of others have: no journal of ours holds it.
    """

    name: str
    type: ColumnType
    required: bool
    meaning: str
    recorded: bool = True


COLUMNS: tuple[Column, ...] = (
    Column(
        name="kind",
        type="text",
        required=False,
        meaning="increment (default), decrement or read",
    ),
    Column(
        name="start_ns",
        type="int64",
        required=True,
        meaning="just before the first byte was sent, nanoseconds of the host's monotonic clock",
    ),
    Column(
        name="end_ns",
        type="int64",
        required=True,
        meaning="just after the last byte was read; blank if no answer came",
    ),
    Column(
        name="outcome",
        type="text",
        required=True,
        meaning="ok, rejected (certainly not applied) or indeterminate (perhaps applied)",
    ),
    Column(
        name="value",
        type="int64",
        required=True,
        meaning="the integer answered, present exactly when ok",
    ),
    Column(name="host", type="text", required=False, meaning="times compare only within one host"),
    Column(name="worker", type="text", required=False, meaning="connection or user: swarm-0/17"),
    Column(
        name="source", type="text", required=False, meaning="generator: swarm, locust or runner"
    ),
    Column(
        name="intended_ns",
        type="int64",
        required=False,
        meaning="when the open-loop schedule meant it to be sent; blank in a closed loop",
    ),
    Column(
        name="attempts",
        type="int32",
        required=False,
        meaning="sends on the wire (default 1); more than one is a re-send by the client",
    ),
    Column(
        name="status", type="int32", required=False, meaning="HTTP status; blank if no answer came"
    ),
    Column(name="reason", type="text", required=False, meaning="why the outcome is what it is"),
    Column(name="process", type="text", required=False, meaning="the process that recorded it"),
    Column(
        name="delta",
        type="int64",
        required=False,
        meaning="what the operation added, when its answer did not tell the counter's value (then "
        "value is blank); also what one that is indeterminate would have added",
        recorded=False,
    ),
)

_ARROW = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "text": pa.dictionary(pa.int32(), pa.string()),
}


def arrow_type(column: Column) -> pa.DataType:
    """Give the Arrow type of a column."""
    return _ARROW[column.type]


def arrow_schema() -> pa.Schema:
    """Give the Arrow schema of a sealed history, in column order."""
    return pa.schema([(c.name, arrow_type(c)) for c in COLUMNS if c.recorded])
