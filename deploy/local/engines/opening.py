"""Opens the engine that was chosen, ready to be called."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from deploy.local.engines import child, dynalite_program, dynamodb_local
from deploy.local.engines.choice import DYNALITE, MINISTACK, EngineChoice
from deploy.local.engines.engine import Engine
from deploy.local.engines.http_engine import http_engine
from deploy.local.engines.ministack_engine import MiniStackEngine
from deploy.local.engines.mirror import Mirror, Refusal, ask
from deploy.local.engines.ownership import Owner
from deploy.local.engines.split_engine import DEFAULT_REGION, SplitEngine
from history.errors import UserError

PROBED_ACCOUNT = "000000000000"


@asynccontextmanager
async def opened(choice: EngineChoice, *, state_dir: Path) -> AsyncIterator[Engine]:
    """Give the engine for the length of the block; only after `asgi.load_ministack`.

    Raises UserError if it cannot be reached or is not installed.
    """
    control = MiniStackEngine()
    if choice.name == MINISTACK:
        yield control
        return
    async with AsyncExitStack() as stack:
        url = choice.url
        owner = None if url is None else Owner.this_process()
        where = await _started(stack, choice, state_dir) if url is None else lambda: url
        data = await stack.enter_async_context(http_engine(where))
        if url is not None:
            await require_dynamodb(data, url)
        mirror = Mirror(control=control, data=data, database=choice.name, owner=owner)
        if owner is not None:
            stack.push_async_callback(mirror.delete_all)
        yield SplitEngine(control=control, data=data, mirror=mirror, account_of=control.account_of)


async def _started(
    stack: AsyncExitStack, choice: EngineChoice, state_dir: Path
) -> Callable[[], str]:
    """Start a database of our own, and say where it serves."""
    if choice.name == DYNALITE:
        program = stack.enter_context(dynalite_program.program(state_dir))
    else:
        program = stack.enter_context(dynamodb_local.program(choice.dynamodb_local, state_dir))
    database = await stack.enter_async_context(child.running(program))
    return database.url


async def require_dynamodb(engine: Engine, url: str) -> None:
    """Raise UserError unless a DynamoDB answers there."""
    try:
        found = await ask(engine, (PROBED_ACCOUNT, DEFAULT_REGION), "ListTables", {})
        why = None if "TableNames" in found else "ListTables was answered without TableNames"
    except (Refusal, ValueError, TypeError) as error:
        why = str(error)
    if why is not None:
        raise UserError(
            f"ENGINE={url} does not answer as DynamoDB does: {why}; start the database there "
            "first, or name another engine"
        )
