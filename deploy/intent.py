"""What `deploy/template.yml` says should be deployed, once its parameters are known.

Reads CloudFormation's YAML with its short tags, and resolves the few functions the template uses:
Ref, Sub, GetAtt, FindInMap.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from deploy.stack import TEMPLATE_PATH, Stack, template_sha256, template_text

Node: TypeAlias = Any
"""A piece of a parsed template."""

VARIABLE = re.compile(r"\$\{(?P<literal>!)?(?P<name>[A-Za-z0-9:.]+)\}")
METHOD_TYPE = "AWS::ApiGateway::Method"
RESOURCE_TYPE = "AWS::ApiGateway::Resource"


class TemplateLoader(yaml.SafeLoader):
    """Safe YAML, with `!Ref x` as `{"Ref": x}` and so on."""


def short_tag(loader: TemplateLoader, name: str, node: yaml.Node) -> Node:
    """Construct a short tag as its long form."""
    long_name = name if name in ("Ref", "Condition") else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        value: Node = loader.construct_scalar(node)
        if name == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {long_name: value}


TemplateLoader.add_multi_constructor("!", short_tag)


def load_template(path: Path = TEMPLATE_PATH) -> Node:
    """Parse a CloudFormation template."""
    return yaml.load(template_text(path), Loader=TemplateLoader)  # noqa: S506 (a SafeLoader)


def defaults_of(template: Node) -> dict[str, str]:
    """Return the default of each of the template's parameters."""
    return {
        name: str(parameter.get("Default", ""))
        for name, parameter in template.get("Parameters", {}).items()
    }


def deviation(stack: Stack, parameters: Mapping[str, str]) -> str | None:
    """Say in what a stack is not the template deployed with these parameters; None if it is."""
    if stack.template_sha256 != template_sha256():
        return "was made from another deploy/template.yml"
    wanted = {**defaults_of(load_template()), **parameters}
    for name in sorted({*wanted, *stack.parameters}):
        found, asked = stack.parameters.get(name, "(none)"), wanted.get(name, "(none)")
        if found != asked:
            return f"has {name} {found}, asked for is {asked}"
    return None


class Resolver:
    """Resolves a template's functions with what is deployed."""

    def __init__(self, template: Node, stack: Stack, region: str) -> None:
        self._template = template
        partition = stack.role_arn.split(":")[1]
        self._values = {
            **defaults_of(template),
            **stack.parameters,
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
    return f"{parent.rstrip('/')}/{properties['PathPart']}"
