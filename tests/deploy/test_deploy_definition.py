"""The deployment's logical id follows the API's definition, and the text is changed nowhere else.

AWS: "AWS::ApiGateway::Deployment", "Updates to a REST API that require redeployment".
"""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.definition import as_written, deployment_of, suffix_of, to_send, with_deployment
from deploy.template import parse, template_text
from history.errors import UserError

TEXT = template_text()
NAME = re.compile(r"DeploymentSha[0-9a-f]{16}")


def name_of(text: str = TEXT, **parameters: str) -> str:
    return suffix_of(text, parameters)


def replaced(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new)


def test_only_the_deployments_name_is_changed() -> None:
    sent = to_send(TEXT, {})
    assert NAME.fullmatch(deployment_of(sent))
    assert deployment_of(sent) == "Deployment" + name_of()
    changed = [
        (old, new)
        for old, new in zip(TEXT.splitlines(), sent.splitlines(), strict=True)
        if old != new
    ]
    assert [old for old, _ in changed] == ["  Deployment:", "      DeploymentId: !Ref Deployment"]
    assert NAME.sub("Deployment", sent) == TEXT
    assert as_written(sent) == TEXT
    assert to_send(sent, {}) == sent
    assert as_written(TEXT) == TEXT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("Done: '{\"ok\":true}'", "Done: '{\"ok\":1}'", id="a response template"),
        pytest.param("Uri: !Sub arn:", "Uri: !Sub  arn:x", id="an integration"),
        pytest.param("SelectionPattern: 5\\d{2}", "SelectionPattern: 5\\d+", id="a pattern"),
        pytest.param("TimeoutInMillis: 29000", "TimeoutInMillis: 28000", id="a time-out"),
        pytest.param("HttpMethod: POST\n      A", "HttpMethod: PATCH\n      A", id="a verb"),
        pytest.param('{StatusCode: "409", R', '{StatusCode: "410", R', id="a method response"),
        pytest.param("ResponseType: DEFAULT_5XX", "ResponseType: THROTTLED", id="whose response"),
        pytest.param("Cache-Control: \"'no-store'\"}", "Cache-Control: \"'no'\"}", id="a header"),
        pytest.param("PathPart: decrement", "PathPart: down", id="a path"),
        pytest.param("Types: [REGIONAL]", "Types: [EDGE]", id="the API itself"),
        pytest.param("  DecrementMethod:\n", "  Down:\n", id="a resource's name"),
        pytest.param("Default: UPDATED_NEW", "Default: UPDATED_OLD", id="a default"),
        pytest.param(
            "\n  # A deployment is a",
            "\n  More:\n    Type: AWS::ApiGateway::Model\n    Properties: {RestApiId: !Ref Api}\n"
            "\n  # A deployment is a",
            id="one more",
        ),
        pytest.param(
            "AttributeName: id, KeyType",
            "AttributeName: key, KeyType",
            id="what replaces the table",
        ),
        pytest.param(
            "Description: Lets", "RoleName: r\n      Description: Lets", id="the role's ARN"
        ),
    ],
)
def test_a_changed_api_has_another_deployment(old: str, new: str) -> None:
    assert name_of(replaced(old, new)) != name_of()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("# What the gateway answers", "# What it answers", id="a comment"),
        pytest.param("Gapless: a counter", "A counter", id="the template's description"),
        pytest.param("      BillingMode: PAY_PER_REQUEST\n", "", id="how the table is billed"),
        pytest.param(
            "- [dynamodb:PutItem, dynamodb:UpdateItem]",
            "- [dynamodb:Query, dynamodb:UpdateItem]",
            id="what the role may",
        ),
        pytest.param("Description: Where PUT, GET", "Description: Whither", id="an output"),
        pytest.param("Default: v1", "Default: v2", id="the stage's name"),
        pytest.param(
            "StageName: !Ref StageName\n",
            "StageName: !Ref StageName\n      Variables: {a: b}\n",
            id="a stage variable",
        ),
        pytest.param("DependsOn: [PutMethod, ", "DependsOn: [", id="what it waits for"),
        pytest.param(
            "- Without the controls",
            "- Without any controls",
            id="the deployment's own description",
        ),
        pytest.param(
            "\nOutputs:",
            "\n  Plan:\n    Type: AWS::ApiGateway::UsagePlan\n    Properties:\n      ApiStages:\n"
            "        - {ApiId: !Ref Api, Stage: !Ref Stage}\n\nOutputs:",
            id="a usage plan",
        ),
    ],
)
def test_a_change_elsewhere_keeps_the_deployment(old: str, new: str) -> None:
    assert name_of(replaced(old, new)) == name_of()


