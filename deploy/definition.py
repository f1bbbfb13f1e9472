"""Names the API's deployment after the API's definition: text in, text out, no effects.

An AWS::ApiGateway::Deployment is a snapshot of the API taken when the resource is created. Updating
it takes no other, not even with a new Description; only a resource with a new logical id does
(AWS: "AWS::ApiGateway::Deployment"; "Create a deployment for a REST API in API Gateway"). So the
template is sent with that logical id ending in a hash of whatever the snapshot holds: a changed
API gets a new deployment, an unchanged one keeps its own. Nothing else of the text is changed. What
the template's conditions leave out is in no snapshot, so it is not in the hash either.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

import yaml

from deploy.conditions import decided
from deploy.template import Node, parse, values_of
from history.errors import UserError

API_PREFIX = "AWS::ApiGateway::"
DEPLOYMENT_TYPE = "AWS::ApiGateway::Deployment"
BESIDE_THE_SNAPSHOT = frozenset(
    API_PREFIX + name
    for name in (
        "Account",
        "BasePathMapping",
        "ClientCertificate",
        "Deployment",
        "DomainName",
        "Stage",
        "UsagePlan",
        "UsagePlanKey",
    )
)
"""What is live, or belongs to a stage or the account; all else needs a new deployment (AWS:
"Updates to a REST API that require redeployment", which says nothing of client certificates and
plans' keys)."""
TABLE_TYPE = "AWS::DynamoDB::Table"
NAMING = {
    TABLE_TYPE: {
        "ImportSourceSpecification",
        "KeySchema",
        "LocalSecondaryIndexes",
        "TableName",
    },
    "AWS::IAM::Role": {"Path", "RoleName"},
}
"""The properties whose change replaces a resource, so that its name or ARN in the API changes too
(AWS: "Update requires: Replacement" on each type's page). Of other types: all properties."""

HASH_DIGITS = 16
SUFFIX = re.compile(rf"Sha[0-9a-f]{{{HASH_DIGITS}}}$")
SUBSTITUTION = re.compile(r"\$\{(?P<name>[A-Za-z0-9:]+)(?:\.[A-Za-z0-9.]+)?\}")
"""A reference within Fn::Sub; `${!x}`, which is none, does not match."""


def deployment_of(text: str) -> str:
    """Give the logical id of a template's one deployment. Raises UserError if it has not one."""
    resources = parse(text).content["Resources"]
    found = [name for name, resource in resources.items() if resource["Type"] == DEPLOYMENT_TYPE]
    if len(found) != 1:
        raise UserError(
            f"the template has {len(found)} resources of type {DEPLOYMENT_TYPE}"
            f"{': ' if found else ''}{', '.join(found)}; expected exactly one, which the stage "
            "names by !Ref, so that it can be made anew when the API changes"
        )
    return str(found[0])


def to_send(text: str, parameters: Mapping[str, str]) -> str:
    """Return the template with its deployment named after the API's definition."""
    plain = as_written(text)
    return with_deployment(plain, deployment_of(plain) + suffix_of(plain, parameters))


def as_written(text: str) -> str:
    """Undo `to_send`: return the template with its deployment named as in `deploy/template.yml`."""
    return with_deployment(text, SUFFIX.sub("", deployment_of(text)))


def suffix_of(text: str, parameters: Mapping[str, str]) -> str:
    """Hash what a deployment of the API would freeze, as the end of a logical id."""
    template = decided(parse(text).content, parameters)
    frozen = json.dumps(definition_of(template, parameters), sort_keys=True, default=str)
    return "Sha" + hashlib.sha256(frozen.encode()).hexdigest()[:HASH_DIGITS]


def definition_of(template: Node, parameters: Mapping[str, str]) -> dict[str, Node]:
    """Collect the API's resources and all they refer to, directly or not."""
    return with_referred(
        template,
        parameters,
        {
            f"Resources.{name}": identity_of(resource)
            for name, resource in template["Resources"].items()
            if resource["Type"].startswith(API_PREFIX)
            and resource["Type"] not in BESIDE_THE_SNAPSHOT
        },
    )


def with_referred(
    template: Node, parameters: Mapping[str, str], nodes: Mapping[str, Node]
) -> dict[str, Node]:
    """Add to some pieces of a template all that they refer to, directly or not."""
    values = values_of(template, parameters)
    resources = template["Resources"]
    definition: dict[str, Node] = {}
    pending = list(nodes.items())
    while pending:
        name, node = pending.pop()
        if name in definition:
            continue
        definition[name] = node
        for kind, referred in references(node):
            if kind != "Resources":
                pending.append((f"{kind}.{referred}", (template.get(kind) or {}).get(referred)))
            elif referred in values:
                definition[f"Parameters.{referred}"] = values[referred]
            elif referred in resources and resources[referred]["Type"] not in BESIDE_THE_SNAPSHOT:
                pending.append((f"Resources.{referred}", identity_of(resources[referred])))
    return definition


def identity_of(resource: Node) -> Node:
    """Keep of a resource what decides what the API is; of a table or role, what names it."""
    kind, properties = resource["Type"], resource.get("Properties") or {}
    named = NAMING.get(kind, properties)
    return {
        "Type": kind,
        "Condition": resource.get("Condition"),
        "Properties": {name: value for name, value in properties.items() if name in named},
    }


def references(node: Node) -> Iterator[tuple[str, str]]:
    """Yield what a node refers to, as a section of the template and a name in it.

    Parameters and resources share their names and come as "Resources".
    """
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from named_by(key, value)
            yield from references(value)


def named_by(key: str, value: Node) -> Iterator[tuple[str, str]]:
    """Yield what one function names by itself, without what it contains."""
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, str):
        return
    if key == "Ref":
        yield "Resources", first
    elif key == "Fn::GetAtt":
        yield "Resources", first.partition(".")[0]
    elif key == "Fn::Sub":
        for match in SUBSTITUTION.finditer(first):
            yield "Resources", match["name"]
    elif key == "Fn::FindInMap":
        yield "Mappings", first
    elif key in ("Condition", "Fn::If"):
        yield "Conditions", first


