"""Reads deployed configurations through the API Gateway API, exactly as deployed."""

import json
import logging
from urllib.parse import quote, urlencode

from deploy.local import asgi
from deploy.local.asgi import AsgiApp
from deploy.local.configuration import DeployedApi, gateway_responses_of, resources_of
from deploy.local.engine import authorization
from deploy.local.json_values import Json

log = logging.getLogger(__name__)

PAGE_SIZE = 500
SCOPES_MAX = 16
OK = 200
NOT_FOUND = 404


class ConfigurationReader:
    """Reads configurations, and keeps each as the snapshot of its deployment.

    Changing a method does not change a deployed stage: that takes a new deployment (AWS: "Deploy
    REST APIs in API Gateway"). So a snapshot is kept for as long as its stage names the same
    deployment. Which one that is gets asked again only after a control-plane request: all of them
    pass through the same server, which then calls `forget_stages`.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._scopes: list[tuple[str, str]] = [("test", "us-east-1")]
        self._current: dict[tuple[str, str], DeployedApi | None] = {}
        self._snapshots: dict[tuple[str, str], DeployedApi] = {}

    def note_scope(self, access_key: str, region: str) -> None:
        """Remember for whom and where APIs were made: a caller of an API does not say."""
        if (access_key, region) not in self._scopes:
            self._scopes.insert(0, (access_key, region))
            del self._scopes[SCOPES_MAX:]

    def forget_stages(self) -> None:
        """Ask again what each stage has deployed."""
        self._current.clear()

    def cached(self, api_id: str, stage: str) -> DeployedApi | None:
        """Return what is known of a stage without asking."""
        return self._current.get((api_id, stage))

    async def read(self, api_id: str, stage: str) -> DeployedApi | None:
        """Return the deployed stage, None if there is no such API or stage."""
        key = (api_id, stage)
        if key not in self._current:
            if len(self._current) > PAGE_SIZE:
                self._current.clear()
            self._current[key] = await self._ask(api_id, stage)
        return self._current[key]

    async def snapshot_all(self) -> None:
        """Take the snapshot of every stage now, so that later changes of methods stay out of it.

        A stage that cannot be read is logged; a request to it will be told so.
        """
        self.forget_stages()
        for scope in list(self._scopes):
            for api in await self._list(scope, "/restapis"):
                found = await self._get(scope, f"/restapis/{api['id']}/stages") or {}
                for stage in found.get("item", []):
                    try:
                        await self.read(api["id"], stage["stageName"])
                    except Exception:
                        log.exception("API %s, stage %s", api["id"], stage["stageName"])

    async def _ask(self, api_id: str, stage: str) -> DeployedApi | None:
        root = f"/restapis/{quote(api_id, safe='')}"
        for scope in self._scopes:
            found = await self._get(scope, f"{root}/stages/{quote(stage, safe='')}")
            if found is None:
                continue
            known = self._snapshots.get((api_id, stage))
            if known is not None and known.deployment_id == found["deploymentId"]:
                return known
            snapshot = DeployedApi(
                api_id=api_id,
                stage=stage,
                deployment_id=found["deploymentId"],
                region=scope[1],
                account=scope[0],
                variables=found.get("variables") or {},
                resources=resources_of(
                    await self._list(scope, f"{root}/resources", embed="methods")
                ),
                gateway_responses=gateway_responses_of(
                    await self._list(scope, f"{root}/gatewayresponses")
                ),
            )
            self._snapshots[api_id, stage] = snapshot
            return snapshot
        self._snapshots.pop((api_id, stage), None)
        return None

    async def _list(self, scope: tuple[str, str], path: str, **query: str) -> list[Json]:
        items: list[Json] = []
        position: str | None = None
        while True:
            page = {
                "limit": str(PAGE_SIZE),
                **query,
                **({"position": position} if position else {}),
            }
            found = await self._get(scope, path, **page) or {}
            items += found.get("item", [])
            position = found.get("position")
            if not position:
                return items

    async def _get(self, scope: tuple[str, str], path: str, **query: str) -> Json:
        access_key, region = scope
        headers = [
            (b"host", b"127.0.0.1"),
            (b"authorization", authorization(access_key, region, "apigateway").encode()),
        ]
        request = asgi.scope_of(
            method="GET", path=path, query=urlencode(query).encode(), headers=headers
        )
        answer = await asgi.call(self._app, request, b"")
        if answer.status == NOT_FOUND:
            return None
        if answer.status != OK:
            raise RuntimeError(
                f"API Gateway answered {answer.status} to GET {path}: {answer.body!r}"
            )
        return json.loads(answer.body)
