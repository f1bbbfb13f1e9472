"""What of a template its conditions leave, once its parameters are known: pure.

CloudFormation evaluates all conditions before it creates or changes any resource (AWS: "Condition
functions"). Of their functions those over parameters and text are known here; a condition that
needs more, such as the region, stays in the template as it is written, with all it decides.
"""

from collections.abc import Callable, Mapping

from deploy.template import Node, values_of

NO_VALUE = {"Ref": "AWS::NoValue"}
"""In the place of a property: it is not there."""


def decided(template: Node, parameters: Mapping[str, str]) -> Node:
    """Return the template without the resources that it does not deploy.

    Every Fn::If is replaced by what it gives, and a resource's Condition that holds is left out.
    """
    conditions = conditions_of(template, parameters)
    content: dict[str, Node] = {
        name: chosen(section, conditions) for name, section in template.items()
    }
    content["Resources"] = {
        name: without_condition(resource, conditions)
        for name, resource in content["Resources"].items()
        if conditions.get(resource.get("Condition")) is not False
    }
    return content


def without_condition(resource: Node, conditions: Mapping[str, bool | None]) -> Node:
    """Leave out a Condition that holds; one that is not known stays."""
    if not conditions.get(resource.get("Condition")):
        return resource
    return {name: value for name, value in resource.items() if name != "Condition"}


def chosen(node: Node, conditions: Mapping[str, bool | None]) -> Node:
    """Replace every Fn::If by the branch that its condition takes, and drop what has no value."""
    if isinstance(node, list):
        items = [chosen(item, conditions) for item in node]
        return [item for item in items if item != NO_VALUE]
    if not isinstance(node, dict):
        return node
    if node.keys() == {"Fn::If"}:
        name, if_true, if_false = node["Fn::If"]
        holds = conditions.get(name)
        if holds is None:
            return node
        return chosen(if_true if holds else if_false, conditions)
    values = {key: chosen(value, conditions) for key, value in node.items()}
    return {key: value for key, value in values.items() if value != NO_VALUE}


def conditions_of(template: Node, parameters: Mapping[str, str]) -> dict[str, bool | None]:
    """Say of every condition of a template whether it holds; None if that cannot be told."""
    values = values_of(template, parameters)
    written = template.get("Conditions") or {}
    return {name: holds(node, written, values) for name, node in written.items()}


COMBINED: Mapping[str, Callable[[list[bool]], bool]] = {
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::Not": lambda parts: not parts[0],
}


def holds(node: Node, written: Mapping[str, Node], values: Mapping[str, str]) -> bool | None:
    """Evaluate one condition."""
    if not isinstance(node, dict) or len(node) != 1:
        return None
    function, argument = next(iter(node.items()))
    if function == "Condition":
        return holds(written.get(argument), written, values)
    if function == "Fn::Equals":
        left, right = (text_of(side, values) for side in argument)
        return None if left is None or right is None else left == right
    if function not in COMBINED:
        return None
    parts = [holds(part, written, values) for part in argument]
    known = [part for part in parts if part is not None]
    return COMBINED[function](known) if known == parts else None


def text_of(node: Node, values: Mapping[str, str]) -> str | None:
    """Give a text or a parameter's value; None for anything else."""
    if isinstance(node, dict) and node.keys() == {"Ref"}:
        return values.get(node["Ref"])
    return node if isinstance(node, str) else None
