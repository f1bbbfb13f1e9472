"""The stepped clock is seen by those that go by it, and only that clock."""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.disturbances.needed import wall_clock_needed
from tests.disturbances.wall_clock import WallClock

pytestmark = wall_clock_needed
HOUR_S = 3_600.0


def test_wall_time_jumps_and_monotonic_time_does_not(tmp_path: Path) -> None:
    clock = WallClock(tmp_path)
    with clock.witness() as witness:
        for ahead_s in (0.0, HOUR_S, -2 * HOUR_S, 0.25, 0.0):
            clock.step(ahead_s)
            before_s = time.monotonic()
            seen = witness.sees()
            assert 0 <= seen.ahead_s - ahead_s <= time.monotonic() - before_s
            assert seen.same_monotonic


def test_waiting_takes_as_long_whatever_the_wall_clock_does(tmp_path: Path) -> None:
    clock = WallClock(tmp_path)
    waits = (
        "import threading, time\n"
        "started_s = time.monotonic()\n"
        "print(flush=True)\n"
        "threading.Event().wait(0.2)\n"
        "time.sleep(0.2)\n"
        "print(time.monotonic() - started_s)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", waits], env=clock.variables, stdout=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stdout is not None
        waiting.stdout.readline()
        started_s = time.monotonic()
        while waiting.poll() is None:
            for ahead_s in (HOUR_S, -HOUR_S):
                clock.step(ahead_s)
                with suppress(subprocess.TimeoutExpired):
                    waiting.wait(0.01)
        waited_s = float(waiting.stdout.readline())
        # Set back it would wait for an hour, set ahead not at all.
        assert 0.4 <= waited_s <= time.monotonic() - started_s + 1
