"""Servers to compare the local target with: the same code, with ever less of it.

python -m bench.floors http|gateway   prints {"url": ...} and serves until SIGTERM
python -m bench.floors update         prints the microseconds of one update
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path

import uvloop

from deploy.local import asgi, listening, messages, server
from deploy.local.__main__ import spare_the_collector
from deploy.local.engines.engine import Call, EngineAnswer
from deploy.local.engines.ministack_engine import MiniStackEngine
from deploy.local.front import Front
from deploy.local.gateway.admission import admission_for
from deploy.local.messages import Incoming, Outgoing
from deploy.local.options import Limits

SCOPE = {"region": "us-east-1", "account": "000000000000"}
TABLE = "bench"
UPDATES = 2_000


async def constant(_incoming: Incoming) -> Outgoing:
    """Answer as the counter does, without one."""
    return Outgoing(status=200, headers=(("Content-Type", "application/json"),), body=b"4711")


class ConstantEngine:
    """A database that has counted before it was asked."""

    async def call(self, call: Call, *, timeout_s: float) -> EngineAnswer:  # noqa: ARG002
        """Answer one number for ever."""
        return EngineAnswer(
            status=200,
            headers={"content-type": "application/x-amz-json-1.0"},
            body=b'{"Attributes": {"tally": {"N": "4711"}}}',
        )


async def update_us(folder: Path) -> float:
    """Give the CPU microseconds of one UpdateItem in the engine: no HTTP, no gateway around it."""
    app = asgi.load_ministack(port=0, state_dir=folder)
    async with asgi.lifespan(app):
        engine = MiniStackEngine()

        async def ask(action: str, arguments: dict[str, object]) -> EngineAnswer:
            body = json.dumps({"TableName": TABLE, **arguments}).encode()
            return await engine.call(Call(action=action, body=body, **SCOPE), timeout_s=1)

        table = {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }
        await ask("CreateTable", table)
        await ask("PutItem", {"Item": {"id": {"S": "counter"}, "tally": {"N": "1"}}})
        update = {
            "Key": {"id": {"S": "counter"}},
            "UpdateExpression": "ADD tally :step",
            "ConditionExpression": "attribute_exists(tally)",
            "ExpressionAttributeValues": {":step": {"N": "1"}},
            "ReturnValues": "UPDATED_NEW",
        }
        spare_the_collector()
        await ask("UpdateItem", update)
        call = Call(
            action="UpdateItem", body=json.dumps({"TableName": TABLE, **update}).encode(), **SCOPE
        )
        started = time.process_time()
        for _ in range(UPDATES):
            answer = await engine.call(call, timeout_s=1)
        took_s = time.process_time() - started
        assert answer.status == HTTPStatus.OK
        assert json.loads(answer.body)["Attributes"]["tally"]["N"] == str(UPDATES + 2)
        return took_s / UPDATES * 1e6


async def serve(name: str) -> None:
    """Serve one of the floors until SIGTERM; the gateway's API is the one of `make deploy`."""
    listener = server.bind(0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with AsyncExitStack() as stack:
        handler: messages.Handler = constant
        if name == "gateway":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            app = asgi.load_ministack(port=listener.getsockname()[1], state_dir=folder)
            await stack.enter_async_context(asgi.lifespan(app))
            handler = Front(
                app=app,
                engine=ConstantEngine(),
                admission=admission_for(Limits.NONE),
                item_limits=None,
                split=None,
                account_of=MiniStackEngine().account_of,
                instance="floor",
            ).answer
        serving = listening.serving(listener, handler, body_limit_bytes=server.BODY_LIMIT_BYTES)
        await stack.enter_async_context(serving)
        spare_the_collector()
        print(json.dumps({"url": url}), flush=True)
        await stop.wait()
    os._exit(0)  # as the local cloud does: MiniStack has threads that would hold it up


def main() -> None:
    """Serve, or print what an update costs."""
    if sys.argv[1] == "update":
        with tempfile.TemporaryDirectory() as folder:
            print(uvloop.run(update_us(Path(folder))))
    else:
        uvloop.run(serve(sys.argv[1]))


if __name__ == "__main__":
    main()
