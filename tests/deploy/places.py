"""The clouds that the tests share: one for each engine, started when first asked for."""

import itertools
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from deploy.cloud import Cloud
from deploy.creation import deploy_stack
from deploy.local.engines.choice import EngineChoice
from deploy.local.lifecycle import temporary_cloud
from deploy.local.options import CloudOptions
from deploy.local.process import LocalCloud
from deploy.stack import Stack


class Places:
    """Keeps what was started until the end of the block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = ExitStack()
        self._locals: dict[str, LocalCloud] = {}
        self._stacks: dict[tuple[str, str], Stack] = {}
        self._numbers = itertools.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._started.close()

    def local(self, engine: str) -> LocalCloud:
        """The cloud whose items are in that engine."""
        if engine not in self._locals:
            options = CloudOptions(engine=EngineChoice(name=engine))
            log = self._folder / engine / "cloud.log"
            self._locals[engine] = self._started.enter_context(
                temporary_cloud(log, options=options)
            )
        return self._locals[engine]

    def cloud(self, engine: str) -> Cloud:
        """That cloud as an AWS region."""
        return Cloud(region="us-east-1", endpoint_url=self.local(engine).endpoint_url)

    def stack(
        self, engine: str, name: str, return_values: str, *, controls: str = "false"
    ) -> Stack:
        """A stack there, of that name."""
        if (engine, name) not in self._stacks:
            self._stacks[engine, name] = deploy_stack(
                self.cloud(engine),
                name=name,
                parameters={"ReturnValues": return_values, "DeployControls": controls},
                say=quiet,
            )
        return self._stacks[engine, name]

    def unused_name(self) -> str:
        """A name that no other stack of these clouds has."""
        return f"unused-{next(self._numbers)}"


def quiet(_line: str) -> None:
    """Say nothing."""
