"""Servers to compare the local target with: the same code, with ever less of it.

    python -m bench.floors http|gateway      prints {"url": ...} and serves until SIGTERM
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from deploy.local import asgi, http1, server
from deploy.local.engine import Call, EngineAnswer
from deploy.local.http1 import Incoming, Outgoing
from deploy.local.ministack_engine import MiniStackEngine

FLOORS = ("http", "gateway")
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


def in_process_update_us() -> float:
    """Give the CPU microseconds of one UpdateItem in the engine, no HTTP and no gateway around it."""
    with tempfile.TemporaryDirectory() as folder:
        return uvloop.run(_update_us(Path(folder)))


async def _update_us(folder: Path) -> float:
    app = asgi.load_ministack(port=0, state_dir=folder)
    async with asgi.lifespan(app):
        engine = MiniStackEngine()

        async def ask(action: str, arguments: dict[str, object]) -> EngineAnswer:
            body = json.dumps({"TableName": TABLE, **arguments}).encode()
            return await engine.call(Call(action=action, body=body, **SCOPE), timeout_s=1)
