"""One run of the real runner, disturbed as a plan says."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.crash.program import Program
from tests.crash.victims import Victims, left_behind
from tests.disturbances.link import Counts
from tests.disturbances.plan import Act, Disturbance, Place, Step
from tests.disturbances.stage import Stage, staged
from tests.disturbances.wall_clock import goes_by_one
from tests.inline import Ended
from tests.patience import PATIENCE_S
from tests.runner.conftest import Runner

NS_PER_S = 1_000_000_000
LOAD = {"USERS": "6", "SPAWN_RATE": "100", "CONNECTIONS": "18"}
TRANSPORTS = ("aiohttp", "wire")
_PAUSED = {Act.PAUSE_ENGINE: "serve.js", Act.PAUSE_CLOUD: "deploy.local"}
"""A word of the command line of what stands still."""

_CLOCK_ERROR_S = 1.0
_POLL_S = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that is known of one run afterwards.

    `folder` is the run's. `counter` is what the table holds after all, where the runner loaded
    a URL and so did not know of a table. `packets` is what became of the link's. `unfelt` says
    what was done and not seen to act, `left` names processes that should not be there any more.
    """

    disturbance: Disturbance
    seed: int
    runner: Ended
    folder: Path | None
    counter: int | None
    packets: Counts
    unfelt: Sequence[str]
    left: Sequence[str]


def conduct(
    disturbance: Disturbance, seed: int, reports: Path, *, quickly: bool = False
) -> Outcome:
    """Run once, with the transport that the seed says.

    `quickly` saves two interpreters where nothing is done in the middle: runner and judge are
    then within this process.
    """
    reports.mkdir()
    apart = reports.with_name(reports.name + "-stage")
    apart.mkdir()
    unfelt: list[str] = []
    alive: list[psutil.Process] = []
    with staged(disturbance, seed, apart) as stage:
        stage.variables |= LOAD | {"TRANSPORT": TRANSPORTS[seed % 2], "SEED": str(seed)}
        if quickly and disturbance.place is Place.OWN and not disturbance.steps:
            _, code, out, err = Runner(reports, []).run_here(**stage.variables)
            runner = Ended(returncode=code, stdout=out, stderr=err)
        else:
            runner, unfelt, alive = _run(disturbance.steps, stage, reports)
        counter = None if stage.standing is None else stage.standing.counter()
        packets = stage.counts()
    return Outcome(
        disturbance=disturbance,
        seed=seed,
        runner=runner,
        folder=next((path.parent for path in reports.glob("2*/manifest.json")), None),
        counter=counter,
        packets=packets,
        unfelt=unfelt,
        left=[*map(str, alive), *left_behind(reports), *left_behind(apart)],
    )


def _run(
    steps: Sequence[Step], stage: Stage, reports: Path
) -> tuple[Ended, list[str], list[psutil.Process]]:
    """Run it as a process; give how it ended, what was not felt, and who lives on."""
    program = Program("loadtest", reports, before=stage.before, **stage.variables)
    try:
        with Victims(program.process.pid, reports) as victims:
            unfelt = list(_disturb(steps, stage, program, victims))
            victims.look()
            return program.ended(), unfelt, victims.await_end(PATIENCE_S)
    finally:
        program.kill()


def _disturb(
    steps: Sequence[Step], stage: Stage, program: Program, victims: Victims
) -> Iterator[str]:
    """Do one after the other, each at its time; tell what was not felt."""
    start_ns = _await_start(program, victims) if steps else None
    if start_ns is None:
        return
    victims.look()
    for step in steps:
        past_s = (time.monotonic_ns() - start_ns) / NS_PER_S
        threading.Event().wait(max(0.0, step.at_s - past_s))
        if program.process.poll() is not None:
            yield f"the runner ended before: {step.act}"
            return
        yield from _DO[step.act](step, stage, psutil.Process(program.process.pid))


def _await_start(program: Program, victims: Victims) -> int | None:
    """Wait for the load's first request; None if the runner ends before."""
    while program.process.poll() is None:
        if (start_ns := victims.started_ns()) is not None:
            return start_ns
        threading.Event().wait(_POLL_S)
    return None


def _pause(step: Step, _: Stage, runner: psutil.Process) -> Iterator[str]:
    paused = [
        process
        for process in runner.children(recursive=True)
        if any(_PAUSED[step.act] in word for word in process.cmdline())
    ]
    if len(paused) != 1:
        yield f"expected one process to pause, found {paused}"
        return
    (process,) = paused
    process.suspend()
    try:
        threading.Event().wait(step.amount)
        if process.status() != psutil.STATUS_STOPPED:
            yield f"{process} did not stand still"
    finally:
        process.resume()


def _kill_gateway(step: Step, stage: Stage, _: psutil.Process) -> Iterator[str]:
    assert stage.gateway is not None
    before = stage.gateway.url
    stage.gateway.kill(step.amount)
    if stage.gateway.url != before:
        yield f"the gateway was at {before} and is at {stage.gateway.url}"


def _worsen_link(step: Step, stage: Stage, _: psutil.Process) -> Iterator[str]:
    link = stage.link
    assert link is not None
    worsen, relieve, counted = {
        Act.CUT_LINK: (link.cut, link.mend, "cut"),
        Act.SPOIL_LINK: (link.mend, link.spare, "lost"),
    }[step.act]
    worsen()
    threading.Event().wait(step.amount)
    relieve()
    counts = link.counts()
    if not all(way[counted] for way in counts.values()):
        yield f"{step.act}, and no packet met it: {counts}"


def _set_clock(step: Step, stage: Stage, runner: psutil.Process) -> Iterator[str]:
    assert stage.clock is not None
    assert stage.witness is not None
    stage.clock.step(step.amount)
    seen = stage.witness.sees()
    if abs(seen.ahead_s - step.amount) > _CLOCK_ERROR_S or not seen.same_monotonic:
        yield f"the clock was to be {step.amount:g} s ahead, it is {seen}"
    for process in (runner, *runner.children(recursive=True)):
        if not goes_by_one(process.pid):
            yield f"{process} does not go by the clock"


_DO: Mapping[Act, Callable[[Step, Stage, psutil.Process], Iterator[str]]] = {
    Act.PAUSE_ENGINE: _pause,
    Act.PAUSE_CLOUD: _pause,
    Act.KILL_GATEWAY: _kill_gateway,
    Act.CUT_LINK: _worsen_link,
    Act.SPOIL_LINK: _worsen_link,
    Act.SET_CLOCK: _set_clock,
}
