"""What one deliberate weakening of the checks is."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from history.errors import UserError
from tests.runs import REPOSITORY

CHECKS = "tests/analysis/checks/test_{}.py"
SAME = "tests/analysis/test_same_judgement.py"
MATCHING = "tests/analysis/test_matching.py"
EFFORT = "tests/analysis/test_effort.py"
NEIGHBOURS = "tests/analysis/test_neighbours.py"
POWER = "tests/analysis/test_power.py"
OVERLAP = "tests/analysis/test_overlap.py"
BOUNDS = "tests/analysis/test_bounds.py"
HISTORIES = "tests/analysis/test_histories.py"
LIBRARY = "tests/analysis/test_library.py"


def oracle(kind: str) -> str:
    """Name the test that compares with brute force, on histories of a kind."""
    return f"tests/analysis/test_against_oracle.py::test_fails_exactly_what_has_no_order[{kind}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A program that is wrong in one place: in `file`, `old` reads `new`.

    `wrong` says what it would do, as a clause without a subject. `tests` are those of which one
    must fail, whole files or single tests, the quickest first.
    """

    name: str
    file: str
    old: str
    new: str
    wrong: str
    tests: Sequence[str]

    def mutated(self, source: str) -> str:
        """Give the source with the weakening in it.

        Raises UserError unless the old text stands in it exactly once, and the new one parses.
        """
        found = source.count(self.old)
        if found != 1:
            raise UserError(
                f"mutant {self.name}: found its old text {found} times in {self.file}, expected "
                "it once: the code has changed, so change tests/mutants too"
            )
        changed = source.replace(self.old, self.new)
        try:
            ast.parse(changed)
        except SyntaxError as error:
            raise UserError(f"mutant {self.name}: {self.file} does not parse: {error}") from error
        return changed

    def source(self) -> str:
        """Give the mutated source of its file."""
        return self.mutated((REPOSITORY / self.file).read_text(encoding="utf-8"))
