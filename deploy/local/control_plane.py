"""Asks the local control plane as any client would: through API Gateway's own API."""

import json
from typing import TypeAlias
from urllib.parse import urlencode

from deploy.local import asgi
from deploy.local.asgi import AsgiApp
from deploy.local.engines.engine import authorization
from deploy.local.json_values import Json

Scope: TypeAlias = tuple[str, str]
"""Whose resources, and where: access key (an account) and region."""

PAGE_SIZE = 500
SCOPES_MAX = 16
OK = 200
NOT_FOUND = 404


class ControlPlane:
    """Reads from API Gateway's API, for every account and region that has been seen."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._scopes: list[Scope] = [("test", "us-east-1")]

    @property
    def scopes(self) -> list[Scope]:
        """For whom and where things were made, the newest first."""
        return list(self._scopes)

    def note_scope(self, access_key: str, region: str) -> None:
        """Remember for whom and where APIs were made: a caller of an API does not say."""
        if (access_key, region) not in self._scopes:
            self._scopes.insert(0, (access_key, region))
            del self._scopes[SCOPES_MAX:]

    async def items(self, scope: Scope, path: str, **query: str) -> list[Json]:
        """Return every item of a collection, over all of its pages; none if it is not there."""
        items: list[Json] = []
        position: str | None = None
        while True:
            page = {
                "limit": str(PAGE_SIZE),
                **query,
                **({"position": position} if position else {}),
            }
            found = await self.get(scope, path, **page) or {}
            items += found.get("item", [])
            position = found.get("position")
            if not position:
                return items

    async def get(self, scope: Scope, path: str, **query: str) -> Json:
        """Return one resource, None if it is not there. Raises RuntimeError for other answers."""
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
