"""Each disturbance once, in a short run of the real harness against a right counter.

The seed is the same in every test run. `python -m bench disturbances` makes each of them fifty
times, with another seed each time (docs/faults.md).
"""

from pathlib import Path

import pytest

from tests.disturbances.claim import breaches
from tests.disturbances.experiment import conduct
from tests.disturbances.needed import namespaces_needed, wall_clock_needed
from tests.disturbances.plan import Disturbance, Place, disturbances
from tests.patience import PATIENCE_S

SEED = 20261128
PAUSE_S = 1.0
TIMED = pytest.mark.xdist_group("timed")
NEEDED = {Place.LINK: [namespaces_needed], Place.CLOCK: [wall_clock_needed]}


def _waits_little(disturbance: Disturbance) -> bool:
    return float(disturbance.variables.get("TIMEOUT", PATIENCE_S)) <= PAUSE_S


def _runs() -> list[object]:
    """Let no two run at the same time that depend on how long something takes."""
    return [
        pytest.param(
            disturbance,
            SEED + number,
            id=disturbance.name,
            marks=[
                *NEEDED.get(disturbance.place, []),
                *([TIMED] if _waits_little(disturbance) else []),
            ],
        )
        for number, disturbance in enumerate(disturbances(PAUSE_S).values())
    ]


@pytest.mark.parametrize(("disturbance", "seed"), _runs())
def test_a_right_counter_never_fails(disturbance: Disturbance, seed: int, tmp_path: Path) -> None:
    assert breaches(conduct(disturbance, seed, tmp_path / "reports", quickly=True)) == []
