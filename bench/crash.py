"""kill -9 of processes of real runs, hundreds of times: is every applied increment accounted for?

Nothing is measured here: it is tried whether a claim can be broken (docs/record.md). Runs of the
whole harness follow one another, against a counter that keeps a book of what it handed out, and
processes of them are killed at random instants. The seed draws whom and when; what the machine's
scheduling makes of it is another matter, so a seed that broke the claim may take a few tries.
"""

import argparse
import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.document import write_parts
from bench.machine import Conditions, described
from bench.tables import Table
from history.operation import Outcome as Became
from runner.provenance import REPOSITORY
from tests.crash.claim import breaches, record_of
from tests.crash.experiment import Outcome, conduct
from tests.crash.plan import MASTER, RUNNER, Phase, Plan, draw

PAGE = REPOSITORY / "docs" / "record.md"
OPEN_LOOP = {"RATE": "1500", "ARRIVALS": "poisson"}
BURST = {"SHAPE": "burst"}
SERIES: tuple[Mapping[str, Any], ...] = (
    {"transport": "wire", "processes": 12, "swarm": 11, "locust": 1},
    {"transport": "aiohttp", "processes": 6},
    {"transport": "aiohttp", "processes": 10, "swarm": 9, "locust_processes": 2, "locust": 2},
    {"transport": "wire", "processes": 3, "runner": Phase.SEALING},
    {
        "transport": "wire",
        "processes": 10,
        "swarm": 9,
        "pacing": OPEN_LOOP,
        "locust_processes": 3,
        "locust": 2,
        "runner": Phase.MIDDLE,
    },
    {"transport": "aiohttp", "processes": 2, "starting": "swarm-0"},
    {
        "transport": "aiohttp",
        "processes": 8,
        "swarm": 7,
        "pacing": BURST,
        "locust": 1,
        "runner": Phase.DRAIN,
    },
    {"transport": "wire", "processes": 2, "starting": RUNNER},
    {
        "transport": "aiohttp",
        "processes": 10,
        "swarm": 9,
        "pacing": OPEN_LOOP,
        "locust_processes": 2,
        "locust": 1,
        "master": True,
    },
    {"transport": "wire", "processes": 2, "locust_processes": 2, "starting": MASTER},
    {
        "transport": "wire",
        "processes": 10,
        "swarm": 9,
        "pacing": BURST,
        "locust_processes": 2,
        "locust": 1,
        "master": True,
        "runner": Phase.SEALING,
    },
    {"transport": "aiohttp", "processes": 4, "swarm": 2, "runner": Phase.FIRST},
    {"transport": "wire", "processes": 4, "runner": Phase.JUDGING},
)
"""Loads and victims, over and over with other seeds. One has none: what is not killed passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run came to: which kills met a living process, and what was recorded."""

    plan: Plan
    kills: Sequence[tuple[str, Phase]]
    operations: int
    applied: int
    ok: int
    indeterminate: int
    verdict: str

    @property
    def load(self) -> str:
        """Name the kind of load."""
        pacing = self.plan.pacing
        manner = "burst" if "SHAPE" in pacing else "open loop" if pacing else "closed loop"
        return f"{self.plan.transport}, {manner}"


