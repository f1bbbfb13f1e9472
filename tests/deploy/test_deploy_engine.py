"""Both engines do what MiniStack's own front door does."""

import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.cloud import Cloud
from deploy.local.engines.engine import Call, EngineAnswer
from deploy.local.engines.http_engine import http_engine
from deploy.local.engines.ministack_engine import deep_copy
from deploy.local.process import ROOT, LocalCloud
from tests.deploy.support import ScriptedDynamo
from tests.patience import PATIENCE_S

UPDATE = {
    "Key": {"id": {"S": "counter"}},
    "UpdateExpression": "ADD tally :step",
    "ConditionExpression": "attribute_exists(tally)",
    "ExpressionAttributeValues": {":step": {"N": "1"}},
    "ReturnValues": "UPDATED_NEW",
}


@pytest.fixture
def table(cloud: Cloud) -> str:
    name = "engine-table"
    client = cloud.dynamodb()
    if name not in client.list_tables()["TableNames"]:
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
    client.put_item(TableName=name, Item={"id": {"S": "counter"}, "tally": {"N": "1"}})
    return name


def over_http(endpoint_url: str, call: Call, *, timeout_s: float = PATIENCE_S) -> EngineAnswer:
    async def send() -> EngineAnswer:
        async with http_engine(lambda: endpoint_url) as engine:
            return await engine.call(call, timeout_s=timeout_s)

    return asyncio.run(send())


def a_call(action: str, arguments: dict[str, Any]) -> Call:
    body = json.dumps(arguments).encode()
    return Call(action=action, region="us-east-1", account="000000000000", body=body)


def test_over_http(local: LocalCloud, table: str) -> None:
    answer = over_http(local.endpoint_url, a_call("UpdateItem", {"TableName": table, **UPDATE}))
    assert (answer.status, json.loads(answer.body)) == (200, {"Attributes": {"tally": {"N": "2"}}})
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"


def test_over_http_an_error_is_an_answer(local: LocalCloud) -> None:
    answer = over_http(local.endpoint_url, a_call("GetItem", {"TableName": "none", "Key": {}}))
    assert answer.status == 400


def test_over_http_nobody_there() -> None:
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:1: "):
        over_http("http://127.0.0.1:1", a_call("GetItem", {}))


def test_over_http_too_slow(backend: ScriptedDynamo) -> None:
    backend.hold()
    with pytest.raises(TimeoutError):
        over_http(backend.url, a_call("GetItem", {}), timeout_s=0.05)
    backend.reset()


IN_PROCESS = """
import asyncio, json, sys
from pathlib import Path
from deploy.local import asgi
from deploy.local.engines.engine import Call, authorization
from deploy.local.engines.ministack_engine import MiniStackEngine

TABLE = {
    "TableName": "engine-table", "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
ITEM = {"TableName": "engine-table", "Item": {"id": {"S": "counter"}, "tally": {"N": "1"}}}
UPDATE = {"TableName": "engine-table", **json.loads(sys.argv[2])}

async def main():
    app = asgi.load_ministack(port=0, state_dir=Path(sys.argv[1]))
    async with asgi.lifespan(app):
        engine = MiniStackEngine()

        async def direct(action, arguments, region="us-east-1"):
            call = Call(action=action, region=region, account="111122223333",
                        body=json.dumps(arguments).encode())
            answer = await engine.call(call, timeout_s=300)
            return answer.status, json.loads(answer.body)

        async def door(action, arguments):
            headers = [
                (b"host", b"127.0.0.1"), (b"x-amz-target", b"DynamoDB_20120810." + action.encode()),
                (b"authorization", authorization("111122223333", "us-east-1", "dynamodb").encode()),
            ]
            scope = asgi.scope_of(method="POST", path="/", query=b"", headers=headers)
            answer = await asgi.call(app, scope, json.dumps(arguments).encode())
            return answer.status, json.loads(answer.body)

        await door("CreateTable", TABLE)
        await door("PutItem", ITEM)
        print(json.dumps([
            await direct("UpdateItem", UPDATE),
            await door("UpdateItem", UPDATE),
            [await direct("UpdateItem", {"TableName": "no-table"}),
             await door("UpdateItem", {"TableName": "no-table"})],
            await direct("UpdateItem", UPDATE, region="eu-west-1"),
            sorted(number["Attributes"]["tally"]["N"] for _, number in await asyncio.gather(
                *(direct("UpdateItem", UPDATE) for _ in range(5)))),
        ]))

asyncio.run(main())
"""


