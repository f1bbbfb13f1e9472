"""A right counter, disturbed in fifteen ways, fifty times each: is the verdict ever FAIL?

Nothing is measured here: it is tried whether a claim can be broken (docs/faults.md). Each run is
one of the whole harness, and what it left is held against the counter by a ledger of its own. The
seed draws what an intermediary and a link do to whom; what a machine's scheduling makes of it is
another matter, so a seed that broke the claim may take a few tries.
"""

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from bench.document import write_parts
from bench.machine import Conditions, described
from bench.tables import Table
from history.errors import UserError
from runner.provenance import REPOSITORY
from tests.disturbances import link, wall_clock
from tests.disturbances.claim import FAIL, Ledger, breaches, ledger_of
from tests.disturbances.experiment import Outcome, conduct
from tests.disturbances.plan import Disturbance, Place, disturbances

PAGE = REPOSITORY / "docs" / "faults.md"
SEEDS_APART = 1_001
"""Between two runs of one disturbance; odd, since the seed's parity chooses the transport."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run: what does not hold of it, and its ledger if it got so far."""

    disturbance: Disturbance
    broken: Sequence[str]
    ledger: Ledger | None


def main(arguments: Sequence[str]) -> int:
    """Disturb as often as asked for; give 1 if the claim was broken."""
    ways = disturbances()
    options = _parser(ways).parse_args(arguments)
    chosen = [ways[name] for name in options.only or ways]
    require(chosen)
    seed = int.from_bytes(os.urandom(3)) if options.seed is None else options.seed
    print(f"{described()}; seed {seed}", flush=True)
    conditions, started_s = Conditions(), time.monotonic()
    results = list(_series(chosen, options.runs, seed, options.lanes, conditions))
    minutes = (time.monotonic() - started_s) / 60
    length = f"{len(results)} runs took {minutes:.0f} minutes."
    table = summary(results, seed, notes=[length, *conditions.notes()])
    print(table.text(), flush=True)
    held = not any(result.broken for result in results)
    if options.write and held:
        named = f" --only {' '.join(options.only)}" if options.only else ""
        command = f"python -m bench disturbances --runs {options.runs} --seed {seed}"
        command += f" --lanes {options.lanes}{named}"
        text = f"`{command}` on {described()}.\n\n{table.markdown()}"
        write_parts(PAGE, {"bench disturbances": text})
    return 0 if held else 1


def _parser(ways: Mapping[str, Disturbance]) -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<16} {way.meaning}" for name, way in ways.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench disturbances",
        description="Load a right counter with the real harness while it, or what is around it,\n"
        "is disturbed: no verdict may be FAIL. Takes about ten seconds a run.",
        epilog=f"disturbances:\n{listed}\n\nexit codes: 0 the claim held, 1 not (the seed is "
        "printed, and the run's folder kept).\n"
        "example: python -m bench disturbances --runs 2 --only reset link-cut",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--runs", type=int, default=50, help="of each [%(default)s]")
    add("--only", nargs="+", choices=[*ways], metavar="NAME", help="[default: all]")
    add("--seed", type=int, help="[default: another each time, printed]")
    add("--lanes", type=int, default=1, help="so many runs at the same time [%(default)s]")
    add("--write", action="store_true", help=f"put the table into {PAGE.name} if the claim held")
    return parser


def require(chosen: Sequence[Disturbance]) -> None:
    """Raise UserError unless this machine can be disturbed so."""
    for place, reason in ((Place.LINK, link.unavailable), (Place.CLOCK, wall_clock.unavailable)):
        names = [disturbance.name for disturbance in chosen if disturbance.place is place]
        if names and (why := reason()):
            raise UserError(f"{', '.join(names)}: {why}; name the others with --only")


