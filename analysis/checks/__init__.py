"""The checks, each a pure function of a Run: no files, no clock, no logging.

A check is named for the property that holds when it passes. To add one: write a module with
NAME and check(run) -> Finding, and list it here.
"""

from collections.abc import Callable

from analysis.checks import (
    balanced,
    bounded,
    conserved,
    exercised,
    gap_free,
    ordered,
    ordered_mixed,
    unique,
    well_formed,
)
from analysis.run import Run
from analysis.verdict import Finding

Check = Callable[[Run], Finding]

OF_INCREMENTS: dict[str, Check] = {
    module.NAME: module.check
    for module in (well_formed, unique, bounded, gap_free, conserved, ordered, exercised)
}
"""For histories of increments and reads. `unique`, `bounded`, `gap-free` and `ordered`
together are exactly linearizability of fetch-and-increment (CHECKERS A)."""

OF_MIXED: dict[str, Check] = {
    module.NAME: module.check
    for module in (well_formed, balanced, bounded, conserved, ordered_mixed, exercised)
}
"""For histories with decrements, whose numbers legally come back: `ordered` searches for an
order of all operations, so by itself it is exactly linearizability (CHECKERS B)."""


def checks_for(run: Run) -> dict[str, Check]:
    """Give the checks that apply to a run, by name, in the order they are reported."""
    return OF_MIXED if run.is_mixed else OF_INCREMENTS
