"""MiniStack's DynamoDB, called in this process.

The only module that reaches behind MiniStack's ASGI application. `ministack` is pinned exactly, and
`tests/deploy/test_deploy_engine.py` compares this door with the front one, answer by answer.

Two things are done for speed, because a slow target hides races. Per UpdateItem, in CPU time on a
2-core machine: 0.41 ms through the application, 0.28 ms by the handler it dispatches to, 0.19 ms
with `remember_expressions`, and 0.14 ms with the collector spared as well (`__main__`).
"""

import copy
import marshal
from collections.abc import Awaitable, Callable
from functools import lru_cache
from types import ModuleType, SimpleNamespace
from typing import Any, TypeVar, cast

from deploy.local.engines.engine import TARGET_PREFIX, Call, EngineAnswer

T = TypeVar("T")
Handler = Callable[
    [str, str, dict[str, str], bytes, dict[str, list[str]]],
    Awaitable[tuple[int, dict[str, str], bytes]],
]

EXPRESSIONS_MAX = 1024
"""How many expressions are remembered; a counter's API has three."""


class MiniStackEngine:
    """MiniStack's DynamoDB; make one only after `asgi.load_ministack`.

    Atomic: its UpdateItem reads, computes and writes in one synchronous function on the one event
    loop, so no other request runs in between. It never waits either, so nothing can time out.
    """

    def __init__(self) -> None:
        from ministack.core import responses  # noqa: PLC0415 (reads its environment on import)
        from ministack.services import dynamodb  # noqa: PLC0415

        remember_expressions(dynamodb)
        self._handle = cast("Handler", dynamodb.handle_request)
        self._set_account = cast("Callable[[str], None]", responses.set_request_account_id)
        self._account = cast("Callable[[], str]", responses.get_account_id)
        self._set_region = cast("Callable[[str], None]", responses.set_request_region)

    def account_of(self, access_key: str) -> str:
        """Name the account that an access key belongs to."""
        self._set_account(access_key)
        return self._account()

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


def remember_expressions(dynamodb: ModuleType) -> None:
    """Have MiniStack parse the text of an expression once, and copy items faster.

    It tokenises and checks the same few texts anew for every update. Both functions depend on their
    arguments alone; the tokens are a list that its evaluator only reads, and each caller gets its
    own. Of `copy` it uses only `deepcopy`, nearly always on an item.
    """
    if isinstance(dynamodb.copy, SimpleNamespace):
        return  # done before: there is one module, however many engines
    tokens_of = lru_cache(maxsize=EXPRESSIONS_MAX)(dynamodb._tokenize)  # noqa: SLF001
    syntax_error = lru_cache(maxsize=EXPRESSIONS_MAX)(dynamodb._condition_syntax_error)  # noqa: SLF001
    replaced = {
        "_tokenize": lambda text: list(tokens_of(text)),
        "_condition_syntax_error": syntax_error,
        "copy": SimpleNamespace(deepcopy=deep_copy),
    }
    for name, function in replaced.items():
        setattr(dynamodb, name, function)


def deep_copy(value: T) -> T:
    """Copy plain JSON by way of bytes, 8 times as fast as `copy.deepcopy`, which does the rest."""
    try:
        return cast("T", marshal.loads(marshal.dumps(cast("Any", value))))  # noqa: S302 (our own bytes)
    except ValueError:
        return copy.deepcopy(value)
