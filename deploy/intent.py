"""What `deploy/template.yml` says should be deployed, once its parameters are known.

Resolves the few functions that the template uses: Ref, Sub, GetAtt, FindInMap, Join. Of a condition
nothing is left by then (`deploy.conditions`).
"""

import re
from collections.abc import Mapping

from deploy.stack import Stack
from deploy.template import Node, values_of

VARIABLE = re.compile(r"\$\{(?P<literal>!)?(?P<name>[A-Za-z0-9:.]+)\}")
METHOD_TYPE = "AWS::ApiGateway::Method"
RESOURCE_TYPE = "AWS::ApiGateway::Resource"


class Resolver:
    """Resolves a template's functions with what is deployed."""

    def __init__(self, template: Node, stack: Stack, region: str) -> None:
        self._template = template
        partition = stack.role_arn.split(":")[1]
        self._values = {
            **values_of(template, stack.parameters),
            "AWS::Region": region,
            "AWS::Partition": partition,
            "AWS::StackName": stack.name,
            "Api": stack.api_id,
            "Table": stack.table_name,
            "Role.Arn": stack.role_arn,
        }

    def resolve(self, node: Node) -> Node:  # noqa: PLR0911 (one return per function)
        """Return the node with every function it contains replaced by its value."""
        if isinstance(node, list):
            return [self.resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, value = next(iter(node.items()))
            if name == "Ref":
                return self._value(value)
            if name == "Fn::GetAtt":
                return self._value(".".join(value))
            if name == "Fn::Sub":
                return VARIABLE.sub(self._substitute, value)
            if name == "Fn::FindInMap":
                return self._mapped(*value)
            if name == "Fn::Join":
                return value[0].join(self.resolve(value[1]))
        return {name: self.resolve(value) for name, value in node.items()}

    def _mapped(self, top: str, first: str, second: str) -> Node:
        return self._template["Mappings"][top][first][second]

    def _substitute(self, match: re.Match[str]) -> str:
        if match["literal"]:
            return "${" + match["name"] + "}"
        return self._value(match["name"])

    def _value(self, name: str) -> str:
        return self._values.get(name, f"<{name}>")


def intended_methods(template: Node, resolver: Resolver) -> dict[tuple[str, str], Node]:
    """Return each method's resolved properties by (path, HTTP method)."""
    resources: Mapping[str, Node] = template["Resources"]
    methods = {}
    for resource in resources.values():
        if resource["Type"] == METHOD_TYPE:
            properties = resource["Properties"]
            path = path_of(properties["ResourceId"], resources)
            methods[path, properties["HttpMethod"]] = resolver.resolve(properties)
    return methods


def path_of(reference: Node, resources: Mapping[str, Node]) -> str:
    """Return the path of the resource that a method refers to."""
    if "Fn::GetAtt" in reference:
        return "/"
    properties = resources[reference["Ref"]]["Properties"]
    parent = path_of(properties["ParentId"], resources)
    return f"{parent.rstrip('/')}/{properties.get('PathPart', '(no PathPart)')}"
