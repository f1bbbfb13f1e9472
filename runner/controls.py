"""The controls: the same load against counters that are wrong in one known way.

What is expected of each is said here; whether it came so is judged by analysis, from the record.
"""

from pathlib import Path

from deploy.settings import Settings
from history.fault import LOST_UPDATE, NONE, RESTORE
from history.series import PREFIX, Control, SeriesFolder
from runner.loadtest import Say
from runner.options import LoadOptions
from runner.series import MOTO, Plan, conduct

CONTROLS: tuple[Control, ...] = (
    Control(
        name="correct",
        meaning="nothing is wrong, nothing stands between",
        fault="",
        expected="PASS",
    ),
    Control(
        name="intermediary",
        meaning="nothing is wrong, an intermediary passes everything on",
        fault=NONE,
        expected="PASS",
    ),
    Control(
        name=LOST_UPDATE,
        meaning="the real API and database, used without atomicity: read, add one, write",
        fault=LOST_UPDATE,
        expected="FAIL",
        check="unique",
    ),
    Control(
        name="moto-engine",
        meaning="the same API on a database whose UpdateItem is not atomic (moto's)",
        fault="",
        engine=MOTO,
        expected="FAIL",
        check="unique",
    ),
    Control(
        name="cache",
        meaning="a cache answers GET for 5 ms",
        fault="cache:5",
        expected="FAIL",
        check="unique",
    ),
    Control(
        name="replica",
        meaning="two independent replicas of the counter share the requests",
        fault="replica:0.5",
        expected="FAIL",
        check="unique",
    ),
    Control(
        name=RESTORE,
        meaning="the counter is put back once to an older snapshot, in the middle of the run",
        fault="restore:500",
        expected="FAIL",
        check="unique",
    ),
    Control(
        name="resend",
        meaning="an intermediary sends one request in a hundred twice",
        fault="resend:0.01",
        expected="FAIL",
        check="gap-free",
    ),
    Control(
        name="blocks",
        meaning="two allocators hand out numbers that they took ahead in blocks of 50",
        fault="blocks:50",
        expected="FAIL",
        check="ordered",
    ),
    Control(
        name="swap",
        meaning="one answer in a hundred changes places with a later one",
        fault="swap:0.01",
        expected="FAIL",
        check="ordered",
    ),
    Control(
        name="drop",
        meaning="one answer in a hundred is lost after the write",
        fault="drop:0.01",
        expected="INCONCLUSIVE",
        check="gap-free",
    ),
    Control(
        name="throttle",
        meaning="one request in ten is refused with 429",
        fault="throttle:0.1",
        expected="PASS",
    ),
    Control(
        name="reorder",
        meaning="requests and answers are delayed at random and overtake each other",
        fault="reorder:20",
        expected="PASS",
    ),
)
"""In the order in which they are run and shown: what is right, what is wrong, what is hard."""


def controls(options: LoadOptions, settings: Settings, *, reports: Path, say: Say) -> SeriesFolder:
    """Run every control that can be run on the target; give the series' folder, not yet judged.

    Raises UserError for what the user can fix; what was run until then is kept.
    """
    plan = Plan(
        command="make controls",
        what="controls",
        prefix=PREFIX,
        kind=SeriesFolder,
        controls=CONTROLS,
    )
    return conduct(plan, options, settings, reports=reports, say=say)
