"""One real local cloud for all of these tests, on a port of the system's choosing."""

from collections.abc import Iterator

import pytest

from deploy.cloud import Cloud
from deploy.local.lifecycle import LocalCloud, temporary_cloud
from deploy.local.options import CloudOptions
from deploy.stack import TEMPLATE_PATH, Stack, deploy_stack
from tests.deploy.handmade import Api
from tests.deploy.support import ScriptedDynamo, scripted_dynamo


def quiet(_line: str) -> None:
    """Say nothing."""


@pytest.fixture(autouse=True)
def _no_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with temporary_cloud(tmp_path_factory.mktemp("cloud") / "cloud.log") as cloud:
        yield cloud


@pytest.fixture(scope="session")
def cloud(local: LocalCloud) -> Cloud:
    return Cloud(region="us-east-1", endpoint_url=local.endpoint_url)


@pytest.fixture
def api(cloud: Cloud, local: LocalCloud) -> Iterator[Api]:
    """An API without methods, on its own."""
    made = Api(cloud, local.endpoint_url)
    yield made
    cloud.apigateway().delete_rest_api(restApiId=made.id)


@pytest.fixture(scope="session")
def new(cloud: Cloud) -> Stack:
    """A stack that answers the value after its update."""
    return deploy_stack(cloud, name="new", parameters={"ReturnValues": "UPDATED_NEW"}, say=quiet)


@pytest.fixture(scope="session")
def old(cloud: Cloud) -> Stack:
    """A stack that answers the value before its update."""
    return deploy_stack(cloud, name="old", parameters={"ReturnValues": "UPDATED_OLD"}, say=quiet)


@pytest.fixture(scope="session")
def backend() -> Iterator[ScriptedDynamo]:
    with scripted_dynamo() as dynamo:
        yield dynamo


@pytest.fixture(scope="session")
def scripted_stack(
    tmp_path_factory: pytest.TempPathFactory, backend: ScriptedDynamo
) -> Iterator[Stack]:
    """A stack whose integrations call `backend`, with a time-out of 250 ms."""
    folder = tmp_path_factory.mktemp("scripted")
    template = folder / "template.yml"
    template.write_text(
        TEMPLATE_PATH.read_text().replace("TimeoutInMillis: 29000", "TimeoutInMillis: 250")
    )
    with temporary_cloud(
        folder / "cloud.log", options=CloudOptions(engine_url=backend.url)
    ) as scripted:
        backend.forward_to = scripted.endpoint_url
        cloud = Cloud(region="us-east-1", endpoint_url=scripted.endpoint_url)
        yield deploy_stack(cloud, name="scripted", parameters={}, say=quiet, template_path=template)


@pytest.fixture
def scripted(scripted_stack: Stack, backend: ScriptedDynamo) -> Iterator[Stack]:
    backend.reset()
    yield scripted_stack
    backend.reset()
