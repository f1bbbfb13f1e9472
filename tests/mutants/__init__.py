"""Programs that are wrong on purpose: each must make a test fail.

`python -m tests.mutants` runs them. To add some, write a module with MUTANTS and list it here.
"""

from tests.mutants import (
    of_clocks,
    of_controls,
    of_effort,
    of_holes,
    of_mixed,
    of_order,
    of_rows,
    of_verdicts,
)

MUTANTS = (
    *of_order.MUTANTS,
    *of_holes.MUTANTS,
    *of_rows.MUTANTS,
    *of_clocks.MUTANTS,
    *of_verdicts.MUTANTS,
    *of_effort.MUTANTS,
    *of_mixed.MUTANTS,
    *of_controls.MUTANTS,
)
