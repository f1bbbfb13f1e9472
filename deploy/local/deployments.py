"""Sees every deployment of MiniStack's API Gateway at the moment that it is made.

API Gateway's API does not show what a deployment froze, and CloudFormation changes an API between
two requests of anyone's: whoever asks later may be shown a method that the deployment is without.
So the one function that makes deployments, for CreateDeployment and for CloudFormation alike, is
wrapped here, and what GetResources, GetGatewayResponses and GetRestApi answer at that moment is
kept. This reaches behind MiniStack's ASGI application, as `engines.ministack_engine` does:
`ministack` is pinned exactly, and a function that is no longer there stops the start.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeAlias

from deploy.local.control_plane import PAGE_SIZE, Scope
from deploy.local.json_values import Json

MiniStackAnswer: TypeAlias = tuple[int, dict[str, str], bytes]
DeploymentKey: TypeAlias = tuple[str, str]
"""The ids of an API and of its deployment."""

OK, CREATED = 200, 201


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What API Gateway's API showed of an API at one moment."""

    scope: Scope
    api: Json
    """As GetRestApi has it."""
    resources: list[Json]
    """As GetResources has them, methods embedded."""
    gateway_responses: list[Json]
    """As GetGatewayResponses has them."""


class Deployments:
    """What was deployed since the start; make one only after `asgi.load_ministack`."""

    def __init__(self) -> None:
        from ministack.core import responses  # noqa: PLC0415 (reads its environment on import)
        from ministack.services import apigateway_v1  # noqa: PLC0415

        self.made: dict[DeploymentKey, Configuration] = {}
        """What is not taken yet, the oldest first."""
        self._account: Callable[[], str] = responses.get_account_id
        self._region: Callable[[], str] = responses.get_region
        self._rest_api: Callable[[str], MiniStackAnswer] = apigateway_v1._get_rest_api  # noqa: SLF001
        self._resources: Callable[[str, dict[str, str]], MiniStackAnswer] = (
            apigateway_v1._get_resources  # noqa: SLF001
        )
        self._responses: Callable[[str], MiniStackAnswer] = apigateway_v1._get_gateway_responses  # noqa: SLF001
        create: Callable[[str, Json], MiniStackAnswer] = apigateway_v1._create_deployment  # noqa: SLF001

        @wraps(create)
        def create_and_keep(api_id: str, request: Json) -> MiniStackAnswer:
            answer = create(api_id, request)
            if answer[0] == CREATED:
                deployment_id = json.loads(answer[2])["id"]
                self.made[api_id, deployment_id] = self._configuration(api_id)
            return answer

        apigateway_v1._create_deployment = create_and_keep  # noqa: SLF001

    def _configuration(self, api_id: str) -> Configuration:
        """Read an API in the account and region of whoever deploys it."""
        resources: list[Json] = []
        query = {"limit": str(PAGE_SIZE)}
        while True:
            page = body_of(self._resources(api_id, query))
            resources += page["item"]
            if not page.get("position"):
                break
            query["position"] = page["position"]
        return Configuration(
            scope=(self._account(), self._region()),
            api=body_of(self._rest_api(api_id)),
            resources=resources,
            gateway_responses=body_of(self._responses(api_id))["item"],
        )


def body_of(answer: MiniStackAnswer) -> Json:
    """Parse what MiniStack answered. Raises RuntimeError unless it is 200."""
    status, _, body = answer
    if status != OK:
        raise RuntimeError(f"MiniStack answered {status}: {body!r}")
    return json.loads(body)
