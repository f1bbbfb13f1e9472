"""What a template's conditions leave of it, as AWS's page "Condition functions" has it."""

from typing import Any

import pytest

from deploy.conditions import conditions_of, decided
from deploy.template import parse

TEXT = """\
Parameters: {Size: {Type: String, Default: small}, Place: {Type: String, Default: here}}
Conditions:
  IsBig: !Equals [!Ref Size, big]
  IsSmall: !Not [!Condition IsBig]
  IsHere: !Equals [here, !Ref Place]
  Both: !And [!Condition IsBig, !Condition IsHere]
  Any: !Or [!Condition IsBig, !Condition IsHere]
  InEurope: !Equals [!Ref AWS::Region, eu-west-1]
  BigInEurope: !And [!Condition IsBig, !Condition InEurope]
  Joined: !Equals [!Join ["", [a]], a]
Resources:
  Always: {Type: X}
  Big: {Type: X, Condition: IsBig}
  Small: {Type: X, Condition: IsSmall}
  European: {Type: X, Condition: InEurope}
  Y:
    Type: X
    Properties:
      Taken: !If [IsBig, !Ref Big, !Ref Small]
      Nested: !If [IsBig, 1, !If [IsHere, [!Ref Place], 3]]
      Gone: !If [IsBig, 1, !Ref AWS::NoValue]
      List: [1, !If [IsBig, 2, !Ref AWS::NoValue], 3]
      Unknown: !If [InEurope, !If [IsBig, 1, 2], 3]
"""
TEMPLATE = parse(TEXT).content


@pytest.mark.parametrize(
    ("parameters", "true"),
    [
        pytest.param({}, {"IsSmall", "IsHere", "Any"}, id="the defaults"),
        pytest.param({"Size": "big"}, {"IsBig", "IsHere", "Both", "Any"}, id="big"),
        pytest.param({"Size": "Big"}, {"IsSmall", "IsHere", "Any"}, id="letters' case counts"),
        pytest.param({"Place": "there"}, {"IsSmall"}, id="neither"),
    ],
)
def test_conditions_over_parameters_are_known(parameters: dict[str, str], true: set[str]) -> None:
    found = conditions_of(TEMPLATE, parameters)
    unknown = {"InEurope", "BigInEurope", "Joined"}
    assert {name for name, holds in found.items() if holds is None} == unknown
    assert {name for name, holds in found.items() if holds} == true


@pytest.mark.parametrize(
    ("size", "there", "properties"),
    [
        pytest.param(
            "small",
            "Small",
            {"Taken": {"Ref": "Small"}, "Nested": [{"Ref": "Place"}], "List": [1, 3]},
            id="small",
        ),
        pytest.param(
            "big",
            "Big",
            {"Taken": {"Ref": "Big"}, "Nested": 1, "Gone": 1, "List": [1, 2, 3]},
            id="big",
        ),
    ],
)
def test_what_is_not_deployed_is_left_out(
    size: str, there: str, properties: dict[str, Any]
) -> None:
    unknown = {"Fn::If": ["InEurope", {"Fn::If": ["IsBig", 1, 2]}, 3]}
    assert decided(TEMPLATE, {"Size": size})["Resources"] == {
        "Always": {"Type": "X"},
        there: {"Type": "X"},
        "European": {"Type": "X", "Condition": "InEurope"},
        "Y": {"Type": "X", "Properties": {**properties, "Unknown": unknown}},
    }


def test_a_template_without_conditions_stays_and_none_is_changed() -> None:
    plain = parse("Resources: {A: {Type: X, Properties: {B: [{Ref: A}]}}}").content
    assert decided(plain, {}) == plain
    decided(TEMPLATE, {"Size": "big"})
    assert parse(TEXT + "\n").content == TEMPLATE
