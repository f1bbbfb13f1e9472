"""A table that the engine has not as the control plane has it is told of as long as that stands."""

import pytest
from botocore.exceptions import ClientError

from deploy.cloud import Cloud
from deploy.removal import remove_stack
from deploy.stack import Stack
from history.errors import UserError
from tests.deploy.places import quiet
from tests.deploy.support import EditTemplate, standing

INDEX = """
      GlobalSecondaryIndexes:
        - IndexName: by-tally
          KeySchema: [{AttributeName: tally, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
"""
TYPE = "        - {AttributeName: id, AttributeType: S}\n"


def test_an_index_that_is_not_there_fails_every_deploy_until_the_table_is_gone(
    scripted: Stack, edited: EditTemplate
) -> None:
    cloud = Cloud(region="us-east-1", endpoint_url=scripted.url.partition("/_aws")[0])
    first = standing(cloud, "indexed")
    more = TYPE + TYPE.replace("id", "tally").replace(": S", ": N").rstrip() + INDEX
    path = edited((TYPE, more))
    for _ in range(3):
        with pytest.raises(UserError, match=r"table indexed-.* has other indexes now"):
            standing(cloud, "indexed", path)
    with pytest.raises(ClientError, match=r"EngineFailure.* has other indexes now"):
        cloud.dynamodb().describe_table(TableName=first.table_name)
    assert remove_stack(cloud, "indexed", quiet)
    second = standing(cloud, "indexed", path)
    table = cloud.dynamodb().describe_table(TableName=second.table_name)["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-tally"]
    assert remove_stack(cloud, "indexed", quiet)