def with_deployment(text: str, new: str) -> str:
    """Rename a template's deployment wherever it is named, and change nothing else of the text."""
    old = deployment_of(text)
    if old == new:
        return text
    whole = re.compile(rf"(?P<before>(?:[!&]\S*\s+)*[\"']?){old}(?![A-Za-z0-9])")
    inserted = re.compile(rf"(?P<before>\$\{{){old}(?=[.}}])")
    edits = {
        (node.start_mark.index, node.end_mark.index): inserted if within else whole
        for node, within in mentions(parse(text).root, old)
    }
    for (start, end), pattern in sorted(edits.items(), reverse=True):
        renamed = pattern.sub(rf"\g<before>{new}", text[start:end], count=pattern is whole)
        text = text[:start] + renamed + text[end:]
    return text


def mentions(root: yaml.Node | None, name: str) -> Iterator[tuple[yaml.Node, bool]]:
    """Yield every scalar that names a resource, and whether it does so within an Fn::Sub."""
    for key, resource in pairs(pairs_by_key(root).get("Resources")):
        if key.value == name:
            yield key, False
        for scalar in scalars(pairs_by_key(resource).get("DependsOn")):
            if scalar.value == name:
                yield scalar, False
    yield from function_mentions(root, name)


def function_mentions(node: yaml.Node | None, name: str) -> Iterator[tuple[yaml.Node, bool]]:
    """Yield the mentions by Ref, Fn::GetAtt and Fn::Sub, in short or long form, at any depth."""
    if node is None:
        return
    yield from mentions_by(node.tag.removeprefix("!"), node, name)
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from function_mentions(item, name)
    for key, value in pairs(node):
        yield from mentions_by(str(key.value).removeprefix("Fn::"), value, name)
        yield from function_mentions(value, name)


def mentions_by(function: str, node: yaml.Node, name: str) -> Iterator[tuple[yaml.Node, bool]]:
    """Yield the mention that one function makes with its own argument, if it makes one."""
    first = next(scalars(node), None)
    if first is None:
        return
    if (function == "Ref" and first.value == name) or (
        function == "GetAtt" and first.value.partition(".")[0] == name
    ):
        yield first, False
    elif function == "Sub":
        own = node.value[1] if isinstance(node, yaml.SequenceNode) and node.value[1:] else None
        if name not in pairs_by_key(own):  # else ${name} is that variable
            yield first, True


def pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    """Give a mapping's keys and values; none for anything else."""
    return node.value if isinstance(node, yaml.MappingNode) else []


def pairs_by_key(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """Give a mapping's values by key."""
    return {str(key.value): value for key, value in pairs(node)}


def scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Yield a scalar itself, or the scalars of a sequence."""
    for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        if isinstance(item, yaml.ScalarNode):
            yield item