def main(arguments: Sequence[str]) -> int:
    """Kill as many processes as asked for; give 1 if the claim was broken."""
    parser = argparse.ArgumentParser(
        prog="python -m bench crash",
        description="Kill processes of real runs with SIGKILL, at random instants, and hold the "
        "record of each run against the server's own book. Takes about three seconds a kill.",
        epilog="exit codes: 0 every applied increment was accounted for, 1 not (the seed is "
        "printed, and the run's folder kept). example: python -m bench crash --kills 50 --seed 7",
    )
    add = parser.add_argument
    add("--kills", type=int, default=200, help="that meet a living process [%(default)s]")
    add("--seed", type=int, help="draws whom and when [default: another each time, printed]")
    add("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    options = parser.parse_args(arguments)
    seed = int.from_bytes(os.urandom(3)) if options.seed is None else options.seed
    print(f"{described()}; seed {seed}", flush=True)
    conditions = Conditions()
    results, held = crash(options.kills, seed, conditions)
    tables = who(results), what(results, seed, notes=conditions.notes())
    print("\n".join(table.text() for table in tables), flush=True)
    if options.write and held:
        command = f"python -m bench crash --kills {options.kills} --seed {seed}"
        text = "\n".join(table.markdown() for table in tables)
        write_parts(PAGE, {"bench crash": f"`{command}` on {described()}.\n\n{text}"})
    return 0 if held else 1


def crash(kills: int, seed: int, conditions: Conditions) -> tuple[list[Result], bool]:
    """Kill so many processes, or until the claim is broken; say whether it held."""
    results: list[Result] = []
    folder = Path(tempfile.mkdtemp(prefix="gapless-crash-"))
    dealt = 0
    for plan in plans(seed):
        conditions.sample()
        reports = folder / str(plan.seed)
        outcome = conduct(plan, reports, verify_again=True)
        results.append(result_of(outcome))
        if broken := breaches(outcome):
            print(f"  BROKEN, see {reports}: {plan}", *broken, sep="\n    ", flush=True)
            return results, False
        shutil.rmtree(reports)
        dealt += len(results[-1].kills)
        print(f"  {_progress(results[-1])}; {dealt} of {kills}", flush=True)
        if dealt >= kills:
            break
    folder.rmdir()
    return results, True


def plans(seed: int) -> Iterator[Plan]:
    """Draw run after run, without end."""
    for number, load in enumerate(itertools.cycle(SERIES)):
        yield draw(seed + number, **load)


def result_of(outcome: Outcome) -> Result:
    """Count what a run left."""
    record = None if outcome.folder is None else record_of(outcome.folder)
    return Result(
        plan=outcome.plan,
        kills=[(kill.victim, kill.phase) for kill in outcome.kills if kill.alive],
        operations=0 if record is None else len(record.frame),
        applied=len(outcome.applied),
        ok=0 if record is None else record.count(Became.OK),
        indeterminate=0 if record is None else record.count(Became.INDETERMINATE),
        verdict="none" if record is None else str(record.verdict["verdict"]),
    )


def _progress(result: Result) -> str:
    killed = Counter(victim.partition("-")[0] for victim, _ in result.kills)
    said = ", ".join(f"{name} {count}" for name, count in killed.items()) or "nobody"
    return f"seed {result.plan.seed}, {result.load}: {said} killed, {result.verdict}"


def _kind(victim: str, plan: Plan) -> str:
    source = victim.partition("-")[0]
    if source == "swarm":
        return f"swarm process, {plan.transport}"
    if victim == RUNNER:
        return "runner"
    several = plan.locust_processes > 1
    return "Locust master" if victim == MASTER else f"Locust {'worker' if several else 'alone'}"


def who(results: Sequence[Result]) -> Table:
    """Count the kills by whom they met, and in which phase of the run."""
    met = Counter(
        (_kind(victim, result.plan), phase) for result in results for victim, phase in result.kills
    )
    kinds = sorted({kind for kind, _ in met})
    counts = {kind: [met[kind, phase] for phase in Phase] for kind in kinds}
    counts["all"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    return Table(
        title=f"{met.total()} processes of {len(results)} runs killed with SIGKILL",
        columns=("killed", *Phase, "in all"),
        rows=tuple((kind, *map(str, row), str(sum(row))) for kind, row in counts.items()),
        words=frozenset({"killed"}),
    )


def what(results: Sequence[Result], seed: int, *, notes: Sequence[str]) -> Table:
    """Set what was recorded beside what the server had applied, by kind of load."""
    by_load = {
        name: [result for result in results if result.load == name]
        for name in sorted({result.load for result in results})
    }
    return Table(
        title=f"What they left, seed {seed}",
        columns=(
            "load",
            "runs",
            "kills",
            "operations",
            "applied",
            "ok",
            "applied, not ok",
            "indeterminate",
            "verdicts",
        ),
        rows=tuple(_left(name, of_it) for name, of_it in [*by_load.items(), ("all", results)]),
        words=frozenset({"load", "verdicts"}),
        notes=tuple(notes),
    )


def _left(name: str, results: Sequence[Result]) -> tuple[str, ...]:
    judged = [result for result in results if result.operations]
    verdicts = Counter(result.verdict for result in results)
    numbers = (
        len(results),
        sum(len(result.kills) for result in results),
        sum(result.operations for result in results),
        sum(result.applied for result in results),
        sum(result.ok for result in results),
        sum(result.applied - result.ok for result in judged),
        sum(result.indeterminate for result in results),
    )
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    return (name, *(f"{number:,}" for number in numbers), told)
