"""Puts the local cloud together: MiniStack, the engine, the gateway, one socket."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from deploy.local import asgi, listening
from deploy.local.engines import opening as engines
from deploy.local.engines.limits import ITEM_WRITES, ItemLimits, LimitedEngine
from deploy.local.engines.ministack_engine import MiniStackEngine
from deploy.local.engines.split_engine import SplitEngine
from deploy.local.front import Front
from deploy.local.gateway.admission import admission_for
from deploy.local.options import CloudOptions, Limits

BODY_LIMIT_BYTES = 10 * 1024 * 1024
"""API Gateway's payload limit (AWS: "Amazon API Gateway quotas")."""


def bind(port: int) -> socket.socket:
    """Open the one port, on 127.0.0.1 only; 0 lets the system choose. Raises OSError if taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(socket.SOMAXCONN)
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def serving(
    listener: socket.socket, *, instance: str, state_dir: Path, options: CloudOptions
) -> AsyncIterator[None]:
    """Serve the local cloud on a bound socket until the block ends."""
    port = listener.getsockname()[1]
    app = asgi.load_ministack(port=port, state_dir=state_dir)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asgi.lifespan(app))
        opened = engines.opened(options.engine, state_dir=state_dir)
        engine = chosen = await stack.enter_async_context(opened)
        item_limits = None
        if options.limits is Limits.AWS:
            item_limits = ItemLimits(engine, writes=options.item_writes or ITEM_WRITES)
            engine = LimitedEngine(engine, item_limits)
        front = Front(
            app=app,
            engine=engine,
            split=chosen if isinstance(chosen, SplitEngine) else None,
            admission=admission_for(options.limits),
            item_limits=item_limits,
            account_of=MiniStackEngine().account_of,
            instance=instance,
        )
        await stack.enter_async_context(
            listening.serving(listener, front.answer, body_limit_bytes=BODY_LIMIT_BYTES)
        )
        yield
