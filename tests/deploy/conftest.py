"""Real local clouds for all of these tests, on ports of the system's choosing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cloud import Cloud
from deploy.creation import deploy_stack
from deploy.local import process
from deploy.local.engines.choice import DYNALITE, MINISTACK, EngineChoice
from deploy.local.lifecycle import temporary_cloud
from deploy.local.options import CloudOptions
from deploy.local.process import LocalCloud
from deploy.stack import Stack
from deploy.template import TEMPLATE_PATH
from tests.deploy.handmade import Api
from tests.deploy.places import Places, quiet
from tests.deploy.support import EditTemplate, ScriptedDynamo, scripted_dynamo
from tests.patience import PATIENCE_S

ENGINES = [
    pytest.param(MINISTACK, id=MINISTACK),
    # On one worker, so that its cloud is started once.
    pytest.param(DYNALITE, id=DYNALITE, marks=pytest.mark.xdist_group(DYNALITE)),
]


ON_ONE_WORKER = ("scripted_stack", "limited", "common")
"""Fixtures with a cloud of their own, shared by a few tests."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let all tests that share one of those clouds run on the same worker, which starts it."""
    fixtures = item.fixturenames if isinstance(item, pytest.Function) else []
    for name in ON_ONE_WORKER:
        if name in fixtures:
            item.add_marker(pytest.mark.xdist_group(name))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked `both_engines` on each; any other on the default one."""
    marked = metafunc.definition.get_closest_marker("both_engines") is not None
    if marked and "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", ENGINES, indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _patient_with_processes() -> Iterator[None]:
    """Give a local cloud all the time it needs: a person would have tried again by now."""
    with pytest.MonkeyPatch.context() as patient:
        for name in ("START_TIMEOUT_S", "STOP_TIMEOUT_S", "HEALTH_TIMEOUT_S"):
            patient.setattr(process, name, PATIENCE_S)
        yield


@pytest.fixture(autouse=True)
def _no_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def edited(tmp_path: Path) -> EditTemplate:
    def write(*passages: tuple[str, str]) -> Path:
        text = TEMPLATE_PATH.read_text()
        for old, new in passages:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "template.yml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with Places(tmp_path_factory.mktemp("clouds")) as places:
        yield places


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of the local cloud that the test is about."""
    return str(getattr(request, "param", MINISTACK))


@pytest.fixture
def local(places: Places, engine: str) -> LocalCloud:
    return places.local(engine)


@pytest.fixture
def cloud(places: Places, engine: str) -> Cloud:
    return places.cloud(engine)


@pytest.fixture
def api(cloud: Cloud, local: LocalCloud) -> Iterator[Api]:
    """An API without methods, on its own."""
    made = Api(cloud, local.endpoint_url)
    yield made
    cloud.apigateway().delete_rest_api(restApiId=made.id)


@pytest.fixture
def new(places: Places, engine: str) -> Stack:
    """A stack that answers the value after its update."""
    return places.stack(engine, "new", "UPDATED_NEW")


@pytest.fixture
def old(places: Places, engine: str) -> Stack:
    """A stack that answers the value before its update."""
    return places.stack(engine, "old", "UPDATED_OLD")


@pytest.fixture
def unsafe(places: Places, engine: str) -> Stack:
    """A stack with the controls."""
    return places.stack(engine, "unsafe", "UPDATED_NEW", controls="true")


@pytest.fixture(scope="session")
def backend() -> Iterator[ScriptedDynamo]:
    with scripted_dynamo() as dynamo:
        yield dynamo


@pytest.fixture(scope="session")
def scripted_stack(
    tmp_path_factory: pytest.TempPathFactory, backend: ScriptedDynamo, places: Places
) -> Iterator[Stack]:
    """A stack whose items are in `backend`, with the controls."""
    folder = tmp_path_factory.mktemp("scripted")
    backend.forward_to = places.local(MINISTACK).endpoint_url
    options = CloudOptions(engine=EngineChoice(name=backend.url))
    with temporary_cloud(folder / "cloud.log", options=options) as scripted:
        cloud = Cloud(region="us-east-1", endpoint_url=scripted.endpoint_url)
        wanted = {"DeployControls": "true"}
        yield deploy_stack(cloud, name="scripted", parameters=wanted, say=quiet)


@pytest.fixture
def scripted(scripted_stack: Stack, backend: ScriptedDynamo) -> Iterator[Stack]:
    backend.reset()
    yield scripted_stack
    backend.reset()


@pytest.fixture
def name(places: Places, cloud: Cloud) -> Iterator[str]:
    """Name a stack of the test's own, which goes with it.

    Of a stack that all tests share, each would read the events of all that were before it.
    """
    name = places.unused_name()
    yield name
    cloud.cloudformation().delete_stack(StackName=name)
