"""Items in another database than MiniStack's: dynalite, and any DynamoDB by its address."""

import contextlib
import itertools
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError

from deploy.cloud import Cloud, session_for
from deploy.counter import read_counter
from deploy.creation import deploy_stack
from deploy.local.engines.choice import DYNALITE, MINISTACK, EngineChoice
from deploy.local.lifecycle import temporary_cloud
from deploy.local.options import CloudOptions
from deploy.local.process import LocalCloud
from deploy.progress import describe
from deploy.stack import Stack
from history.errors import UserError
from tests.deploy.places import Places, quiet
from tests.deploy.support import ScriptedDynamo, put, request
from tests.patience import PATIENCE_S, until
from tests.servers import CounterServer, correct

both = pytest.mark.both_engines
dynalite = pytest.mark.xdist_group(DYNALITE)


def cloud_of(local: LocalCloud, region: str = "us-east-1") -> Cloud:
    return Cloud(region=region, endpoint_url=local.endpoint_url)


def options(engine: str) -> CloudOptions:
    return CloudOptions(engine=EngineChoice(name=engine))


def make_table(cloud: Cloud, name: str) -> None:
    """A table with an index by `colour`."""
    cloud.dynamodb().create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "colour", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-colour",
                "KeySchema": [{"AttributeName": "colour", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def children_of(local: LocalCloud) -> list[psutil.Process]:
    return psutil.Process(local.pid).children(recursive=True)


@both
def test_a_table_made_by_a_client_holds_items_and_goes_with_them(cloud: Cloud) -> None:
    """AWS: "DynamoDB API" (control plane and data plane)."""
    client = cloud.dynamodb()
    make_table(cloud, "by-hand")
    assert client.describe_table(TableName="by-hand")["Table"]["TableStatus"] == "ACTIVE"
    item = {"id": {"S": "1"}, "colour": {"S": "blue"}}
    client.put_item(TableName="by-hand", Item=item)
    found = client.query(
        TableName="by-hand",
        IndexName="by-colour",
        KeyConditionExpression="colour = :c",
        ExpressionAttributeValues={":c": {"S": "blue"}},
    )
    assert found["Items"] == [item]
    with pytest.raises(ClientError, match="ResourceInUseException"):
        make_table(cloud, "by-hand")
    client.delete_table(TableName="by-hand")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_item(TableName="by-hand", Key={"id": {"S": "1"}})
    make_table(cloud, "by-hand")
    assert client.scan(TableName="by-hand")["Items"] == []
    client.delete_table(TableName="by-hand")


@both
def test_accounts_and_regions_are_apart(
    cloud: Cloud, local: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = cloud_of(local, "eu-west-1")
    make_table(cloud, "same-name")
    make_table(elsewhere, "same-name")
    cloud.dynamodb().put_item(TableName="same-name", Item={"id": {"S": "1"}})
    assert elsewhere.dynamodb().scan(TableName="same-name")["Items"] == []
    session_for.cache_clear()  # a session keeps the credentials that it read first
    with monkeypatch.context() as other:
        other.setenv("AWS_ACCESS_KEY_ID", "111122223333")
        other.setenv("AWS_SECRET_ACCESS_KEY", "any")
        assert cloud.dynamodb().list_tables()["TableNames"] == []
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            cloud.dynamodb().scan(TableName="same-name")
    elsewhere.dynamodb().delete_table(TableName="same-name")
    assert len(cloud.dynamodb().scan(TableName="same-name")["Items"]) == 1
    cloud.dynamodb().delete_table(TableName="same-name")


def listening(pid: int) -> set[str]:
    """The addresses that a process listens on, as the kernel writes them."""
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
    ]
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(str(descriptor.readlink()).removeprefix("socket:[").rstrip("]"))
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}


@dynalite
def test_the_database_listens_on_loopback_only_and_answers_no_web_page(places: Places) -> None:
    (child,) = children_of(places.local(DYNALITE))
    assert listening(child.pid) == {"0100007F"}
    (connection,) = [found for found in child.net_connections() if found.status == "LISTEN"]
    url = f"http://127.0.0.1:{connection.laddr.port}/"
    assert request("POST", url, "{}", {"Origin": "http://example.com"}).status == 403
    assert request("GET", url).status == 403


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[tuple[LocalCloud, Stack]]:
    """A cloud with dynalite that a test may break."""
    with temporary_cloud(tmp_path / "cloud.log", options=options(DYNALITE)) as local:
        stack = deploy_stack(cloud_of(local), name="fragile", parameters={}, say=quiet)
        put(stack.url, 0)
        yield local, stack


@dynalite
def test_a_killed_database_goes_on_exactly_where_it_was(
    fragile: tuple[LocalCloud, Stack],
) -> None:
    local, stack = fragile
    answered: list[int] = []
    unanswered = itertools.count()
    enough = threading.Event()
    stop = threading.Event()

    def client() -> None:
        while not stop.is_set():
            reply = request("GET", stack.url)
            if reply.status == 200:
                answered.append(int(reply.body))
            else:
                assert reply.status == 504
                next(unanswered)
            if len(answered) > 200:
                enough.set()

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        assert enough.wait(PATIENCE_S)
        (child,) = children_of(local)
        child.kill()
        before = len(answered)
        until(lambda: len(answered) >= before + 200, "200 more answers")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    lost = next(unanswered)
    assert len(set(answered)) == len(answered)
    counter = read_counter(cloud_of(local), stack)
    assert max(answered) <= counter
    assert len(answered) <= counter <= len(answered) + lost
    log = local.log_path.read_text()
    assert "dynalite was killed by SIGKILL: it is started again, on its data" in log
    assert "dynalite serves again" in log


@dynalite
def test_a_killed_cloud_takes_its_database_with_it_and_the_next_begins_empty(
    fragile: tuple[LocalCloud, Stack], tmp_path: Path
) -> None:
    local, _ = fragile
    (child,) = children_of(local)
    (folder,) = (tmp_path / "state").glob("dynalite-*")
    os.kill(local.pid, signal.SIGKILL)
    child.wait(PATIENCE_S)
    assert not folder.exists()
    with temporary_cloud(tmp_path / "next.log", options=options(DYNALITE)) as following:
        assert cloud_of(following).dynamodb().list_tables()["TableNames"] == []
        stack = deploy_stack(cloud_of(following), name="fragile", parameters={}, say=quiet)
        assert request("GET", stack.url).status == 409  # no counter yet
    assert list((tmp_path / "state").glob("dynalite-*")) == []


REFUSAL = (
    400,
    '{"__type": "com.amazonaws.dynamodb.v20120810#LimitExceededException", "message": "no room"}',
)
REASON = "CreateTable was refused with LimitExceededException: no room"


def test_a_table_that_cannot_be_made_fails_the_stack_with_the_reason(
    scripted: Stack, backend: ScriptedDynamo
) -> None:
    endpoint_url = scripted.url.partition("/_aws")[0]
    cloud = Cloud(region="us-east-1", endpoint_url=endpoint_url)
    backend.scripted = REFUSAL
    with pytest.raises(UserError, match=f"table refused-.* could not be made: {REASON} .ENGINE="):
        deploy_stack(cloud, name="refused", parameters={}, say=quiet)
    assert describe(cloud.cloudformation(), "refused") is None
    with pytest.raises(ClientError, match=f"EngineFailure.* {REASON}"):
        make_table(cloud, "refused-too")
    assert "refused-too" not in cloud.dynamodb().list_tables()["TableNames"]
    backend.reset()
    assert deploy_stack(cloud, name="refused", parameters={}, say=quiet).name == "refused"


def test_a_client_of_a_database_that_gives_no_answer_is_told_so(
    scripted: Stack, backend: ScriptedDynamo
) -> None:
    """AWS: "Error handling with DynamoDB" (InternalServerError: it may have been applied)."""
    cloud = Cloud(region="us-east-1", endpoint_url=scripted.url.partition("/_aws")[0])
    backend.drop = True
    with pytest.raises(ClientError, match=r"\(InternalServerError\).* no answer to Scan"):
        cloud.dynamodb().scan(TableName=scripted.table_name)


def test_a_database_of_yours_keeps_your_tables_and_none_of_ours(
    places: Places, tmp_path: Path
) -> None:
    yours = places.cloud(MINISTACK)
    address = places.local(MINISTACK).endpoint_url
    before = yours.dynamodb().list_tables()["TableNames"]
    with temporary_cloud(tmp_path / "one" / "cloud.log", options=options(address)) as local:
        ours = cloud_of(local)
        stack = deploy_stack(ours, name="in-yours", parameters={}, say=quiet)
        put(stack.url, 41)
        assert request("GET", stack.url).body == "42"
        assert read_counter(yours, stack) == 42
        table = yours.dynamodb().describe_table(TableName=stack.table_name)["Table"]
        with (
            temporary_cloud(tmp_path / "two" / "cloud.log", options=options(address)) as second,
            pytest.raises(UserError, match=r"which another local cloud .* is using; it is left"),
        ):
            deploy_stack(cloud_of(second), name="in-yours", parameters={}, say=quiet)
        assert read_counter(yours, stack) == 42
        os.kill(local.pid, signal.SIGKILL)
    left = yours.dynamodb().describe_table(TableName=stack.table_name)["Table"]
    assert left["TableId"] == table["TableId"]
    with temporary_cloud(tmp_path / "three" / "cloud.log", options=options(address)) as third:
        stack = deploy_stack(cloud_of(third), name="in-yours", parameters={}, say=quiet)
        assert request("GET", stack.url).status == 409  # taken over, and empty
    assert yours.dynamodb().list_tables()["TableNames"] == before


def test_your_own_table_of_that_name_is_left_alone(places: Places, tmp_path: Path) -> None:
    yours = places.cloud(MINISTACK)
    make_table(yours, "mine")
    yours.dynamodb().put_item(TableName="mine", Item={"id": {"S": "1"}})
    address = places.local(MINISTACK).endpoint_url
    with temporary_cloud(tmp_path / "cloud.log", options=options(address)) as local:
        client = cloud_of(local).dynamodb()
        with pytest.raises(ClientError, match="has a table of that name already, which was not"):
            make_table(cloud_of(local), "mine")
        assert client.list_tables()["TableNames"] == []
    assert len(yours.dynamodb().scan(TableName="mine")["Items"]) == 1
    yours.dynamodb().delete_table(TableName="mine")
    assert "table mine could not be made" in local.log_path.read_text()


def test_an_address_that_is_no_dynamodb_is_one_sentence(tmp_path: Path) -> None:
    with CounterServer(correct) as server:
        for address, reason in (
            ("http://127.0.0.1:1", r"no answer to ListTables \(.*\)"),
            (server.url.rstrip("/"), "ListTables was answered .*"),
        ):
            sentence = f"^ENGINE={address} does not answer as DynamoDB does: {reason}; start the"
            with (
                pytest.raises(UserError, match=sentence),
                temporary_cloud(tmp_path / "cloud.log", options=options(address)),
            ):
                pass
