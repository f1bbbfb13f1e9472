"""DynamoDB's limits per item, with LIMITS=aws.

AWS: "Best practices for designing and using partition keys effectively in DynamoDB", "DynamoDB read
and write operations", "Error handling with DynamoDB". The item's bucket has a burst and next to no
rate here, so that time makes no difference.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy.cloud import Cloud, code_of
from deploy.counter import read_counter
from deploy.creation import deploy_stack
from deploy.local.engines.engine import authorization
from deploy.local.lifecycle import temporary_cloud
from deploy.local.options import CloudOptions, Limits
from deploy.local.process import LocalCloud
from deploy.local.throttling import RateLimit
from deploy.stack import Stack
from tests.deploy.places import quiet
from tests.deploy.support import Reply, put, request

BURST = 20
EXCEEDED = "ProvisionedThroughputExceededException"
THROTTLED = {
    "type": "ThrottlingException",
    "message": "DynamoDB throttled the request; nothing was applied.",
}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    writes = RateLimit(rate_per_s=1e-6, burst=BURST)
    options = CloudOptions(limits=Limits.AWS, item_writes=writes)
    with temporary_cloud(tmp_path_factory.mktemp("limited") / "log", options=options) as local:
        yield local


@pytest.fixture(scope="module")
def limited_cloud(limited: LocalCloud) -> Cloud:
    return Cloud(region="us-east-1", endpoint_url=limited.endpoint_url)


def counter(cloud: Cloud, name: str) -> Stack:
    """Deploy the real template; nothing has touched its item yet."""
    return deploy_stack(cloud, name=name, parameters={}, say=quiet)


@pytest.fixture(scope="module")
def table(limited_cloud: Cloud) -> str:
    limited_cloud.dynamodb().create_table(
        TableName="items",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    return "items"


def outcome(cloud: Cloud, action: str, **arguments: Any) -> str:
    """Send one request to DynamoDB itself; gives its error code, "ok" if there is none."""
    try:
        getattr(cloud.dynamodb(), action)(**arguments)
    except ClientError as error:
        return code_of(error)
    return "ok"


def increment(cloud: Cloud, table: str, key: str) -> str:
    return outcome(
        cloud,
        "update_item",
        TableName=table,
        Key={"id": {"S": key}},
        UpdateExpression="ADD tally :step",
        ExpressionAttributeValues={":step": {"N": "1"}},
    )


def test_increments_beyond_the_items_limit_are_429_and_not_applied(limited_cloud: Cloud) -> None:
    """The template's own way from DynamoDB's exception to 429, with clients side by side."""
    stack = counter(limited_cloud, "limited")
    put(stack.url)
    with ThreadPoolExecutor(5) as clients:
        replies = list(clients.map(lambda _: request("GET", stack.url), range(BURST + 10)))
    found = Counter(reply.status for reply in replies)
    assert set(found) == {200, 429}
    assert found[429] >= 10
    throttled = [reply for reply in replies if reply.status == 429]
    assert all(json.loads(reply.body) == THROTTLED for reply in throttled)
    assert throttled[0].headers["cache-control"] == "no-store"
    values = sorted(int(reply.body) for reply in replies if reply.status == 200)
    assert values == list(range(2, 2 + found[200]))
    assert read_counter(limited_cloud, stack) == 1 + found[200]
    assert (put(stack.url).status, request("POST", stack.url + "decrement").status) == (429, 429)


def test_a_failed_condition_uses_up_capacity_too(limited_cloud: Cloud) -> None:
    stack = counter(limited_cloud, "conditional")
    found = Counter(request("GET", stack.url).status for _ in range(BURST + 2))
    assert set(found) == {409, 429}
    assert found[409] <= BURST


def test_dynamodb_itself_is_limited_by_item_and_a_bigger_item_costs_more(
    limited_cloud: Cloud, table: str
) -> None:
    big = {"id": {"S": "a"}, "text": {"S": "x" * (BURST - 1) * 1024}}
    assert outcome(limited_cloud, "put_item", TableName=table, Item=big) == "ok"
    assert increment(limited_cloud, table, "a") == EXCEEDED
    assert increment(limited_cloud, table, "b") == "ok"


def test_reads_have_a_limit_of_their_own(limited_cloud: Cloud, table: str) -> None:
    assert [increment(limited_cloud, table, "c") for _ in range(BURST + 1)][-1] == EXCEEDED
    key = {"id": {"S": "c"}}
    read = limited_cloud.dynamodb().get_item(TableName=table, Key=key, ConsistentRead=True)
    assert read["Item"]["tally"] == {"N": str(BURST)}


def test_batches_and_transactions_count_for_each_item(limited_cloud: Cloud, table: str) -> None:
    puts = [{"Put": {"TableName": table, "Item": {"id": {"S": key}}}} for key in ("d", "e")]
    for _ in range(BURST // 2):  # two units each
        assert outcome(limited_cloud, "transact_write_items", TransactItems=puts) == "ok"
    batch = {table: [{"PutRequest": {"Item": {"id": {"S": "e"}}}}]}
    assert outcome(limited_cloud, "batch_write_item", RequestItems=batch) == EXCEEDED


def raw(endpoint_url: str, action: str, body: dict[str, Any]) -> Reply:
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{action}",
        "Authorization": authorization("test", "us-east-1", "dynamodb"),
    }
    return request("POST", endpoint_url + "/", json.dumps(body), headers)


def test_the_answer_is_dynamodbs_own(limited: LocalCloud, table: str) -> None:
    """AWS: "Error handling with DynamoDB", "ThrottlingReason"."""
    item = {"id": {"S": "f"}, "text": {"S": "x" * BURST * 1024}}
    reply = raw(limited.endpoint_url, "PutItem", {"TableName": table, "Item": item})
    assert reply.status == 400
    found = json.loads(reply.body)
    assert found == {
        "__type": f"com.amazonaws.dynamodb.v20120810#{EXCEEDED}",
        "message": "The level of configured provisioned throughput for the table was exceeded. "
        "Consider increasing your provisioning level with the UpdateTable API.",
        "ThrottlingReasons": [
            {
                "reason": "TableWriteKeyRangeThroughputExceeded",
                "resource": f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}",
            }
        ],
    }
    assert reply.headers["content-type"] == "application/x-amz-json-1.0"
    assert reply.headers["x-amz-crc32"] == str(zlib.crc32(reply.body.encode()))
    assert len(reply.headers["x-amzn-requestid"]) == 52


@pytest.mark.parametrize(
    ("action", "body", "refused"),
    [
        pytest.param(
            "PutItem",
            {"TableName": "items", "Item": {"other": {"S": "x"}}},
            "ValidationException",
            id="no key",
        ),
        pytest.param(
            "PutItem",
            {"TableName": "no-table", "Item": {"id": {"S": "x"}}},
            "ResourceNotFoundException",
            id="no table",
        ),
        pytest.param(
            "UpdateItem", {"TableName": "items", "Key": "x"}, "ValidationException", id="malformed"
        ),
        pytest.param("UpdateItem", {}, "ValidationException", id="empty"),
    ],
)
def test_what_makes_no_sense_is_dynamodbs_to_refuse(
    limited: LocalCloud, table: str, action: str, body: dict[str, Any], refused: str
) -> None:
    reply = raw(limited.endpoint_url, action, body)
    assert reply.status == 400
    assert json.loads(reply.body)["__type"].rpartition("#")[2] == refused


def test_without_limits_there_are_none(cloud: Cloud, new: Stack) -> None:
    """The default, LIMITS=none: items of any size and any number of writes."""
    put(new.url)
    big = {"id": {"S": "big"}, "text": {"S": "x" * 390 * 1024}}
    for _ in range(4):
        assert outcome(cloud, "put_item", TableName=new.table_name, Item=big) == "ok"
    assert {request("GET", new.url).status for _ in range(BURST + 5)} == {200}
