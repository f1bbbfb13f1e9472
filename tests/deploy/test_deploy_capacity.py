"""What a DynamoDB request costs, and of which items.

AWS: "DynamoDB read and write operations", "DynamoDB item sizes and formats".
"""

from typing import Any

import pytest

from deploy.local.engines.capacity import Kind, accesses_of, size_of

KEY = {"id": {"S": "k"}}
KB = "x" * 1024


@pytest.mark.parametrize(
    ("action", "body", "expected"),
    [
        pytest.param(
            "UpdateItem", {"TableName": "t", "Key": KEY}, [("t", Kind.WRITE, 1)], id="update"
        ),
        pytest.param(
            "UpdateItem",
            {"TableName": "t", "Key": KEY, "ExpressionAttributeValues": {":v": {"S": KB}}},
            [("t", Kind.WRITE, 2)],
            id="an update's values",
        ),
        pytest.param(
            "PutItem",
            {"TableName": "t", "Item": {**KEY, "text": {"S": 2 * KB}}},
            [("t", Kind.WRITE, 3)],
            id="a put, rounded up",
        ),
        pytest.param(
            "PutItem",
            {"TableName": "t", "Item": KEY, "ExpressionAttributeValues": {":v": {"S": KB}}},
            [("t", Kind.WRITE, 1)],
            id="a put's condition is not stored",
        ),
        pytest.param(
            "DeleteItem",
            {"TableName": "arn:aws:dynamodb:r:1:table/t", "Key": KEY},
            [("t", Kind.WRITE, 1)],
            id="delete, table by ARN",
        ),
        pytest.param(
            "GetItem", {"TableName": "t", "Key": KEY}, [("t", Kind.READ, 0.5)], id="eventual"
        ),
        pytest.param(
            "GetItem",
            {"TableName": "t", "Key": KEY, "ConsistentRead": True},
            [("t", Kind.READ, 1)],
            id="consistent",
        ),
        pytest.param(
            "BatchGetItem",
            {"RequestItems": {"t": {"Keys": [KEY, KEY], "ConsistentRead": True}}},
            [("t", Kind.READ, 1), ("t", Kind.READ, 1)],
            id="batch of reads",
        ),
        pytest.param(
            "BatchWriteItem",
            {
                "RequestItems": {
                    "t": [{"PutRequest": {"Item": KEY}}],
                    "u": [{"DeleteRequest": {"Key": KEY}}],
                }
            },
            [("t", Kind.WRITE, 1), ("u", Kind.WRITE, 1)],
            id="batch of writes",
        ),
        pytest.param(
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": {**KEY, "text": {"S": KB}}}},
                    {"ConditionCheck": {"TableName": "t", "Key": KEY}},
                ]
            },
            [("t", Kind.WRITE, 4), ("t", Kind.WRITE, 2)],
            id="a transaction costs twice",
        ),
        pytest.param(
            "TransactGetItems",
            {"TransactItems": [{"Get": {"TableName": "t", "Key": KEY}}]},
            [("t", Kind.READ, 2)],
            id="transaction of reads",
        ),
        pytest.param("Query", {"TableName": "t"}, [], id="not counted"),
    ],
)
def test_what_a_request_costs(
    action: str, body: dict[str, Any], expected: list[tuple[str, Kind, float]]
) -> None:
    found = [(access.table, access.kind, access.units) for access in accesses_of(action, body)]
    assert found == expected


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é€"}, 5),
        ({"N": "-123.45"}, 4),
        ({"N": "7"}, 2),
        ({"B": "AAEC"}, 3),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "bc"]}, 3),
        ({"NS": ["1", "23"]}, 4),
        ({"BS": ["AAEC", "AA=="]}, 4),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 9),
        ({"M": {}}, 3),
        ({"M": {"a": {"S": "bc"}}}, 7),
    ],
)
def test_what_a_value_weighs(value: dict[str, Any], size: int) -> None:
    assert size_of({"name": value}) == len("name") + size
