"""Both engines do what MiniStack's own front door does."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from deploy.cloud import Cloud
from deploy.local.engine import Call, EngineAnswer, HttpEngine
from deploy.local.lifecycle import ROOT, LocalCloud
from tests.deploy.support import ScriptedDynamo

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


def over_http(endpoint_url: str, call: Call, *, timeout_s: float = 10) -> EngineAnswer:
    async def send() -> EngineAnswer:
        async with aiohttp.ClientSession() as session:
            return await HttpEngine(session, endpoint_url).call(call, timeout_s=timeout_s)

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
    with pytest.raises(ConnectionError, match="ClientConnectorError"):
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
from deploy.local.engine import Call, authorization
from deploy.local.ministack_engine import MiniStackEngine

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
            answer = await engine.call(call, timeout_s=1)
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
