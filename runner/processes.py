"""Processes of the load: started together at their gates, ended, and how each did.

A generator may fork workers that record for themselves (Locust does). Each has its own gate,
but is not our child: how it ended it says itself, or does not say.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from history.errors import UserError
from history.gate import GATE_VARIABLE, WORKER_GATES_VARIABLE, RunnerGate
from history.manifest import ENDED_WELL
from runner.provenance import REPOSITORY

READY_TIMEOUT_S = 60.0
KILL_GRACE_S = 5.0
LOG_LINES = 12
STOPPED = "was stopped"
"""How a worker ended that was told to, because its parent could not go on."""
_STUCK = f"for {READY_TIMEOUT_S:g} s no process became so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """One running process of the load; `parent` is the generator that forked it, if one did.

    `process` is its own, or its parent's.
    """

    name: str
    source: str
    process: subprocess.Popen[bytes]
    gate: RunnerGate
    log: Path
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a process ended, and whether it did so because it could not go on."""

    state: str
    gave_up: bool


def start(
    planned: Mapping[str, tuple[str, list[str]]],
    *,
    environment: Mapping[str, str],
    logs: Path,
    workers: Mapping[str, Sequence[str]],
) -> list[Generator]:
    """Start every generator and wait until all could begin at once.

    `workers` names those that a generator will fork, in their order. Raises UserError, with
    the end of its log, when one does not get there; then all are stopped again.
    """
    generators: list[Generator] = []
    try:
        for name, (source, command) in planned.items():
            generators += _start_one(
                name,
                source,
                command,
                workers=workers.get(name, ()),
                environment=environment,
                log=logs / f"{name}.log",
            )
        _await_ready(generators)
    except BaseException:
        for generator in generators:
            generator.gate.close()
            _kill(generator)
            generator.process.wait()
            generator.gate.dispose()
        raise
    return generators


def _start_one(
    name: str,
    source: str,
    command: list[str],
    *,
    workers: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
) -> list[Generator]:
    """Start a generator; give it and the workers it is to fork."""
    gate, *others = gates = [RunnerGate() for _ in range(1 + len(workers))]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={
                **environment,
                GATE_VARIABLE: gate.variable,
                WORKER_GATES_VARIABLE: " ".join(other.variable for other in others),
            },
            pass_fds=[descriptor for each in gates for descriptor in each.child_fds],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the runner only, which stops them in order
        )
    for each in gates:
        each.started()
    return [
        Generator(name=each, source=source, process=process, gate=own, log=log, parent=parent)
        for each, own, parent in zip(
            (name, *workers), gates, (None, *(name for _ in workers)), strict=True
        )
    ]


def _await_ready(generators: Sequence[Generator]) -> None:
    waiting = {generator.gate.ready_fd: generator for generator in generators}
    while waiting:
        # As long as one after the other gets there, it is only the machine that is slow.
        readable, _, _ = select.select(list(waiting), [], [], READY_TIMEOUT_S)
        if not readable:
            late = next(iter(waiting.values()))
            raise UserError(_did_not_start(late, "was not ready: " + _STUCK))
        for descriptor in readable:
            generator = waiting.pop(descriptor)
            if not generator.gate.is_ready():
                raise UserError(_did_not_start(generator, "stopped before the load began"))


def _did_not_start(generator: Generator, how: str) -> str:
    lines = generator.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return f"{generator.name} {how}; the end of its log: {' | '.join(lines) or '(empty)'}"


def reap(generators: Sequence[Generator], grace_s: float) -> dict[str, str]:
    """Wait for every process; one that does not end is terminated, then killed.

    Gives how each ended, by name.
    """
    deadline_s = time.monotonic() + grace_s
    states: dict[str, str] = {}
    for generator in generators:
        if generator.parent is None:
            states[generator.name] = _end(generator, deadline_s)
        else:
            own = _end_of_worker(generator, deadline_s)
            theirs = states[generator.parent]
            states[generator.name] = (
                f"{STOPPED}: {generator.parent} {theirs}"
                if own == ENDED_WELL and theirs != ENDED_WELL
                else own
            )
        generator.gate.dispose()
    return states


def how_ended(generator: Generator) -> End | None:
    """Say how a process ended, None while it lives."""
    if generator.parent is not None:
        well = generator.gate.said_farewell(timeout_s=0)
        if well is None:
            return None
        words = "" if well else _last_words(generator)
        return End(state=_state_of_worker(generator, well=well), gave_up=bool(words))
    code = generator.process.poll()
    return None if code is None else End(state=_exit_state(generator), gave_up=code > 0)


def _end(generator: Generator, deadline_s: float) -> str:
    forced = ""
    for force, wait_s in (
        (None, max(0.1, deadline_s - time.monotonic())),
        (generator.process.terminate, KILL_GRACE_S),
        (generator.process.kill, None),
    ):
        if force is not None:
            forced = " after it did not end by itself"
            force()
        try:
            generator.process.wait(wait_s)
            break
        except subprocess.TimeoutExpired:
            continue
    return _exit_state(generator) + forced


def _end_of_worker(generator: Generator, deadline_s: float) -> str:
    well = generator.gate.said_farewell(timeout_s=max(0.1, deadline_s - time.monotonic()))
    if well is None:
        _kill(generator)
        return "was killed after it did not end by itself"
    return _state_of_worker(generator, well=well)


def _state_of_worker(generator: Generator, *, well: bool) -> str:
    return ENDED_WELL if well else "was killed or died" + _last_words(generator)


def _kill(generator: Generator) -> None:
    """Kill a generator and all that it forked: they are a session, and so a process group.

    The group's number is nobody else's as long as one of them lives, and so holds its gate.
    """
    alive = generator.gate.said_farewell(timeout_s=0) is None
    if alive or generator.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(generator.process.pid, signal.SIGKILL)


def _exit_state(generator: Generator) -> str:
    code = generator.process.returncode
    if code == 0:
        return ENDED_WELL
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"was killed by {name}"
    return f"died with exit code {code}" + _last_words(generator)


def _last_words(generator: Generator) -> str:
    """Give what a process said of the user's business before it ended, if anything."""
    lines = generator.log.read_text(errors="replace").splitlines()
    said = [line for line in lines if line.startswith("gapless: ")]
    return f" ({said[-1]})" if said else ""
