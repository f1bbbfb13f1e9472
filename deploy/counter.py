"""The counter as the table itself has it."""

import re

from deploy.cloud import Cloud, aws_errors
from deploy.stack import Stack
from history.errors import UserError

KEY = {"id": {"S": "counter"}}
ATTRIBUTE = "tally"
INTEGER = re.compile(r"-?[0-9]+")


def read_counter(cloud: Cloud, stack: Stack) -> int:
    """Read the counter strongly consistently, every digit exact.

    Raises UserError if there is no counter yet or it is not an integer.
    """
    with aws_errors(f"reading the counter in table {stack.table_name}"):
        answer = cloud.dynamodb().get_item(TableName=stack.table_name, Key=KEY, ConsistentRead=True)
    text = answer.get("Item", {}).get(ATTRIBUTE, {}).get("N")
    if text is None:
        raise UserError(f"table {stack.table_name} has no counter yet: PUT {stack.url} makes one")
    if INTEGER.fullmatch(text) is None:
        raise UserError(f"table {stack.table_name} holds {text!r}, which is not an integer")
    return int(text)
