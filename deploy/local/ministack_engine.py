"""MiniStack's DynamoDB, called in this process.

The only module that reaches behind MiniStack's ASGI application, to the DynamoDB handler that the
application itself dispatches to. Per UpdateItem, in CPU time on a 2-core machine: 0.21 ms this way,
0.34 ms through the application, which is a quarter of a whole GET. `ministack` is pinned exactly,
and `tests/deploy/test_deploy_engine.py` compares the two doors.
"""

from collections.abc import Awaitable, Callable
from typing import cast

from deploy.local.engine import TARGET_PREFIX, Call, EngineAnswer

Handler = Callable[
    [str, str, dict[str, str], bytes, dict[str, list[str]]],
    Awaitable[tuple[int, dict[str, str], bytes]],
]


class MiniStackEngine:
    """MiniStack's DynamoDB; make one only after `asgi.load_ministack`.

    Atomic: its UpdateItem reads, computes and writes in one synchronous function on the one event
    loop, so no other request runs in between. It never waits either, so nothing can time out.
    """

    def __init__(self) -> None:
        from ministack.core import responses  # noqa: PLC0415 (reads its environment on import)
        from ministack.services import dynamodb  # noqa: PLC0415

        self._handle = cast("Handler", dynamodb.handle_request)
        self._set_account = cast("Callable[[str], None]", responses.set_request_account_id)
        self._set_region = cast("Callable[[str], None]", responses.set_request_region)

    async def call(self, call: Call, *, timeout_s: float) -> EngineAnswer:  # noqa: ARG002
        """Run one action once, at once."""
        self._set_account(call.account)
        self._set_region(call.region)
        target = {"x-amz-target": TARGET_PREFIX + call.action}
        status, headers, body = await self._handle("POST", "/", target, call.body, {})
        return EngineAnswer(
            status=status,
            headers={name.lower(): value for name, value in headers.items()},
            body=body if isinstance(body, bytes) else str(body).encode(),
        )
