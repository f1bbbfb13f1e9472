"""Prove that the tests notice when the checks are wrong: python -m tests.mutants."""

import argparse
from collections.abc import Sequence

from bench.document import write_parts
from history.errors import UserError, run_main
from tests.mutants import MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.running import caught_by, copied_repository, require_all_pass
from tests.runs import REPOSITORY

PAGE = REPOSITORY / "docs" / "mutants.md"
NOTHING = "**nothing**"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit with 1 if a mutant survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this one [default: all]")
    parser.add_argument("--write", action="store_true", help="the rows, into docs/mutants.md")
    options = parser.parse_args(arguments)
    chosen = [mutant for mutant in MUTANTS if mutant.name in (options.only or [mutant.name])]
    unknown = set(options.only or ()) - {mutant.name for mutant in chosen}
    if unknown:
        raise UserError(f"--only {min(unknown)}: no mutant has that name; tests/mutants has them")
    rows: dict[str, str] = {}
    with copied_repository() as copy:
        require_all_pass(copy, sorted({file for mutant in chosen for file in mutant.tests}))
        for mutant in chosen:
            test = caught_by(copy, mutant)
            rows[mutant.name] = row(mutant, test)
            print(f"{mutant.name}: {test or 'SURVIVED'}", flush=True)
    survived = sum(NOTHING in row for row in rows.values())
    print(f"{len(chosen)} mutants, {survived} survived")
    if options.write:
        told = rows_of(PAGE.read_text(encoding="utf-8")) | rows
        write_parts(PAGE, {"mutants": table([told[m.name] for m in MUTANTS if m.name in told])})
    return int(survived > 0)


def row(mutant: Mutant, test: str | None) -> str:
    """Give a mutant's row of docs/mutants.md; `test` is the one that fails on it."""
    where = mutant.file.removeprefix("analysis/")
    return f"| {mutant.name} | {where} | {mutant.wrong} | {_named(test)} |"


def rows_of(page: str) -> dict[str, str]:
    """Give the rows that stand in the page, by the mutants' names."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines[1:]}


def table(rows: Sequence[str]) -> str:
    """Give the table of docs/mutants.md."""
    survived = sum(NOTHING in row for row in rows)
    heading = ["| mutant | in | a judge that | is caught by |", "|---|---|---|---|"]
    return "\n".join([f"{len(rows)} mutants, {survived} survived.", "", *heading, *rows, ""])


def _named(test: str | None) -> str:
    """Name a test: its file and itself, without its parameters."""
    if test is None:
        return NOTHING
    file, _, name = test.partition("::")
    shown = file.rsplit("/", maxsplit=1)[-1].removesuffix(".py")
    return f"{shown}: {name.partition('[')[0]}" if name else shown


if __name__ == "__main__":
    run_main(main)