def test_in_process_and_through_the_door_are_the_same_table(tmp_path: Path) -> None:

    done = subprocess.run(
        [sys.executable, "-c", IN_PROCESS, str(tmp_path), json.dumps(UPDATE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    direct, door, missing, elsewhere, together = json.loads(done.stdout)
    assert direct == [200, {"Attributes": {"tally": {"N": "2"}}}]
    assert door == [200, {"Attributes": {"tally": {"N": "3"}}}]
    assert missing[0] == missing[1]
    assert elsewhere[0] == 400
    assert together == ["4", "5", "6", "7", "8"]


SAME_ANSWERS = """
import asyncio, copy, json, sys
from pathlib import Path
from deploy.local import asgi
from deploy.local.engines import ministack_engine
from deploy.local.engines.engine import Call, authorization

SCOPE = "000000000000", "us-east-1"

async def main():
    app = asgi.load_ministack(port=0, state_dir=Path(sys.argv[1]))

    async def door(action, body):
        headers = [
            (b"host", b"127.0.0.1"), (b"x-amz-target", b"DynamoDB_20120810." + action.encode()),
            (b"authorization", authorization(*SCOPE, "dynamodb").encode()),
        ]
        scope = asgi.scope_of(method="POST", path="/", query=b"", headers=headers)
        answer = await asgi.call(app, scope, body)
        return answer.status, answer.body.decode()

    async def direct(action, body):
        call = Call(action=action, region=SCOPE[1], account=SCOPE[0], body=body)
        answer = await engine.call(call, timeout_s=300)
        return answer.status, answer.body.decode()

    async with asgi.lifespan(app):
        answers = []
        for way in (door, direct):
            if way is direct:
                engine = ministack_engine.MiniStackEngine()
                # what MiniStack itself calls now, whichever door a request came through
                from ministack.services import dynamodb
                assert dynamodb.copy.deepcopy is ministack_engine.deep_copy
            answers.append([
                await way(action, json.dumps(arguments).encode() if arguments else b"{")
                for action, arguments in json.loads(sys.argv[2])
            ])
        print(json.dumps(answers))

asyncio.run(main())
"""
TABLE = "same-answers"
ITEM = {"id": {"S": "counter"}, "tally": {"N": "1"}, "deep": {"M": {"list": {"L": [{"N": "5"}]}}}}


def updates(condition: str, update: str, returned: str = "ALL_NEW") -> tuple[str, dict[str, Any]]:
    arguments: dict[str, Any] = {
        "TableName": TABLE,
        "Key": {"id": {"S": "counter"}},
        "UpdateExpression": update,
        "ReturnValues": returned,
        "ExpressionAttributeValues": {
            name: {"N": "1"} for name in (":step", ":low") if name in condition + update
        },
    }
    return "UpdateItem", arguments | ({"ConditionExpression": condition} if condition else {})


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("DeleteTable", {"TableName": TABLE}),
    (
        "CreateTable",
        {
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        },
    ),
    ("UpdateItem", {}),
    updates("attribute_exists(tally)", "ADD tally :step"),
    ("PutItem", {"TableName": TABLE, "Item": ITEM}),
    *(
        updates(condition, update, returned)
        for returned in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW", "NONE")
        for condition in ("", "attribute_exists(tally)", "tally > :low")
        for update in ("ADD tally :step", "SET tally = tally + :step", "SET deep.list[0] = :step")
    ),
    updates("attribute_not_exists(tally)", "ADD tally :step"),
    updates("attribute_exists(tally", "ADD tally :step"),
    updates("((tally = :low))", "ADD tally :step"),
    updates("tally =", "ADD tally :step"),
    updates("", "ADD value :step"),
    updates("", "ADD"),
    updates("", "ADD id :step"),
    updates("", "ADD nothing.there :step"),
    ("GetItem", {"TableName": TABLE, "Key": {"id": {"S": "counter"}}}),
]


def test_what_is_remembered_changes_no_answer(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAME_ANSWERS, str(tmp_path), json.dumps(REQUESTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = json.loads(done.stdout)
    assert after[2:] == before[2:]
    statuses = [status for status, _ in after]
    assert min(statuses.count(200), statuses.count(400)) >= 10, "they differ in kind"


TEXTS = st.text(max_size=3)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(value=JSON_VALUES, unusual=st.booleans())
def test_a_deep_copy_is_equal_and_shares_nothing_that_can_change(
    value: object, *, unusual: bool
) -> None:
    original: dict[str, Any] = defaultdict(dict) if unusual else {}
    original["inside"] = {"of": [value]}
    copied = deep_copy(original)
    assert (copied, type(copied)) == (original, type(original))
    copied["inside"]["of"].append("more")
    assert original["inside"]["of"] == [value]
