"""Prove that the tests notice when the checks are wrong: python -m tests.mutants."""

import argparse
from collections.abc import Mapping, Sequence

from bench.document import write_parts
from history.errors import UserError, run_main
from tests.mutants import MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.running import caught_by, copied_repository, require_all_pass
from tests.runs import REPOSITORY

PAGE = REPOSITORY / "docs" / "mutants.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit with 1 if a mutant survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this one [default: all]")
    parser.add_argument("--write", action="store_true", help="the table, into docs/mutants.md")
    options = parser.parse_args(arguments)
    if options.write and options.only:
        raise UserError("--write is for all of them: leave out --only")
    chosen = [mutant for mutant in MUTANTS if mutant.name in (options.only or [mutant.name])]
    unknown = set(options.only or ()) - {mutant.name for mutant in chosen}
    if unknown:
        raise UserError(f"--only {min(unknown)}: no mutant has that name; tests/mutants has them")
    caught: dict[str, str | None] = {}
    with copied_repository() as copy:
        require_all_pass(copy, sorted({file for mutant in chosen for file in mutant.tests}))
        for mutant in chosen:
            caught[mutant.name] = caught_by(copy, mutant)
            print(f"{mutant.name}: {caught[mutant.name] or 'SURVIVED'}", flush=True)
    survived = sum(test is None for test in caught.values())
    print(f"{len(chosen)} mutants, {survived} survived")
    if options.write:
        write_parts(PAGE, {"mutants": table(chosen, caught)})
    return int(survived > 0)


def table(mutants: Sequence[Mutant], caught: Mapping[str, str | None]) -> str:
    """Give the table of docs/mutants.md."""
    survived = sum(caught[mutant.name] is None for mutant in mutants)
    rows = [
        f"{len(mutants)} mutants, {survived} survived.",
        "",
        "| mutant | in | a judge that | is caught by |",
        "|---|---|---|---|",
        *(
            f"| {mutant.name} | {mutant.file.removeprefix('analysis/')} | {mutant.wrong} | "
            f"{_named(caught[mutant.name])} |"
            for mutant in mutants
        ),
    ]
    return "\n".join(rows) + "\n"


def _named(test: str | None) -> str:
    """Name a test: its file and itself, without its parameters."""
    if test is None:
        return "**nothing**"
    file, _, name = test.partition("::")
    shown = file.rsplit("/", maxsplit=1)[-1].removesuffix(".py")
    return f"{shown}: {name.partition('[')[0]}" if name else shown


if __name__ == "__main__":
    run_main(main)
