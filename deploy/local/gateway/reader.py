"""Reads deployed configurations through the API Gateway API, exactly as deployed."""

import logging
from collections.abc import Iterable
from urllib.parse import quote

from deploy.local.control_plane import ControlPlane, Scope
from deploy.local.deployments import Configuration, DeploymentKey, Deployments
from deploy.local.gateway import gaps
from deploy.local.gateway.access import read_access
from deploy.local.gateway.configuration import (
    Definition,
    DeployedApi,
    gateway_responses_of,
    resources_of,
)

log = logging.getLogger(__name__)

STAGES_MAX = 500


class ConfigurationReader:
    """Keeps what each deployment froze, and what each stage says now.

    A deployment is a snapshot of the API's methods and gateway responses: changing one of them does
    not change a deployed stage until it gets a new deployment (AWS: "Deploy REST APIs in API
    Gateway"). API Gateway's API does not show what a snapshot holds, so it is taken when the
    deployment is made. One that was made unseen is read as soon as it is found: before any later
    write reaches the control plane. Which deployment a stage names, its variables and its settings
    are live.
    """

    def __init__(self, control_plane: ControlPlane, deployments: Deployments) -> None:
        self._control_plane = control_plane
        self._deployments = deployments
        self._stages: dict[tuple[str, str], DeployedApi | None] = {}
        self._definitions: dict[DeploymentKey, Definition] = {}
        self._owners: dict[DeploymentKey, Scope] = {}
        self._said_gaps: set[tuple[str, str, str]] = set()

    def cached(self, api_id: str, stage: str) -> DeployedApi | None:
        """Return what is known of a stage without asking."""
        return self._stages.get((api_id, stage))

    def forget_stages(self) -> None:
        """Ask again what each stage names: a control-plane write may have changed it."""
        self._stages.clear()

    async def read(self, api_id: str, stage: str) -> DeployedApi | None:
        """Return the deployed stage, None if there is no such API or stage."""
        key = (api_id, stage)
        if key not in self._stages:
            if len(self._stages) > STAGES_MAX:
                self._stages.clear()
            self._stages[key] = await self._ask(api_id, stage)
        return self._stages[key]

    async def take_snapshots(self) -> None:
        """Freeze every deployment not seen yet; forget those that are seen to be gone.

        An API that cannot be read is logged; a request to it will be told so.
        """
        made = self._deployments.made
        self._note_made()
        for scope in self._control_plane.scopes:
            before = {key for key, owner in self._owners.items() if owner == scope}
            before |= {key for key, configuration in made.items() if configuration.scope == scope}
            there = await self._snapshots_in(scope)
            for gone in before - there:
                self._definitions.pop(gone, None)
                self._owners.pop(gone, None)
                made.pop(gone, None)

    async def _snapshots_in(self, scope: Scope) -> set[DeploymentKey]:
        """Freeze what one account has in one region, and return all deployments there."""
        there = set()
        apis = await self._control_plane.items(scope, "/restapis")
        self._control_plane.note_apis(scope, there=bool(apis))
        for api in apis:
            deployments = f"{root_of(api['id'])}/deployments"
            for deployment in await self._control_plane.items(scope, deployments):
                key = (api["id"], deployment["id"])
                there.add(key)
                try:
                    await self._definition(scope, key)
                except Exception:
                    log.exception("API %s, deployment %s", *key)
        return there

    def _note_made(self) -> None:
        """Look for APIs where something was deployed, whoever asked for it."""
        for configuration in self._deployments.made.values():
            self._control_plane.note_apis(configuration.scope, there=True)

    async def _ask(self, api_id: str, stage: str) -> DeployedApi | None:
        self._note_made()
        for scope in self._control_plane.scopes:
            found = await self._control_plane.get(
                scope, f"{root_of(api_id)}/stages/{quote(stage, safe='')}"
            )
            if found is not None:
                definition = await self._definition(scope, (api_id, found["deploymentId"]))
                return DeployedApi(
                    api_id=api_id,
                    stage=stage,
                    deployment_id=found["deploymentId"],
                    region=scope[1],
                    account=scope[0],
                    variables=found.get("variables") or {},
                    definition=definition,
                    access=await read_access(
                        self._control_plane,
                        scope,
                        api_id,
                        found,
                        keys_wanted=definition.wants_keys,
                    ),
                    gaps=self._said(api_id, f"stage {stage}", gaps.of_stage(found)),
                )
        return None

    async def _definition(self, scope: Scope, key: DeploymentKey) -> Definition:
        if key not in self._definitions:
            made = self._deployments.made.get(key)
            configuration = made or await self._configuration(scope, key[0])
            if key not in self._definitions:  # nobody else was first meanwhile
                self._definitions[key] = self._definition_of(key[0], configuration)
                self._owners[key] = scope
            self._deployments.made.pop(key, None)
        return self._definitions[key]

    async def _configuration(self, scope: Scope, api_id: str) -> Configuration:
        """Ask for what an API is now."""
        root = root_of(api_id)
        items = self._control_plane.items
        return Configuration(
            scope=scope,
            api=await self._control_plane.get(scope, root) or {},
            resources=await items(scope, f"{root}/resources", embed="methods"),
            gateway_responses=await items(scope, f"{root}/gatewayresponses"),
        )

    def _definition_of(self, api_id: str, configuration: Configuration) -> Definition:
        """Read a configuration, and log what of it is not emulated."""
        resources = resources_of(configuration.resources)
        responses, api = configuration.gateway_responses, configuration.api
        for resource in resources:
            for verb, method in resource.methods.items():
                self._said(api_id, f"{verb} {resource.path}", method.gaps)
        found = [*gaps.of_api(api), *gaps.of_gateway_responses(responses)]
        return Definition(
            resources=resources,
            gateway_responses=gateway_responses_of(responses),
            gaps=self._said(api_id, "the whole API", found),
            api_key_source=api.get("apiKeySource") or "HEADER",
        )

    def _said(self, api_id: str, where: str, found: Iterable[str]) -> tuple[str, ...]:
        """Log each gap, once."""
        said = tuple(found)
        for gap in said:
            if (api_id, where, gap) not in self._said_gaps:
                self._said_gaps.add((api_id, where, gap))
                log.warning("API %s, %s: not emulated: %s", api_id, where, gap)
        return said


def root_of(api_id: str) -> str:
    """Give the path of an API in API Gateway's API."""
    return f"/restapis/{quote(api_id, safe='')}"
