"""The template has none of the faults that only AWS would find; each rule is shown to bite."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from deploy.template import TEMPLATE_PATH, load_template
from tests.deploy import template_rules as rules
from tests.deploy.template_rules import Rule

Mutate = Callable[[Any], None]


@pytest.fixture(scope="module")
def parsed() -> Any:
    return load_template()


@pytest.fixture
def template(parsed: Any) -> Any:
    """The template, for this test to spoil."""
    return deepcopy(parsed)


def resource(template: Any, name: str) -> Any:
    return template["Resources"][name]["Properties"]


def replacing(top: str, second: str, old: str, new: str) -> Mutate:
    """Replace a passage in one of the shared mapping templates."""

    def mutate(template: Any) -> None:
        texts = template["Mappings"]["Velocity"][top]
        assert old in texts[second]
        texts[second] = texts[second].replace(old, new)

    return mutate


def in_put_request(old: str, new: str) -> Mutate:
    return replacing("Request", "Number", old, new)


def if_with_controls(if_true: Any, if_false: Any) -> Any:
    return {"Fn::If": ["WithControls", if_true, if_false]}


def statement(template: Any) -> Any:
    return resource(template, "Role")["Policies"][0]["PolicyDocument"]["Statement"][0]


def trust(template: Any) -> Any:
    return resource(template, "Role")["AssumeRolePolicyDocument"]["Statement"][0]


def responses(template: Any, name: str) -> list[Any]:
    found: list[Any] = resource(template, name)["Integration"]["IntegrationResponses"]
    return found


@pytest.mark.parametrize("rule", rules.RULES)
def test_the_template_keeps_every_rule(template: Any, rule: Rule) -> None:
    assert rule(template) == []


@pytest.mark.parametrize(
    ("rule", "mutate", "found"),
    [
        pytest.param(
            rules.responses_are_declared,
            lambda t: resource(t, "GetMethod")["MethodResponses"].pop(),
            "GetMethod: 503 has no MethodResponse",
            id="a MethodResponse gone",
        ),
        pytest.param(
            rules.responses_are_declared,
            lambda t: responses(t, "DecrementMethod")[3].update(StatusCode="504"),
            "DecrementMethod: 504 has no MethodResponse",
            id="a status answered that is not declared",
        ),
        pytest.param(
            rules.responses_are_declared,
            replacing("Failure", "Update", "= 409)", "= 410)"),
            "GetMethod: 410 has no MethodResponse",
            id="a status overridden that is not declared",
        ),
        pytest.param(
            rules.headers_are_declared,
            lambda t: resource(t, "PutMethod")["MethodResponses"][0].pop("ResponseParameters"),
            "PutMethod: 200 does not declare method.response.header.Cache-Control",
            id="no header declared",
        ),
        pytest.param(
            rules.headers_are_declared,
            lambda t: responses(t, "GetMethod")[0]["ResponseParameters"].update(
                {"method.response.header.Tea": "'pot'"}
            ),
            "GetMethod: 200 does not declare method.response.header.Tea",
            id="another header set",
        ),
        pytest.param(
            rules.the_deployment_waits,
            lambda t: t["Resources"]["Deployment"]["DependsOn"].remove("PutMethod"),
            "Deployment does not wait for PutMethod",
            id="a method later than the deployment",
        ),
        pytest.param(
            rules.the_deployment_waits,
            lambda t: t["Resources"]["Deployment"].update(
                DependsOn=["PutMethod", "GetMethod", "DecrementMethod", "ServerErrors"]
            ),
            "Deployment does not wait for ClientErrors",
            id="a gateway response later than the deployment",
        ),
        pytest.param(
            rules.the_deployment_waits,
            lambda t: t["Resources"].pop("Deployment"),
            "no Deployment",
            id="no deployment",
        ),
        pytest.param(
            rules.the_deployment_waits,
            lambda t: resource(t, "Deployment").pop("Description"),
            "Deployment does not wait for UnsafeReadMethod (DeployControls true)",
            id="the controls later than the deployment",
        ),
        pytest.param(
            rules.nothing_depends_on_what_may_not_be_there,
            lambda t: t["Resources"]["Deployment"]["DependsOn"].append("UnsafeReadMethod"),
            "Deployment depends on UnsafeReadMethod, which is there only if WithControls",
            id="DependsOn a control",
        ),
        pytest.param(
            rules.nothing_depends_on_what_may_not_be_there,
            lambda t: t["Resources"]["Stage"].update(DependsOn="UnsafeResource"),
            "Stage depends on UnsafeResource, which is there only if WithControls",
            id="DependsOn as text",
        ),
        pytest.param(
            rules.nothing_depends_on_what_may_not_be_there,
            lambda t: resource(t, "Deployment").update(
                Description={"Fn::Sub": "With ${UnsafeReadMethod}"}
            ),
            "Deployment depends on UnsafeReadMethod, which is there only if WithControls",
            id="a !Sub outside of !If",
        ),
        pytest.param(
            rules.nothing_depends_on_what_may_not_be_there,
            lambda t: resource(t, "Deployment").update(
                Description=if_with_controls("with", {"Ref": "UnsafeReadMethod"})
            ),
            "Deployment depends on UnsafeReadMethod, which is there only if WithControls",
            id="a !Ref where !If says it is not there",
        ),
        pytest.param(
            rules.nothing_depends_on_what_may_not_be_there,
            lambda t: t["Resources"]["UnsafeReadMethod"].pop("Condition"),
            "UnsafeReadMethod depends on UnsafeResource, which is there only if WithControls",
            id="a control without its condition",
        ),
        pytest.param(
            rules.nothing_depends_on_what_may_not_be_there,
            lambda t: t["Outputs"].update(Unsafe={"Value": {"Ref": "UnsafeResource"}}),
            "Unsafe depends on UnsafeResource, which is there only if WithControls",
            id="an output",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: statement(t).update(Action=["dynamodb:UpdateItem"]),
            "the methods use ['dynamodb:PutItem', 'dynamodb:UpdateItem'] of Table",
            id="an action missing",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: statement(t).update(Action=statement(t)["Action"]["Fn::If"][1]),
            "the methods use ['dynamodb:PutItem', 'dynamodb:UpdateItem'] of Table "
            "(DeployControls false)",
            id="an action of the controls without them",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: statement(t).update(Action=statement(t)["Action"]["Fn::If"][2]),
            "the methods use ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'] of "
            "Table (DeployControls true)",
            id="controls without their action",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: statement(t).update(Action="dynamodb:*"),
            "Role may [('Allow', {'dynamodb:*'}",
            id="any action",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: resource(t, "GetMethod")["Integration"].update(
                Uri={"Fn::Sub": "arn:aws:apigateway:x:dynamodb:action/GetItem"}
            ),
            "the methods use ['dynamodb:GetItem',",
            id="another action used",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: statement(t).update(Resource="*"),
            "Role may [('Allow',",
            id="any table",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: statement(t).update(Resource=[{"Fn::GetAtt": ["Table", "Arn"]}, "*"]),
            "Role may [('Allow',",
            id="one more resource",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: statement(t).update(Effect="Deny"),
            "Role may [('Deny',",
            id="denied",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: trust(t).update(Principal={"Service": "lambda.amazonaws.com"}),
            "Role is trusted to [('Allow', {'Service': 'lambda.amazonaws.com'}",
            id="trusted to another service",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: trust(t)["Principal"].update(AWS="*"),
            "Role is trusted to [('Allow', {'Service': 'apigateway.amazonaws.com', 'AWS': '*'}",
            id="trusted to everybody as well",
        ),
        pytest.param(
            rules.the_role_may_just_that,
            lambda t: resource(t, "Role").update(ManagedPolicyArns=["arn:aws:iam::aws:policy/X"]),
            "Role has managed policies",
            id="a managed policy",
        ),
        pytest.param(
            rules.velocity_is_known,
            replacing("Failure", "Put", ".contains(", ".includes("),
            "PutMethod response 500: .includes()",
            id="a method of JavaScript",
        ),
        pytest.param(
            rules.velocity_is_known,
            replacing("Answer", "Number", "$value.matches", "$value.strip().matches"),
            "GetMethod response 200: .strip()",
            id="a method of newer Javas",
        ),
        pytest.param(
            rules.velocity_is_known,
            in_put_request("$util.urlDecode", "$util.decode"),
            "PutMethod request: .decode()",
            id="no method of $util",
        ),
        pytest.param(
            rules.velocity_is_known,
            in_put_request('"$!input.body"', '"$!input.text"'),
            "PutMethod request: $input.text",
            id="no attribute of $input",
        ),
        pytest.param(
            rules.velocity_is_known,
            replacing(
                "Answer", "Number", "#set($context.responseOverride.status", "#set($context.s"
            ),
            "GetMethod response 200: $context.s",
            id="no override",
        ),
        pytest.param(
            rules.velocity_is_known,
            in_put_request("#set($value = '1')", "#put($value = '1')"),
            "PutMethod request: #put",
            id="no directive",
        ),
        pytest.param(
            rules.a_status_is_set_once,
            replacing(
                "Failure",
                "Update",
                "#if($type",
                "#set($context.responseOverride.status = 500)\n#if($type",
            ),
            "GetMethod response 500: the status is set 2 times on one path",
            id="a default first, then another",
        ),
        pytest.param(
            rules.a_status_is_set_once,
            replacing("Failure", "Put", "#elseif", "#end\n#if"),
            "PutMethod response 500: the status is set 2 times on one path",
            id="#if after #if in the place of #elseif",
        ),
        pytest.param(
            rules.a_status_is_set_once,
            replacing(
                "Answer",
                "Number",
                "#end",
                "#if($a)#set($context.responseOverride.status=500)#end#end",
            ),
            "GetMethod response 200: the status is set 2 times on one path",
            id="an inner branch",
        ),
    ],
)
def test_each_rule_catches_its_fault(template: Any, rule: Rule, mutate: Mutate, found: str) -> None:
    mutate(template)
    wrong = rule(template)
    assert any(found in line for line in wrong), wrong


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("", 0),
        ("S", 1),
        ("SS", 2),
        ("#if(a)S#end", 1),
        ("#if(a)S#elseif(b)S#else S#end", 1),
        ("#if(a)S#end S", 2),
        ("S#if(a)x#else S#end", 2),
        ("#if(a)S#end#if(b)S#end", 2),
        ("#if(a)#if(b)S#end#else#if(c)S#end#end", 1),
        ("#if(a)#if(b)S#end S#else S#end S", 3),
    ],
)
def test_the_most_sets_on_one_path(text: str, most: int) -> None:
    set_status = "#set($context.responseOverride.status = 400)"
    assert rules.most_sets(text.replace("S", set_status)) == most


def test_the_template_file() -> None:
    assert rules.file_problems(TEMPLATE_PATH.read_bytes()) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b"counter", "zähler".encode(), "not ASCII"),
        (b"\n", b"\r\n", "other white space than LF and spaces"),
        (b"  ", b"\t", "other white space than LF and spaces"),
        (b"\n", b"\n" + b"#" * 500 + b"\n", "bytes, the limit is 51200"),
        (b"\n", b"", "the last line has no end"),
    ],
    ids=["umlaut", "CRLF", "tab", "size", "no last line end"],
)
def test_a_template_file_with_a_fault(old: bytes, new: bytes, found: str) -> None:
    content = TEMPLATE_PATH.read_bytes()
    assert old in content
    assert any(found in line for line in rules.file_problems(content.replace(old, new)))
