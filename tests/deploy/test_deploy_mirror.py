"""The engine's tables are as the control plane's are, whatever happens to either."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.engines.engine import Call, EngineAnswer
from deploy.local.engines.mirror import Mirror, Scope, Table, table_of
from deploy.local.engines.ownership import Owner

HERE: Scope = ("000000000000", "us-east-1")
THERE: Scope = ("111122223333", "eu-west-1")
HASH = [{"AttributeName": "id", "KeyType": "HASH"}]
STRING = [{"AttributeName": "id", "AttributeType": "S"}]
US = Owner(where="this boot", namespace="4026531836", pid=1, started="7")


@dataclass
class Tables:
    """The table actions of a DynamoDB, each account and region on its own."""

    tables: dict[tuple[Scope, str], dict[str, Any]] = field(default_factory=dict)
    refuses: tuple[str, ...] = ()
    silent: bool = False
    made: int = 0

    async def call(self, call: Call, *, timeout_s: float) -> EngineAnswer:
        assert timeout_s > 0
        if self.silent:
            raise ConnectionError("nobody there")
        if call.action in self.refuses:
            return error("LimitExceededException", "no room.")
        scope = (call.account, call.region)
        arguments = json.loads(call.body)
        if call.action == "ListTables":
            return answer(self.page(scope, arguments.get("ExclusiveStartTableName", "")))
        if call.action == "ListTagsOfResource":
            _, _, name = arguments["ResourceArn"].rpartition("/")
            return answer({"Tags": self.tables[scope, name].get("Tags", [])})
        return self.one(call.action, (scope, arguments["TableName"]), arguments)

    def page(self, scope: Scope, after: str) -> dict[str, Any]:
        names = sorted(name for place, name in self.tables if place == scope and name > after)
        more = {"LastEvaluatedTableName": names[0]} if len(names) > 1 else {}
        return {"TableNames": names[:1], **more}

    def one(self, action: str, key: tuple[Scope, str], arguments: dict[str, Any]) -> EngineAnswer:
        if (key in self.tables) == (action == "CreateTable"):
            there = key in self.tables
            return error("ResourceInUseException" if there else "ResourceNotFoundException")
        if action == "CreateTable":
            self.made += 1
            arn = f"arn:aws:dynamodb:::table/{key[1]}"
            described = {"TableId": str(self.made), "TableStatus": "ACTIVE", "TableArn": arn}
            self.tables[key] = {**arguments, **described}
        found = self.tables[key]
        if action == "DeleteTable":
            del self.tables[key]
        return answer({"Table": found})

    def make(self, scope: Scope, name: str, **more: Any) -> None:
        """Make a table as somebody else does."""
        arguments = {"TableName": name, "KeySchema": HASH, "AttributeDefinitions": STRING, **more}
        body = json.dumps(arguments).encode()
        call = Call(action="CreateTable", account=scope[0], region=scope[1], body=body)
        assert asyncio.run(self.call(call, timeout_s=1)).status == 200

    def names(self) -> set[tuple[Scope, str]]:
        return set(self.tables)


def answer(body: dict[str, Any], status: int = 200) -> EngineAnswer:
    return EngineAnswer(status=status, headers={}, body=json.dumps(body).encode())


def error(code: str, message: str = "") -> EngineAnswer:
    return answer({"__type": f"com.amazonaws#{code}", "message": message}, 400)


def mirror_of(control: Tables, data: Tables, owner: Owner | None = US) -> Mirror:
    return Mirror(control=control, data=data, database="it", owner=owner)


def reconcile(mirror: Mirror) -> list[str]:
    asyncio.run(mirror.reconcile([HERE, THERE, HERE]))
    return mirror.take_failures()


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["make", "delete", "make anew", "look"]),
        st.sampled_from([HERE, THERE]),
        st.sampled_from(["a", "ab", "theirs"]),
    ),
    max_size=12,
)


@given(ORDERS)
def test_the_database_follows_and_nobody_elses_table_is_touched(
    orders: list[tuple[str, Scope, str]],
) -> None:
    control, data = Tables(), Tables()
    data.make(HERE, "theirs", Mark="untouched")
    mirror = mirror_of(control, data)
    for order, scope, name in orders:
        key = (scope, name)
        if order in ("delete", "make anew"):
            control.tables.pop(key, None)
        if order.startswith("make") and key not in control.tables:
            control.make(scope, name)
        if order == "look":
            reconcile(mirror)
    reconcile(mirror)
    assert data.tables[HERE, "theirs"]["Mark"] == "untouched"
    assert data.names() == control.names() | {(HERE, "theirs")}
    assert (mirror.failure(HERE, "theirs") is not None) == ((HERE, "theirs") in control.tables)
    asyncio.run(mirror.delete_all())
    assert data.names() == {(HERE, "theirs")}


def test_a_table_made_anew_is_empty_there_too() -> None:
    control, data = Tables(), Tables()
    mirror = mirror_of(control, data)
    control.make(HERE, "t")
    reconcile(mirror)
    first = data.tables[HERE, "t"]["TableId"]
    reconcile(mirror)
    assert data.tables[HERE, "t"]["TableId"] == first
    del control.tables[HERE, "t"]
    control.make(HERE, "t")
    assert reconcile(mirror) == []
    assert data.tables[HERE, "t"]["TableId"] != first


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        pytest.param(
            {"refuses": ("CreateTable",)},
            "CreateTable was refused with LimitExceededException: no room",
            id="refused",
        ),
        pytest.param({"silent": True}, "no answer to CreateTable (nobody there)", id="dead"),
    ],
)
def test_a_table_that_cannot_be_made_is_said_once_and_tried_again(
    trouble: dict[str, Any], reason: str
) -> None:
    control, data = Tables(), Tables(**trouble)
    mirror = mirror_of(control, data)
    control.make(HERE, "t")
    assert reconcile(mirror) == [f"table t could not be made: {reason} (ENGINE=it)"]
    assert reconcile(mirror) == []
    assert mirror.objection(b'{"TableName": "t"}') is not None
    data.refuses, data.silent = (), False
    assert reconcile(mirror) == []
    assert mirror.failure(HERE, "t") is None
    assert mirror.objection(b'{"TableName": "t"}') is None
    assert data.names() == {(HERE, "t")}


def test_a_table_that_cannot_be_deleted_is_said_and_tried_again() -> None:
    control, data = Tables(), Tables()
    mirror = mirror_of(control, data)
    control.make(HERE, "t")
    reconcile(mirror)
    del control.tables[HERE, "t"]
    data.refuses = ("DeleteTable",)
    (sentence,) = reconcile(mirror)
    assert sentence.startswith("table t could not be deleted: DeleteTable was refused")
    assert reconcile(mirror) == []
    data.refuses = ()
    assert reconcile(mirror) == []
    assert data.names() == set()


@pytest.mark.parametrize(
    ("anew", "sentences"),
    [
        pytest.param(False, ["could not be deleted"], id="deleted"),
        pytest.param(True, ["could not be deleted", "the table of that name before"], id="anew"),
    ],
)
def test_no_call_reaches_a_table_that_should_be_gone(*, anew: bool, sentences: list[str]) -> None:
    control, data = Tables(), Tables()
    mirror = mirror_of(control, data)
    control.make(HERE, "t")
    reconcile(mirror)
    old = data.tables[HERE, "t"]["TableId"]
    del control.tables[HERE, "t"]
    if anew:
        control.make(HERE, "t")
    data.refuses = ("DeleteTable",)
    said = reconcile(mirror)
    assert len(said) == len(sentences)
    assert all(part in sentence for part, sentence in zip(sentences, said, strict=True))
    assert mirror.objection(b'{"TableName": "t"}') in said
    assert mirror.objection(b'{"TableName": "u"}') is None
    data.refuses = ()
    assert reconcile(mirror) == []
    assert mirror.objection(b'{"TableName": "t"}') is None
    assert mirror.failure(HERE, "t") is None
    assert ((HERE, "t") in data.names()) is anew
    assert not anew or data.tables[HERE, "t"]["TableId"] != old


def test_changed_indexes_are_said_not_carried_over() -> None:
    control, data = Tables(), Tables()
    mirror = mirror_of(control, data)
    control.make(HERE, "t")
    reconcile(mirror)
    index = {"IndexName": "by", "KeySchema": HASH, "Projection": {"ProjectionType": "ALL"}}
    control.tables[HERE, "t"]["GlobalSecondaryIndexes"] = [index]
    (sentence,) = reconcile(mirror)
    assert "has other indexes now" in sentence
    assert mirror.objection(b'{"TableName": "t"}') is None  # the table is ours all the same


def test_in_a_database_of_our_own_whatever_is_there_is_ours() -> None:
    control, data = Tables(), Tables()
    data.make(HERE, "t")
    control.make(HERE, "t")
    assert reconcile(mirror_of(control, data, owner=None)) == []
    assert "Tags" not in data.tables[HERE, "t"]


def test_a_definition_has_what_a_database_needs_and_is_always_on_demand() -> None:
    described = {
        "TableName": "t",
        "TableId": "id",
        "KeySchema": HASH,
        "AttributeDefinitions": STRING,
        "BillingModeSummary": {"BillingMode": "PROVISIONED"},
        "ProvisionedThroughput": {"ReadCapacityUnits": "5"},
        "GlobalSecondaryIndexes": [
            {"IndexName": "z", "KeySchema": HASH, "IndexStatus": "ACTIVE"},
            {"IndexName": "a", "KeySchema": HASH, "Projection": {"ProjectionType": "KEYS_ONLY"}},
        ],
        "LocalSecondaryIndexes": None,
    }
    table = table_of(HERE, described)
    assert (table.scope, table.name, table.id) == (HERE, "t", "id")
    assert isinstance(table, Table)
    assert json.loads(table.definition) == {
        "TableName": "t",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": HASH,
        "AttributeDefinitions": STRING,
        "GlobalSecondaryIndexes": [
            {"IndexName": "a", "KeySchema": HASH, "Projection": {"ProjectionType": "KEYS_ONLY"}},
            {"IndexName": "z", "KeySchema": HASH, "Projection": {"ProjectionType": "ALL"}},
        ],
    }
