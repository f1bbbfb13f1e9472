"""What is kept of deployments, with an API Gateway that says what the test wants."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.local.control_plane import EMPTY_SCOPES_MAX, FIRST_SCOPE, ControlPlane, Scope
from deploy.local.deployments import Configuration, DeploymentKey
from deploy.local.gateway.configuration import DeployedApi
from deploy.local.gateway.reader import ConfigurationReader

HERE, ELSEWHERE = FIRST_SCOPE, ("000000000000", "eu-west-1")
KEY = ("a1", "d1")


def resources(*verbs: str) -> list[dict[str, Any]]:
    methods = {verb: {"authorizationType": "NONE"} for verb in verbs}
    return [{"id": "r1", "path": "/", "resourceMethods": methods}]


@dataclass(slots=True)
class ScriptedControlPlane:
    """Has one API with the stage v1 in HERE, as long as it is `there`."""

    there: bool = True
    verbs: tuple[str, ...] = ("GET",)
    scopes: list[Scope] = field(default_factory=lambda: [HERE, ELSEWHERE])

    async def items(self, scope: Scope, path: str, **_query: str) -> list[Any]:
        found = {
            "/restapis": [{"id": "a1"}],
            "/restapis/a1/deployments": [{"id": "d1"}],
            "/restapis/a1/resources": resources(*self.verbs),
        }
        return found.get(path, []) if self.there and scope == HERE else []

    async def get(self, scope: Scope, path: str) -> Any:
        found = {"/restapis/a1/stages/v1": {"stageName": "v1", "deploymentId": "d1"}}
        return found.get(path) if scope == HERE else None

    def note_apis(self, scope: Scope, *, there: bool) -> None:
        assert there == (scope == HERE and self.there)


@dataclass(slots=True)
class Reading:
    """A reader, what it asks, and the deployments that were seen as they were made."""

    control_plane: ScriptedControlPlane = field(default_factory=ScriptedControlPlane)
    made: dict[DeploymentKey, Configuration] = field(default_factory=dict)
    reader: ConfigurationReader = field(init=False)

    def __post_init__(self) -> None:
        deployments: Any = SimpleNamespace(made=self.made)
        control_plane: Any = self.control_plane
        self.reader = ConfigurationReader(control_plane, deployments)

    def take_snapshots(self) -> None:
        asyncio.run(self.reader.take_snapshots())

    def served(self) -> list[str]:
        """The verbs of the stage v1."""
        self.reader.forget_stages()
        found: DeployedApi | None = asyncio.run(self.reader.read("a1", "v1"))
        assert found is not None
        return [verb for resource in found.definition.resources for verb in resource.methods]


def made(*verbs: str) -> Configuration:
    return Configuration(scope=HERE, api={}, resources=resources(*verbs), gateway_responses=[])


def test_a_deployment_is_what_was_seen_as_it_was_made() -> None:
    """AWS: "Deploy REST APIs in API Gateway"."""
    reading = Reading(made={KEY: made("PUT")})
    assert reading.served() == ["PUT"]
    assert not reading.made
    reading.take_snapshots()
    assert reading.served() == ["PUT"]


def test_a_deployment_that_was_made_unseen_is_read_once() -> None:
    """AWS: "Deploy REST APIs in API Gateway"."""
    reading = Reading()
    reading.take_snapshots()
    reading.control_plane.verbs = ("GET", "PUT")
    reading.take_snapshots()
    assert reading.served() == ["GET"]


def test_a_deployment_that_is_gone_before_anyone_looked_is_forgotten() -> None:
    reading = Reading(made={("a1", "gone"): made("PUT")})
    reading.take_snapshots()
    assert not reading.made


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        pytest.param([ELSEWHERE], ["GET"], id="not looked for"),
        pytest.param([HERE, ELSEWHERE], ["PUT"], id="looked for and gone"),
    ],
)
def test_a_deployment_is_forgotten_only_when_it_is_seen_to_be_gone(
    scopes: list[Scope], expected: list[str]
) -> None:
    reading = Reading()
    reading.take_snapshots()
    reading.control_plane.there = False
    reading.control_plane.scopes = scopes
    reading.take_snapshots()
    reading.control_plane = reading.reader._control_plane = ScriptedControlPlane(verbs=("PUT",))  # type: ignore[assignment]
    assert reading.served() == expected


def test_a_scope_with_apis_is_never_dropped_and_the_oldest_empty_one_is() -> None:
    control_plane = ControlPlane(SimpleNamespace())  # type: ignore[arg-type]
    control_plane.note_apis(ELSEWHERE, there=True)
    empty = [("000000000000", f"eu-north-{number}") for number in range(EMPTY_SCOPES_MAX + 4)]
    for scope in empty:
        control_plane.note_scope(scope)
    kept = [*reversed(empty[4:]), ELSEWHERE]
    assert control_plane.scopes == kept
    control_plane.note_scope(empty[4])
    assert control_plane.scopes == [empty[4], *(scope for scope in kept if scope != empty[4])]
    control_plane.note_apis(ELSEWHERE, there=False)
    control_plane.note_scope(empty[0])
    assert ELSEWHERE not in control_plane.scopes
