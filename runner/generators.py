"""The generator processes: started together, watched, stopped together, accounted for."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from history.errors import UserError
from history.gate import GATE_VARIABLE, LoadWindow, RunnerGate
from history.manifest import ENDED_WELL
from runner.options import LoadOptions
from runner.provenance import REPOSITORY

READY_TIMEOUT_S = 60.0
START_DELAY_NS = 100_000_000
END_GRACE_S = 15.0
KILL_GRACE_S = 5.0
POLL_S = 0.2
LOG_LINES = 12
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks the runner to stop early: Ctrl-C, a supervisor, a closed terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """One running generator process."""

    name: str
    source: str
    process: subprocess.Popen[bytes]
    gate: RunnerGate
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """How the load went: its window, why it ended early if it did, how each process ended."""

    window: LoadWindow
    ended_ns: int
    interrupted: str
    exit_states: Mapping[str, str]


def commands(
    options: LoadOptions,
    *,
    url: str,
    allowed_hosts: Sequence[str],
    journals: Path,
    locust_report: Path,
) -> dict[str, tuple[str, list[str]]]:
    """Give each generator's source and command line by process name."""
    swarm = [sys.executable, "-m", "swarm", "--url", url, "--journals", str(journals)]
    asked = {
        "connections": options.load.connections,
        "connections-max": options.load.connections_max,
        "rate": options.load.rate_per_s,
        "arrivals": options.load.arrivals,
        "shape": options.load.shape,
        "seed": options.seed,
        "transport": options.load.transport,
        "processes": options.load.processes,
        "timeout": options.load.timeout_s,
    }
    for name, value in asked.items():
        swarm += [f"--{name}", str(value)]
    for host in allowed_hosts:
        swarm += ["--allow-host", host]
    locust = [sys.executable, "-m", "locust", "-f", "locustfiles/counter.py", "--headless"]
    locust += [
        "--users",
        str(options.load.users),
        "--spawn-rate",
        str(options.load.spawn_rate_per_s),
    ]
    locust += ["--host", url, "--html", str(locust_report), "--only-summary"]
    locust += ["--stop-timeout", str(int(options.load.timeout_s) + 1), "--exit-code-on-error", "0"]
    locust += ["--loglevel", "WARNING"]
    processes = {
        f"swarm-{index}": ("swarm", [*swarm, "--process", str(index)])
        for index in range(options.load.processes)
    }
    return processes | {"locust-0": ("locust", locust)}


def start(
    planned: Mapping[str, tuple[str, list[str]]], *, environment: Mapping[str, str], logs: Path
) -> list[Generator]:
    """Start every generator and wait until all could begin at once.

    Raises UserError, with the end of its log, when one does not get there; then all are
    stopped again.
    """
    generators: list[Generator] = []
    try:
        for name, (source, command) in planned.items():
            generators.append(_start_one(name, source, command, environment, logs / f"{name}.log"))
        _await_ready(generators)
    except BaseException:
        for generator in generators:
            generator.gate.close()
            generator.process.kill()
            generator.process.wait()
        raise
    return generators


def _start_one(
    name: str, source: str, command: list[str], environment: Mapping[str, str], log: Path
) -> Generator:
    gate = RunnerGate()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**environment, GATE_VARIABLE: gate.variable},
            pass_fds=gate.child_fds,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the runner only, which stops them in order
        )
    gate.started()
    return Generator(name=name, source=source, process=process, gate=gate, log=log)


def _await_ready(generators: Sequence[Generator]) -> None:
    waiting = {generator.gate.ready_fd: generator for generator in generators}
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while waiting:
        readable, _, _ = select.select(
            list(waiting), [], [], max(0.0, deadline_s - time.monotonic())
        )
        if not readable:
            late = next(iter(waiting.values()))
            raise UserError(_did_not_start(late, f"was not ready after {READY_TIMEOUT_S:g} s"))
        for descriptor in readable:
            generator = waiting.pop(descriptor)
            if not generator.gate.is_ready():
                raise UserError(_did_not_start(generator, "stopped before the load began"))


def _did_not_start(generator: Generator, how: str) -> str:
    lines = generator.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return f"{generator.name} {how}; the end of its log: {' | '.join(lines) or '(empty)'}"


def run_load(
    generators: Sequence[Generator],
    options: LoadOptions,
    *,
    alive: Callable[[], bool],
) -> LoadResult:
    """Open every gate, watch until the window has passed, and wait for the last answers.

    Ctrl-C, or a target that has died, closes the gates early: requests in flight are
    finished and everything is kept. Afterwards interrupts are ignored, until the caller
    restores them.
    """
    start_ns = time.monotonic_ns() + START_DELAY_NS
    window = LoadWindow(
        start_ns=start_ns, end_ns=start_ns + options.load.duration_s * 1_000_000_000
    )
    interrupted = ""
    try:
        for generator in generators:
            generator.gate.open(window)
        _watch(generators, window, alive)
    except KeyboardInterrupt:
        interrupted = _early(window, options, "interrupted")
    except _TargetDiedError:
        interrupted = _early(window, options, "stopped because the target died")
    ended_ns = time.monotonic_ns()
    # From here on nothing may come between the record and its seal.
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)
    for generator in generators:
        generator.gate.close()
    return LoadResult(
        window=window,
        ended_ns=ended_ns,
        interrupted=interrupted,
        exit_states=_reap(generators, options.load.timeout_s + END_GRACE_S),
    )


class _TargetDiedError(Exception):
    """What serves the counter is gone."""


def _watch(generators: Sequence[Generator], window: LoadWindow, alive: Callable[[], bool]) -> None:
    while time.monotonic_ns() < window.end_ns:
        time.sleep(min(POLL_S, max(0.0, (window.end_ns - time.monotonic_ns()) / 1e9)))
        if not alive():
            raise _TargetDiedError
        if all(generator.process.poll() is not None for generator in generators):
            return


def _early(window: LoadWindow, options: LoadOptions, what: str) -> str:
    elapsed_s = max(0.0, (time.monotonic_ns() - window.start_ns) / 1e9)
    return f"{what} after {elapsed_s:.1f} s of {options.load.duration_s} s"


def _reap(generators: Sequence[Generator], grace_s: float) -> dict[str, str]:
    """Wait for every generator; one that does not end is terminated, then killed."""
    deadline_s = time.monotonic() + grace_s
    states = {}
    for generator in generators:
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
        states[generator.name] = _exit_state(generator) + forced
    return states


def _exit_state(generator: Generator) -> str:
    code = generator.process.returncode
    if code == 0:
        return ENDED_WELL
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"was killed by {name}"
    said = [
        line
        for line in generator.log.read_text(errors="replace").splitlines()
        if line.startswith("gapless: ")
    ]
    return f"died with exit code {code}" + (f" ({said[-1]})" if said else "")


def generator_environment(
    options: LoadOptions, *, journals: Path, allowed_hosts: Sequence[str]
) -> dict[str, str]:
    """Give the environment of the generators: ours, without anything of AWS in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "GAPLESS_JOURNALS": str(journals),
        "GAPLESS_TIMEOUT_S": str(options.load.timeout_s),
        "GAPLESS_ALLOW_HOST": ",".join(allowed_hosts),
        "PYTHONUNBUFFERED": "1",
    }