def test_parameters_count_only_where_the_api_uses_them() -> None:
    assert name_of(ReturnValues="UPDATED_NEW") == name_of()
    assert name_of(ReturnValues="UPDATED_OLD") != name_of()
    assert name_of(StageName="v2") == name_of()


WITH_CONTROLS = {"DeployControls": "true"}
CONTROLS = re.compile(r"  Unsafe\w+:\n(?:    .*\n|\n(?=    ))+")


def test_the_controls_change_the_deployment_only_where_they_are() -> None:
    assert name_of(DeployControls="false") == name_of()
    assert name_of(**WITH_CONTROLS) != name_of()
    without, removed = CONTROLS.subn("", TEXT)
    assert removed == 3
    assert name_of(without) == name_of()
    assert name_of(without, **WITH_CONTROLS) == name_of()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("PathPart: unsafe", "PathPart: danger", id="their path"),
        pytest.param('"ConsistentRead":true', '"ConsistentRead":false', id="their request"),
        pytest.param("$.Item.tally.N", "$.Item.tally.S", id="their answer"),
    ],
)
def test_a_change_of_the_controls_counts_only_if_they_are_deployed(old: str, new: str) -> None:
    changed = replaced(old, new)
    assert name_of(changed) == name_of()
    assert name_of(changed, **WITH_CONTROLS) != name_of(**WITH_CONTROLS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("WithControls", "Controlled", id="the condition's name"),
        pytest.param("DeployControls", "Unsafe", id="the parameter's name"),
        pytest.param("Value: !Ref DeployControls", "Value: x", id="the output"),
    ],
)
def test_how_the_controls_are_asked_for_does_not_count(old: str, new: str) -> None:
    assert name_of(replaced(old, new)) == name_of()


CONDITIONAL = """\
Parameters: {Slow: {Type: String, Default: "no"}, Other: {Type: String, Default: "1"}}
Mappings: {Used: {A: {B: one}}, Unused: {A: {B: one}}}
Conditions:
  IsSlow: !Equals [!Ref Slow, "yes"]
Resources:
  D: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: !If [IsSlow, !FindInMap [Used, A, B], x], Fast: !GetAtt Queue.Arn}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${AWS::StackName}-q"}}
"""


@pytest.mark.parametrize(
    ("old", "new", "parameters", "same"),
    [
        pytest.param("", "", {"Slow": "yes"}, False, id="a condition's parameter"),
        pytest.param("", "", {"Slow": "nein"}, True, id="the condition is as false as before"),
        pytest.param('"yes"]', '"no"]', {}, False, id="a condition"),
        pytest.param('"yes"]', '"oui"]', {}, True, id="a condition as false as before"),
        pytest.param('Slow, "yes"]', 'AWS::Region, "x"]', {}, False, id="a condition not known"),
        pytest.param(", x]", ", y]", {}, False, id="what is taken"),
        pytest.param("Used: {A: {B: one}}, ", "Used: {A: {B: two}}, ", {}, True, id="a mapping"),
        pytest.param("-q", "-r", {}, False, id="a resource of any other type it refers to"),
        pytest.param("", "", {"Other": "2"}, True, id="a parameter nobody uses"),
        pytest.param("Unused: {A: {B: one}}", "Unused: {}", {}, True, id="an unused mapping"),
    ],
)
def test_what_the_api_refers_to_counts_however_far_away(
    old: str, new: str, parameters: Mapping[str, str], *, same: bool
) -> None:
    assert old in CONDITIONAL
    changed = name_of(CONDITIONAL.replace(old, new, 1), **parameters)
    assert (changed == name_of(CONDITIONAL)) is same


