"""Count where the checks and brute force disagree: python -m tests.analysis.disagreements.

Prints one row of a table a kind of history; exits with 1 if they ever disagreed. --write puts the
table into docs/method.md.
"""

import argparse
import random
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from analysis.checks import OF_INCREMENTS
from analysis.run import Run
from analysis.verdict import Verdict, worst
from bench.document import write_parts
from history.operation import Returns
from tests.analysis.histories import KINDS, Dice, any_history, run_of_history
from tests.analysis.mixed_dice import MIXED, any_mixed, given, owed
from tests.analysis.oracle import verdict
from tests.runs import REPOSITORY

TOGETHER = ("unique", "bounded", "gap-free", "ordered")
"""The checks that together are linearizability of fetch-and-increment."""

HEADING = (
    "| histories of | examples | no order (FAIL) | an order (PASS) | undecided | disagreements |\n"
    "|---|---:|---:|---:|---:|---:|"
)


def verdict_of(run: Run) -> Verdict:
    """Give the verdict of the four checks that together are linearizability."""
    return worst(OF_INCREMENTS[check](run).verdict for check in TOGETHER)


@dataclass(slots=True)
class Count:
    """How often the oracle said what, and the histories about which the checks said otherwise."""

    kind: str
    owed: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, object, str, str]] = field(default_factory=list)

    def row(self) -> str:
        """Give the table's row."""
        numbers = [
            self.owed.total(),
            *(self.owed[str(verdict)] for verdict in ("FAIL", "PASS", "INCONCLUSIVE")),
            len(self.wrong),
        ]
        return f"| {self.kind} | " + " | ".join(f"{number:,}" for number in numbers) + " |"


def count(kind: str, *, examples: int, seed: int) -> Count:
    """Ask both about so many histories of a kind; the same seed gives the same ones."""
    found = Count(kind)
    for example in range(examples):
        history = any_history(Dice(f"{kind} {seed} {example}"), kind)
        owed = verdict(history)
        returns = Returns.OLD if example % 4 == 0 else Returns.NEW
        given = str(verdict_of(run_of_history(history, returns=returns)))
        found.owed[owed] += 1
        if given != owed:
            found.wrong.append((example, history, owed, given))
    return found


def count_mixed(kind: str, *, examples: int, seed: int) -> Count:
    """Ask the search and brute force about so many mixed histories of a kind."""
    found = Count(f"{kind} mixed in" if kind == "decrements" else kind)
    for example in range(examples):
        history = any_mixed(random.Random(f"{kind} {seed} {example}"), kind)  # noqa: S311
        verdict_owed, verdict_given = owed(history), given(history)
        found.owed[str(verdict_owed)] += 1
        if verdict_given is not verdict_owed:
            found.wrong.append((example, history, str(verdict_owed), str(verdict_given)))
    return found


def _counted(kind: str, *, examples: int, seed: int) -> Count:
    return (count_mixed if kind in MIXED else count)(kind, examples=examples, seed=seed)


def main() -> int:
    """Run the command line; give its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.analysis.disagreements", description=__doc__
    )
    parser.add_argument("--examples", type=int, default=20_000, help="of each [%(default)s]")
    kinds = (*KINDS, *MIXED)
    parser.add_argument("--kind", choices=kinds, action="append", help="[default: all]")
    parser.add_argument("--seed", type=int, default=1, help="of the histories [%(default)s]")
    parser.add_argument("--processes", type=int, default=1, help="at once [%(default)s]")
    parser.add_argument("--write", action="store_true", help="the table, into docs/method.md")
    options = parser.parse_args()
    print(HEADING, flush=True)
    disagreed = False
    rows = [HEADING]
    counted = partial(_counted, examples=options.examples, seed=options.seed)
    with ProcessPoolExecutor(options.processes) as processes:
        for found in processes.map(counted, options.kind or kinds):
            rows.append(found.row())
            print(found.row(), flush=True)
            for example, history, owed, given in found.wrong[:3]:
                print(f"{found.kind} {example}: {given}, not {owed}: {history}", file=sys.stderr)
            disagreed |= bool(found.wrong)
    if options.write:
        command = f"--examples {options.examples} --seed {options.seed}"
        table = f"With `{command}`:\n\n" + "\n".join(rows) + "\n"
        write_parts(REPOSITORY / "docs" / "method.md", {"disagreements": table})
    return int(disagreed)


if __name__ == "__main__":
    sys.exit(main())
