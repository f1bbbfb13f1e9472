"""An update that would take the counter's table away is refused before anything is changed.

AWS: "Understand update behaviors of stack resources", "AWS::DynamoDB::Table" (Update requires).
"""

import pytest

from deploy import update
from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.removal import remove_stack
from deploy.replacement import Definition, table_lost
from deploy.stack import find_stack
from deploy.template import parse, template_text
from history.errors import UserError
from tests.deploy.support import EditTemplate, put, request, standing, status

TEXT = template_text()
KEY = "{AttributeName: id, KeyType: HASH}"
TYPE = "{AttributeName: id, AttributeType: S}"
BILLING = "      BillingMode: PAY_PER_REQUEST\n"
RENAMED = [
    ("  Table:\n", "  Items:\n"),
    ("!Ref Table\n", "!Ref Items\n"),
    ("!GetAtt Table.Arn", "!GetAtt Items.Arn"),
    ("${Table}", "${Items}"),
]
NAMED = [(BILLING, BILLING + '      TableName: !Sub "t-${StageName}"\n')]
SECOND = [
    (
        "  Role:\n",
        f"  Second:\n    Type: AWS::DynamoDB::Table\n    Properties:\n{BILLING}  Role:\n",
    ),
]


def definition(*passages: tuple[str, str], **parameters: str) -> Definition:
    text = TEXT
    for old, new in passages:
        assert old in text
        text = text.replace(old, new)
    return Definition(template=parse(text).content, parameters=parameters)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param(definition(), definition(), None, id="nothing"),
        pytest.param(
            definition(), definition(*RENAMED), "the table Table is removed or gets", id="renamed"
        ),
        pytest.param(definition(), definition(*NAMED), "TableName of the table Table", id="a name"),
        pytest.param(
            definition(*NAMED), definition(*NAMED, StageName="v2"), "TableName of", id="a parameter"
        ),
        pytest.param(
            definition(*NAMED), definition(*NAMED, ReturnValues="x"), None, id="one of no concern"
        ),
        pytest.param(
            definition(),
            definition((KEY, KEY + "\n        - {AttributeName: b, KeyType: RANGE}")),
            "KeySchema of the table Table changes",
            id="the key",
        ),
        pytest.param(
            definition(),
            definition((TYPE, TYPE.replace(": S", ": N"))),
            "AttributeDefinitions of the table Table change id",
            id="an attribute's type",
        ),
        pytest.param(
            definition(),
            definition((TYPE, TYPE + "\n        - {AttributeName: b, AttributeType: S}")),
            None,
            id="an attribute more",
        ),
        pytest.param(
            definition(),
            definition(("AWS::DynamoDB::Table\n", "AWS::DynamoDB::Table\n    Condition: Never\n")),
            "Condition of the table Table changes",
            id="a condition",
        ),
        pytest.param(
            definition(),
            definition(*SECOND, ("Value: !Ref Table\n", "Value: !Ref Second\n")),
            "the output TableName no longer names the table Table",
            id="another table's counter",
        ),
        pytest.param(definition(*SECOND), definition(), None, id="another table less"),
        pytest.param(
            definition(),
            definition((BILLING, BILLING + "      TableClass: STANDARD\n")),
            None,
            id="what is changed in place",
        ),
    ],
)
def test_a_change_that_gives_the_counter_another_table_is_told(
    old: Definition, new: Definition, why: str | None
) -> None:
    found = table_lost(old, new)
    assert found is None if why is None else found is not None and found.startswith(why)


@pytest.mark.parametrize(
    "passages", [pytest.param(RENAMED, id="renamed"), pytest.param(NAMED, id="named")]
)
def test_nothing_is_changed_if_the_counter_would_be_lost(
    cloud: Cloud, edited: EditTemplate, name: str, passages: list[tuple[str, str]]
) -> None:
    first = standing(cloud, name)
    put(first.url, 7)
    kept, before = read_counter(cloud, first), status(cloud, name)
    with pytest.raises(
        UserError, match=r"the counter in .* would be lost; nothing was changed: .*`make destroy`"
    ):
        standing(cloud, name, edited(*passages))
    assert (read_counter(cloud, first), status(cloud, name)) == (kept, before)
    assert find_stack(cloud, name) == first
    assert request("GET", first.url).body == "8"


def test_a_table_replaced_all_the_same_is_said(
    cloud: Cloud, edited: EditTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = standing(cloud, "replaced")
    said: list[str] = []
    monkeypatch.setattr(update, "table_lost", lambda *_definitions: None)
    second = standing(cloud, "replaced", edited(*RENAMED), said)
    assert second.table_name != first.table_name
    assert any(f"in the place of {first.table_name}: its counter is lost" in line for line in said)
    remove_stack(cloud, "replaced", said.append)
