"""The load: what its generators are told, its window, and what ends it early."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from history.gate import LoadWindow
from runner import locust
from runner.deaths import Deaths
from runner.live.watch import LiveView
from runner.options import MAX_DURATION_S, LoadOptions
from runner.processes import Generator, reap

START_DELAY_NS = 100_000_000
END_GRACE_S = 15.0
POLL_S = 0.2
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks the runner to stop early: Ctrl-C, a supervisor, a closed terminal."""


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
        "decrements": options.load.decrements,
        "seed": options.seed,
        "transport": options.load.transport,
        "processes": options.load.processes,
        "timeout": options.load.timeout_s,
    }
    for name, value in asked.items():
        swarm += [f"--{name}", str(value)]
    for host in allowed_hosts:
        swarm += ["--allow-host", host]
    processes = {
        f"swarm-{index}": ("swarm", [*swarm, "--process", str(index)])
        for index in range(options.load.processes)
    }
    return processes | locust.planned(options, url=url, report=locust_report)


def run_load(
    generators: Sequence[Generator],
    options: LoadOptions,
    *,
    alive: Callable[[], bool],
    live: LiveView,
) -> LoadResult:
    """Open every gate, watch until the window has passed, and wait for the last answers.

    Ctrl-C, a target that has died, a generator that gave up, or with FAIL_FAST the first
    violation that `live` sees, closes the gates early: requests in flight are finished and
    everything is kept. Afterwards interrupts are ignored, until the caller restores them. A
    load that is started and stopped in Locust's page ends with Ctrl-C.
    """
    start_ns = time.monotonic_ns() + START_DELAY_NS
    length_s = options.load.duration_s if options.page is None else MAX_DURATION_S
    window = LoadWindow(start_ns=start_ns, end_ns=start_ns + length_s * 1_000_000_000)
    interrupted = ""
    deaths = Deaths(generators, live.tell)
    try:
        for generator in generators:
            generator.gate.open(window)
        live.begin(window, open_ended=options.page is not None)
        violation = _watch(window, deaths, alive, live if options.fail_fast else None)
        if violation:
            interrupted = _early(window, options, "stopped")
            interrupted += f" at the first violation (FAIL_FAST=1): {violation}"
        elif deaths.gave_up:
            interrupted = f"{_early(window, options, 'stopped')} because {deaths.gave_up}"
        elif deaths.none_left and options.page is None:
            interrupted = (
                f"{_early(window, options, 'stopped')} because nobody was sending any more"
            )
    except KeyboardInterrupt:
        interrupted = _early(window, options, "interrupted") if options.page is None else ""
    except _TargetDiedError:
        interrupted = _early(window, options, "stopped because the target died")
    ended_ns = time.monotonic_ns()
    # From here on nothing may come between the record and its seal.
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)
    for generator in generators:
        generator.gate.close()
    live.over(ended_ns, early=bool(interrupted))
    exit_states = reap(generators, options.load.timeout_s + END_GRACE_S)
    deaths.last(exit_states)
    return LoadResult(
        window=window, ended_ns=ended_ns, interrupted=interrupted, exit_states=exit_states
    )


class _TargetDiedError(Exception):
    """What serves the counter is gone."""


def _watch(
    window: LoadWindow, deaths: Deaths, alive: Callable[[], bool], fail_fast: LiveView | None
) -> str:
    """Wait for the end of the load; give the violation that ended it early, if one did.

    It also ends early when a process gives up or none is left.
    """
    while time.monotonic_ns() < window.end_ns:
        time.sleep(min(POLL_S, max(0.0, (window.end_ns - time.monotonic_ns()) / 1e9)))
        if fail_fast is not None and fail_fast.violation:
            return fail_fast.violation
        if not alive():
            raise _TargetDiedError
        deaths.look()
        if deaths.gave_up or deaths.none_left:
            break
    return ""


def _early(window: LoadWindow, options: LoadOptions, what: str) -> str:
    elapsed_s = max(0.0, (time.monotonic_ns() - window.start_ns) / 1e9)
    asked = f" of {options.load.duration_s} s" if options.page is None else ""
    return f"{what} after {elapsed_s:.1f} s{asked}"


def generator_environment(
    options: LoadOptions, *, journals: Path, allowed_hosts: Sequence[str]
) -> dict[str, str]:
    """Give the environment of the generators: ours, without anything of AWS in it."""
    # Locust reads variables of its own: LOCUST_PROCESSES and others mean something else there.
    foreign = ("AWS_", "LOCUST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return (
        kept
        | locust.variables(options)
        | {
            "GAPLESS_JOURNALS": str(journals),
            "GAPLESS_TIMEOUT_S": str(options.load.timeout_s),
            "GAPLESS_ALLOW_HOST": ",".join(allowed_hosts),
            "PYTHONUNBUFFERED": "1",
        }
    )