def _series(
    chosen: Sequence[Disturbance], runs: int, seed: int, lanes: int, conditions: Conditions
) -> Iterator[Result]:
    """Run all in turn, over and over; keep the folder of a run that broke the claim.

    Several lanes make that many runs at the same time, each in a process of its own.
    """
    folder = Path(tempfile.mkdtemp(prefix="gapless-disturbances-"))
    turns = [
        (number, disturbance, seed + number * SEEDS_APART + position)
        for number in range(runs)
        for position, disturbance in enumerate(chosen)
    ]
    # spawn: a fork would inherit what runs that are under way hold open.
    with ProcessPoolExecutor(lanes, mp_context=multiprocessing.get_context("spawn")) as pool:
        made = {
            pool.submit(_run, disturbance, own, folder / f"{disturbance.name}-{own}"): (number, own)
            for number, disturbance, own in turns
        }
        for future in as_completed(made):
            conditions.sample()
            number, own = made[future]
            result = future.result()
            print(f"  {number + 1} of {runs}, seed {own}, {_progress(result)}", flush=True)
            if result.broken:
                kept = folder / f"{result.disturbance.name}-{own}"
                print(f"  BROKEN, see {kept}:", *result.broken, sep="\n    ", flush=True)
            yield result
    if not any(folder.iterdir()):
        folder.rmdir()


def _run(disturbance: Disturbance, seed: int, reports: Path) -> Result:
    """Make one run and hold it against the claim; only one that broke it leaves a folder."""
    result = result_of(conduct(disturbance, seed, reports))
    if not result.broken:
        shutil.rmtree(reports)
        shutil.rmtree(reports.with_name(reports.name + "-stage"))
    return result


def result_of(outcome: Outcome) -> Result:
    """Hold a run against the claim."""
    broken = breaches(outcome)
    judged = outcome.folder is not None and (outcome.folder / "verdict.json").is_file()
    return Result(
        disturbance=outcome.disturbance,
        broken=broken,
        ledger=ledger_of(outcome.folder) if judged and outcome.folder is not None else None,
    )


def _progress(result: Result) -> str:
    ledger = result.ledger
    if ledger is None:
        return f"{result.disturbance.name}: no verdict"
    return (
        f"{result.disturbance.name}: {ledger.ok:,} ok, {ledger.indeterminate:,} indeterminate, "
        f"{ledger.overall}"
    )


def summary(results: Sequence[Result], seed: int, *, notes: Sequence[str]) -> Table:
    """Count the runs of each disturbance, and what they came to."""
    names = dict.fromkeys(result.disturbance.name for result in results)
    by_name = {
        name: [result for result in results if result.disturbance.name == name] for name in names
    }
    return Table(
        title=f"{len(results)} runs against a right counter, seed {seed}",
        columns=(
            "disturbance",
            "runs",
            "operations",
            "ok",
            "indeterminate",
            "rejected",
            "final − initial",  # noqa: RUF001 -- a minus sign
            "verdicts",
            "FAIL",
            "starved",
            "ledger",
        ),
        rows=tuple(_row(name, of_it) for name, of_it in [*by_name.items(), ("all", results)]),
        words=frozenset({"disturbance", "verdicts", "ledger"}),
        notes=tuple(notes),
    )


def _row(name: str, results: Sequence[Result]) -> tuple[str, ...]:
    ledgers = [result.ledger for result in results if result.ledger is not None]
    verdicts = Counter(ledger.overall for ledger in ledgers)
    verdicts["none"] = len(results) - len(ledgers)
    numbers = (
        len(results),
        sum(ledger.operations for ledger in ledgers),
        sum(ledger.ok for ledger in ledgers),
        sum(ledger.indeterminate for ledger in ledgers),
        sum(ledger.rejected for ledger in ledgers),
        sum(ledger.grown or 0 for ledger in ledgers),
    )
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()) if count)
    broken = sum(bool(result.broken) for result in results)
    return (
        name,
        *(f"{number:,}" for number in numbers),
        told,
        str(verdicts[FAIL]),
        str(sum(ledger.starved for ledger in ledgers)),
        f"{broken} broken" if broken else "balanced",
    )
