"""What AWS refuses in a template although every local check passes it: pure functions over it.

Each rule takes the parsed template and returns the sentences of what it found wrong.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, TypeAlias

from deploy.conditions import decided
from deploy.definition import named_by, references

Node: TypeAlias = Any
Rule: TypeAlias = Callable[[Node], list[str]]

SIZE_LIMIT_BYTES = 51_200
"""CreateStack's limit of TemplateBody (AWS: "CloudFormation quotas")."""
KNOWN_METHODS = frozenset({"contains", "matches", "path", "replaceAll", "urlDecode"})
"""Of java.lang.String, `$input` and `$util`, as documented for mapping templates. Extend it only
after looking a method up: the local Velocity may know others than AWS's."""
KNOWN_ATTRIBUTES = frozenset({"input.body", "context.responseOverride.status"})
KNOWN_DIRECTIVES = frozenset({"set", "if", "elseif", "else", "end"})

CALL = re.compile(r"\.([A-Za-z]\w*)\(")
ATTRIBUTE = re.compile(r"\$!?((?:input|util|context|stageVariables)(?:\.\w+)+)(?![\w(])")
DIRECTIVE = re.compile(r"#\{?([a-z]+)\}?")
STATUS_SET = re.compile(r"#set\(\s*\$context\.responseOverride\.status\s*=\s*(?P<value>[^)]*)\)")
BRANCHING = re.compile(rf"(?P<set>{STATUS_SET.pattern})|#(?P<word>if|elseif|else|end)\b")
ACTION = re.compile(r":(?P<service>\w+):action/(?P<action>\w+)$")


def either_way(rule: Rule) -> Rule:
    """Apply a rule to what is deployed with the controls, and to what is without them."""

    @wraps(rule)
    def both(template: Node) -> list[str]:
        return [
            f"{line} (DeployControls {value})"
            for value in ("false", "true")
            for line in rule(decided(template, {"DeployControls": value}))
        ]

    return both


def of_type(template: Node, kind: str) -> Mapping[str, Node]:
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def methods(template: Node) -> Iterator[tuple[str, Node]]:
    for name, resource in of_type(template, "AWS::ApiGateway::Method").items():
        yield name, resource["Properties"]


def text_of(template: Node, node: Node) -> str:
    """Return a mapping template's text; `!Sub` variables stay, they hold no Velocity."""
    if isinstance(node, dict):
        if "Fn::FindInMap" in node:
            top, first, second = node["Fn::FindInMap"]
            return str(template["Mappings"][top][first][second])
        if "Fn::Join" in node:
            between, parts = node["Fn::Join"]
            return str(between).join(text_of(template, part) for part in parts)
        if "Ref" in node:
            return "${" + str(node["Ref"]) + "}"
        return re.sub(r"\$\{!(\w+)\}", r"${\1}", str(node["Fn::Sub"]))
    return str(node)


def response_texts(template: Node, response: Node) -> list[str]:
    return [text_of(template, node) for node in response.get("ResponseTemplates", {}).values()]


def all_texts(template: Node) -> Iterator[tuple[str, str]]:
    for name, method in methods(template):
        integration = method["Integration"]
        for node in integration["RequestTemplates"].values():
            yield f"{name} request", text_of(template, node)
        for response in integration["IntegrationResponses"]:
            for text in response_texts(template, response):
                yield f"{name} response {response['StatusCode']}", text


def responses_are_declared(template: Node) -> list[str]:
    """Every status that a method answers, mapped or overridden, has a MethodResponse."""
    wrong = []
    for name, method in methods(template):
        declared = {str(response["StatusCode"]) for response in method["MethodResponses"]}
        answered = set()
        for response in method["Integration"]["IntegrationResponses"]:
            answered.add(str(response["StatusCode"]))
            for text in response_texts(template, response):
                answered |= {match["value"].strip() for match in STATUS_SET.finditer(text)}
        wrong += [f"{name}: {status} has no MethodResponse" for status in answered - declared]
    return wrong


def headers_are_declared(template: Node) -> list[str]:
    """Every header that an IntegrationResponse sets is declared in its MethodResponse."""
    wrong = []
    for name, method in methods(template):
        declared = {
            str(response["StatusCode"]): set(response.get("ResponseParameters", {}))
            for response in method["MethodResponses"]
        }
        for response in method["Integration"]["IntegrationResponses"]:
            status = str(response["StatusCode"])
            undeclared = set(response.get("ResponseParameters", {})) - declared.get(status, set())
            wrong += [f"{name}: {status} does not declare {header}" for header in undeclared]
    return wrong


@either_way
def the_deployment_waits(template: Node) -> list[str]:
    """A Deployment is a snapshot: it has to come after all that belongs in it.

    A reference in a property is a dependency too (AWS: "DependsOn attribute").
    """
    wanted = {
        *of_type(template, "AWS::ApiGateway::Method"),
        *of_type(template, "AWS::ApiGateway::GatewayResponse"),
    }
    wrong = []
    for name, deployment in of_type(template, "AWS::ApiGateway::Deployment").items():
        referred = {name for _, name in references(deployment["Properties"])}
        missing = wanted - referred - set(listed(deployment.get("DependsOn", [])))
        wrong += [f"{name} does not wait for {other}" for other in missing]
    return wrong or ([] if of_type(template, "AWS::ApiGateway::Deployment") else ["no Deployment"])


