"""Asks the local control plane as any client would: through API Gateway's own API."""

import json
from typing import TypeAlias
from urllib.parse import urlencode

from deploy.local import asgi
from deploy.local.asgi import AsgiApp
from deploy.local.engines.engine import authorization
from deploy.local.json_values import Json

Scope: TypeAlias = tuple[str, str]
"""Whose resources, and where: account, which also is an access key to it, and region."""

PAGE_SIZE = 500
EMPTY_SCOPES_MAX = 16
"""How many accounts and regions are asked for APIs although none was seen there."""
FIRST_SCOPE = ("000000000000", "us-east-1")
OK = 200
NOT_FOUND = 404


class ControlPlane:
    """Reads from API Gateway's API, for every account and region that has been seen."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._scopes: dict[Scope, None] = {FIRST_SCOPE: None}
        self._with_apis: set[Scope] = set()

    @property
    def scopes(self) -> list[Scope]:
        """For whom and where things were made, the newest first."""
        return list(reversed(self._scopes))

    def note_scope(self, scope: Scope) -> None:
        """Remember for whom and where APIs may be made: a caller of an API does not say."""
        self._scopes.pop(scope, None)
        self._scopes[scope] = None
        empty = [scope for scope in self._scopes if scope not in self._with_apis]
        for oldest in empty[:-EMPTY_SCOPES_MAX]:
            del self._scopes[oldest]

    def note_apis(self, scope: Scope, *, there: bool) -> None:
        """Keep a scope for as long as there are APIs in it."""
        self._scopes.setdefault(scope)
        if there:
            self._with_apis.add(scope)
        else:
            self._with_apis.discard(scope)

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
        account, region = scope
        headers = [
            (b"host", b"127.0.0.1"),
            (b"authorization", authorization(account, region, "apigateway").encode()),
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
