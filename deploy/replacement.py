"""Tells from two templates whether the counter's table would stay: no effects.

CloudFormation replaces a resource whose type, logical id or identifying property changes, and
deletes the old one with all that is in it (AWS: "Understand update behaviors of stack resources").
What cannot be told for sure, such as a function written in another way, counts as a change.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.definition import NAMING, TABLE_TYPE, with_referred
from deploy.template import Node

TABLE_OUTPUT = "TableName"
ATTRIBUTES = "AttributeDefinitions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A template, and the values of its parameters."""

    template: Node
    parameters: Mapping[str, str]

    def table(self) -> str | None:
        """Give the logical id of the table that the output names; None if it names none."""
        output = (self.template.get("Outputs") or {}).get(TABLE_OUTPUT) or {}
        value = output.get("Value")
        return value.get("Ref") if isinstance(value, dict) else None

    def part(self, resource: str, name: str) -> dict[str, Node]:
        """Give one attribute or property of a resource, with all it refers to."""
        content = self.template["Resources"][resource]
        found = content.get(name, (content.get("Properties") or {}).get(name))
        return with_referred(self.template, self.parameters, {"": {name: found}})

    def attributes(self, table: str) -> dict[str, Node]:
        """Give the type of each attribute that a table declares, as far as that is written out."""
        declared = (self.template["Resources"][table].get("Properties") or {}).get(ATTRIBUTES)
        return {
            str(each["AttributeName"]): each.get("AttributeType")
            for each in (declared if isinstance(declared, list) else [])
            if isinstance(each, dict) and "AttributeName" in each
        }


def table_lost(old: Definition, new: Definition) -> str | None:
    """Say what of a change would give the counter another table; None if it keeps its own."""
    table = old.table()
    if table is None:
        return None  # not a template of ours: nothing tells which table is the counter's
    if table not in new.template["Resources"]:
        return f"the table {table} is removed or gets another logical id"
    if new.table() != table:
        return f"the output {TABLE_OUTPUT} no longer names the table {table}"
    for name in ("Type", "Condition", *sorted(NAMING[TABLE_TYPE])):
        if old.part(table, name) != new.part(table, name):
            return f"{name} of the table {table} changes"
    # AWS: "AWS::DynamoDB::Table": an attribute more or less replaces nothing, an edited one does.
    before, after = old.attributes(table), new.attributes(table)
    edited = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    return f"{ATTRIBUTES} of the table {table} change {', '.join(edited)}" if edited else None