def nothing_depends_on_what_may_not_be_there(template: Node) -> list[str]:
    """What depends on a resource that is not created is not created either, silently.

    AWS: "Condition attribute": "regardless of their own conditions".
    """
    conditional = {
        name: resource["Condition"]
        for name, resource in template["Resources"].items()
        if "Condition" in resource
    }
    wrong = []
    for section in ("Resources", "Outputs"):
        for name, part in template[section].items():
            holding = frozenset([part["Condition"]] if "Condition" in part else [])
            explicit = [(other, holding) for other in listed(part.get("DependsOn", []))]
            wrong += [
                f"{name} depends on {other}, which is there only if {conditional[other]}"
                for other, conditions in [*explicit, *dependencies(part, holding)]
                if other in conditional and conditional[other] not in conditions
            ]
    return wrong


def dependencies(node: Node, holding: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what a node refers to, and the conditions that hold if it does."""
    if isinstance(node, list):
        for item in node:
            yield from dependencies(item, holding)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Fn::If":
                condition, if_true, if_false = value
                yield from dependencies(if_true, holding | {condition})
                yield from dependencies(if_false, holding)
            else:
                for kind, name in named_by(key, value):
                    if kind == "Resources":
                        yield name, holding
                yield from dependencies(value, holding)


@either_way
def the_role_may_just_that(template: Node) -> list[str]:
    """The role allows API Gateway the actions that the methods use, on the one table."""
    used = set()
    for _, method in methods(template):
        match = ACTION.search(method["Integration"]["Uri"]["Fn::Sub"])
        used.add(f"{match['service']}:{match['action']}" if match else "no action")
    wrong = []
    for name, role in of_type(template, "AWS::IAM::Role").items():
        properties = role["Properties"]
        trust = [
            (statement.get("Effect"), statement.get("Principal"), statement.get("Action"))
            for statement in properties["AssumeRolePolicyDocument"]["Statement"]
        ]
        if trust != [("Allow", {"Service": "apigateway.amazonaws.com"}, "sts:AssumeRole")]:
            wrong.append(f"{name} is trusted to {trust}")
        statements = [
            (
                statement.get("Effect"),
                set(listed(statement.get("Action"))),
                listed(statement.get("Resource")),
            )
            for policy in properties.get("Policies", [])
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        if statements != [("Allow", used, [{"Fn::GetAtt": ["Table", "Arn"]}])]:
            wrong.append(f"{name} may {statements}, the methods use {sorted(used)} of Table")
        if properties.get("ManagedPolicyArns"):
            wrong.append(f"{name} has managed policies")
    return wrong


def listed(value: Node) -> list[Node]:
    return value if isinstance(value, list) else [value]


def velocity_is_known(template: Node) -> list[str]:
    """Mapping templates use only what AWS documents."""
    wrong = []
    for where, text in all_texts(template):
        wrong += [f"{where}: .{word}()" for word in set(CALL.findall(text)) - KNOWN_METHODS]
        wrong += [f"{where}: ${name}" for name in set(ATTRIBUTE.findall(text)) - KNOWN_ATTRIBUTES]
        wrong += [f"{where}: #{word}" for word in set(DIRECTIVE.findall(text)) - KNOWN_DIRECTIVES]
    return wrong


def a_status_is_set_once(template: Node) -> list[str]:
    """No path through a mapping template overrides the status twice: AWS answers 5XX to that."""
    return [
        f"{where}: the status is set {most} times on one path"
        for where, text in all_texts(template)
        if (most := most_sets(text)) > 1
    ]


def most_sets(text: str) -> int:
    """Count the status overrides on the longest path through a template's branches."""
    frames: list[tuple[int, int]] = []  # before this #if, and the most in its branches so far
    here = 0
    for match in BRANCHING.finditer(text):
        if match["set"]:
            here += 1
        elif match["word"] == "if":
            frames.append((here, 0))
            here = 0
        else:
            before, most = frames.pop()
            most = max(most, here)
            here = 0
            if match["word"] == "end":
                here = before + most
            else:
                frames.append((before, most))
    assert not frames
    return here


RULES: tuple[Rule, ...] = (
    responses_are_declared,
    headers_are_declared,
    the_deployment_waits,
    nothing_depends_on_what_may_not_be_there,
    the_role_may_just_that,
    velocity_is_known,
    a_status_is_set_once,
)


def file_problems(content: bytes) -> list[str]:
    """Say what is wrong with the template as a file."""
    wrong = []
    if not content.isascii():
        wrong.append("not ASCII")
    if b"\r" in content or b"\t" in content:
        wrong.append("other white space than LF and spaces")
    if not content.endswith(b"\n"):
        wrong.append("the last line has no end")
    if len(content) >= SIZE_LIMIT_BYTES:
        wrong.append(f"{len(content)} bytes, the limit is {SIZE_LIMIT_BYTES}")
    return wrong
