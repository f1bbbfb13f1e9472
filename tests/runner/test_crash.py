"""`kill -9` of the real processes of real runs, at instants drawn from a seed.

The seed is the same in every test run: what a commit is told must not depend on luck, as far as
a machine's scheduling lets it. `python -m bench crash` draws a new one each time, for hundreds
of kills (docs/record.md).
"""

from pathlib import Path

import pytest

from tests.crash.claim import breaches
from tests.crash.experiment import conduct
from tests.crash.plan import Phase, Plan, draw

SEED = 20261123
PLANS = (
    draw(
        SEED,
        transport="wire",
        duration_s=1,
        processes=12,
        swarm=11,
        locust_processes=2,
        locust=2,
        master=True,
    ),
    draw(
        SEED + 1,
        transport="aiohttp",
        duration_s=1,
        processes=9,
        swarm=8,
        locust=1,
        runner=Phase.SEALING,
    ),
)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.transport)
def test_no_increment_is_lost_whoever_is_killed(plan: Plan, tmp_path: Path) -> None:
    outcome = conduct(plan, tmp_path / "reports")
    assert breaches(outcome) == [], f"seed {plan.seed}: {plan.strikes}"
    assert len(outcome.kills) == len(plan.strikes)