MENTIONS = """\
# Deployment, !Ref Deployment and ${Deployment} in a comment stay
Description: Deployment and !Ref Deployment and ${Deployment}
Resources:
  "Deployment": # Deployment
    Type: AWS::ApiGateway::Deployment
    DependsOn: Api
    Properties: {RestApiId: !Ref Api, Description: Deployment}
  Api: {Type: 'AWS::ApiGateway::RestApi', Properties: {Name: Deployment}}
  DeploymentX: {Type: X, DependsOn: ["Deployment", Api]}
  Y:
    Type: X
    DependsOn: Deployment
    Properties:
      A: [!Ref Deployment, !Ref 'Deployment', {Ref: Deployment}, {"Ref": "Deployment"}]
      B: [!GetAtt Deployment.DeploymentId, {Fn::GetAtt: [Deployment, DeploymentId]}]
      C: !GetAtt [Deployment, Deployment]
      D: !Sub "${Deployment}-${!Deployment}-${DeploymentX}-Deployment-${Deployment.DeploymentId}"
      E: !Sub |-
        ${Deployment}
          é Deployment ${Deployment}
      F: !Sub ["${Deployment}${Api}", {Other: !Ref Deployment}]
      G: !Sub ["${Deployment}${Api}", {Deployment: mine}]
      H: {"Fn::Sub": "${Deployment}"}
      Deployment: Deployment
      I: [&anchor !Ref Deployment, *anchor]
"""
RENAMED = {
    "A": [{"Ref": "New"}] * 4,
    "B": [{"Fn::GetAtt": ["New", "DeploymentId"]}] * 2,
    "C": {"Fn::GetAtt": ["New", "Deployment"]},
    "D": {"Fn::Sub": "${New}-${!Deployment}-${DeploymentX}-Deployment-${New.DeploymentId}"},
    "E": {"Fn::Sub": "${New}\n  é Deployment ${New}"},
    "F": {"Fn::Sub": ["${New}${Api}", {"Other": {"Ref": "New"}}]},
    "G": {"Fn::Sub": ["${Deployment}${Api}", {"Deployment": "mine"}]},
    "H": {"Fn::Sub": "${New}"},
    "Deployment": "Deployment",
    "I": [{"Ref": "New"}] * 2,
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_every_way_of_naming_it_is_renamed_and_nothing_else(line_end: str) -> None:
    text = MENTIONS.replace("\n", line_end)
    renamed = with_deployment(text, "New")
    template = parse(renamed).content
    assert template["Description"] == "Deployment and !Ref Deployment and ${Deployment}"
    assert list(template["Resources"]) == ["New", "Api", "DeploymentX", "Y"]
    assert template["Resources"]["New"] == {
        "Type": "AWS::ApiGateway::Deployment",
        "DependsOn": "Api",
        "Properties": {"RestApiId": {"Ref": "Api"}, "Description": "Deployment"},
    }
    assert template["Resources"]["Api"]["Properties"] == {"Name": "Deployment"}
    assert template["Resources"]["DeploymentX"]["DependsOn"] == ["New", "Api"]
    assert template["Resources"]["Y"]["DependsOn"] == "New"
    assert template["Resources"]["Y"]["Properties"] == RENAMED
    assert with_deployment(renamed, "Deployment") == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            "Resources: {A: {Type: X}}", "the template has 0 resources of type", id="none"
        ),
        pytest.param(
            "Resources: {A: {Type: AWS::ApiGateway::Deployment}, "
            "B: {Type: AWS::ApiGateway::Deployment}}",
            "has 2 resources of type AWS::ApiGateway::Deployment: A, B; expected exactly one",
            id="two",
        ),
        pytest.param("Resources: [", "the template is not YAML: while parsing", id="not YAML"),
        pytest.param("", "the template has no Resources", id="nothing"),
        pytest.param("Resources: {A: 1}", "the template has no Resources", id="no type"),
    ],
)
def test_a_template_without_one_deployment_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        to_send(text, {})


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
VALUES = st.recursive(
    st.sampled_from(["D", "a $b", "", "${D}", "7", "é"]) | NAMES.map(lambda name: {"Ref": name}),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=5,
)


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    """A template with one deployment D, an API, and resources of other types."""
    others = draw(
        st.dictionaries(NAMES.filter(lambda name: name not in {"D", "Api"}), VALUES, max_size=3)
    )
    return {
        "Outputs": {"Api": {"Value": draw(VALUES)}},
        "Resources": {
            "D": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": "x"}},
            "Api": {"Type": "AWS::ApiGateway::Method", "Properties": {"Value": draw(VALUES)}},
            **{
                name: {"Type": "AWS::Other::Thing", "Properties": {"Value": value}}
                for name, value in others.items()
            },
        },
    }


@settings(max_examples=40)
@given(template=templates(), other=VALUES, flow=st.booleans())
def test_any_template_comes_back_and_only_its_api_names_its_deployment(
    template: dict[str, Any], other: Any, *, flow: bool
) -> None:
    def text() -> str:
        return str(yaml.safe_dump(template, default_flow_style=flow, allow_unicode=True))

    before = text()
    name = name_of(before)
    assert as_written(to_send(before, {})) == before
    template["Outputs"]["Api"]["Value"] = other
    assert name_of(text()) == name
    properties = template["Resources"]["Api"]["Properties"]
    changed = properties["Value"] != other
    properties["Value"] = other
    assert (name_of(text()) != name) == changed
