"""Where a run takes place, made for it and taken down after it: cloud, gateway, link, clock."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from runner.intermediary import running
from tests.disturbances.link import Counts, Link, linked
from tests.disturbances.plan import Act, Disturbance, Place
from tests.disturbances.wall_clock import WallClock, Witness


class Standing:
    """A stack that stands apart from the runner, and can tell what its table holds."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self.url = url
        self._process = process

    @property
    def endpoint_url(self) -> str:
        """Where its local cloud serves."""
        return urlsplit(self.url)._replace(path="").geturl()

    def counter(self) -> int:
        """Read the counter strongly consistently."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


class Gateway:
    """An intermediary that can be killed and comes again where it was."""

    def __init__(self, upstream: str, seed: int, *, host: str, inside: Sequence[str]) -> None:
        self.url = ""
        self._command = [*inside, sys.executable, "-m", "faults", "--upstream", upstream]
        self._command += ["--host", host, "--seed", str(seed)]
        self._started = ExitStack()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve for the length of the block."""
        with self._started:
            self._start(0)
            yield

    def kill(self, away_s: float) -> None:
        """Kill it, and start it again on the same port after a while."""
        self._process.kill()
        self._process.wait()
        threading.Event().wait(away_s)
        port = urlsplit(self.url).port
        assert port is not None
        self._start(port)

    def _start(self, port: int) -> None:
        command = [*self._command, "--port", str(port)]
        self._process, self.url = self._started.enter_context(running(command, "the gateway"))


@dataclass(slots=True, kw_only=True)
class Stage:
    """What there is for one run: how the runner is started there, and what can be acted on."""

    variables: dict[str, str]
    before: Sequence[str] = ()
    standing: Standing | None = None
    gateway: Gateway | None = None
    link: Link | None = None
    clock: WallClock | None = None
    witness: Witness | None = None
    held: ExitStack = field(default_factory=ExitStack)

    def counts(self) -> Counts:
        """What became of the link's packets; nothing where there is none."""
        return {} if self.link is None else self.link.counts()

    def stand(self, folder: Path, inside: Sequence[str] = ()) -> Standing:
        """Deploy a stack of the stage's own."""
        command = [*inside, sys.executable, "-m", "tests.disturbances.standing", str(folder)]
        self.standing = Standing(*self.held.enter_context(running(command, "the stack")))
        return self.standing

    def put_gateway(self, seed: int, *, host: str, inside: Sequence[str] = ()) -> None:
        """Put an intermediary before that stack, and have the runner load it."""
        assert self.standing is not None
        self.gateway = Gateway(self.standing.url, seed, host=host, inside=inside)
        self.held.enter_context(self.gateway.serving())
        self.variables["URL"] = self.gateway.url


@contextmanager
def staged(disturbance: Disturbance, seed: int, folder: Path) -> Iterator[Stage]:
    """Make what a disturbance needs."""
    stage = Stage(variables=dict(disturbance.variables))
    with stage.held:
        match disturbance.place:
            case Place.GATEWAY:
                stage.stand(folder)
                stage.put_gateway(seed, host="127.0.0.1")
            case Place.LINK:
                _across(stage, disturbance, seed, folder)
            case Place.CLOCK:
                stage.variables["ENDPOINT_URL"] = stage.stand(folder).endpoint_url
                stage.clock = WallClock(folder)
                stage.variables |= stage.clock.variables
                stage.witness = stage.held.enter_context(stage.clock.witness())
        yield stage


def _across(stage: Stage, disturbance: Disturbance, seed: int, folder: Path) -> None:
    link = stage.link = stage.held.enter_context(linked(disturbance.wire, seed=seed))
    if any(step.act is Act.SPOIL_LINK for step in disturbance.steps):
        link.spare()
    stage.before = link.near.inside
    stage.variables["ALLOW_HOST"] = link.far.address
    stage.stand(folder, link.far.inside)
    stage.put_gateway(seed, host=link.far.address, inside=link.far.inside)
