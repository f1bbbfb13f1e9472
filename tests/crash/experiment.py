"""One run of the real runner, with SIGKILL for the processes that a plan names."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.crash.counter import LATE_S, BookkeepingCounter
from tests.crash.plan import Phase, Plan, Strike
from tests.crash.program import Program
from tests.crash.victims import Slots, Victims, left_behind
from tests.inline import Ended
from tests.patience import PATIENCE_S

NS_PER_S = 1_000_000_000
FIRST_S = 0.05
EARLY_S = 0.02
_AFTER_LINE = {
    Phase.STARTING: ("PUT ", 2.0),
    Phase.SEALING: ("final value: ", 0.5),
    Phase.JUDGING: ("sealed: ", 1.5),
}
"""Phases that begin with a line of the runner's, and about how many seconds they take."""

_POLL_S = 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A kill that was dealt: in which phase it came to be, and of whom.

    `recorded` is the victim's journal as it then was, `alive` whether it had not ended before.
    """

    victim: str
    phase: Phase
    recorded: Slots
    alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that is known of one run afterwards.

    `applied` are the values that the server handed out, in order, having read `received`
    requests. `folder` is the run's, None where the runner left none. `verified` is what judging
    it again said, if it was. `left` names processes that should not be there any more.
    """

    plan: Plan
    kills: Sequence[Kill]
    runner: Ended
    folder: Path | None
    verified: Ended | None
    applied: Sequence[int]
    received: int
    left: Sequence[str]

    @property
    def runner_killed(self) -> bool:
        """Whether the runner did not live to end by itself."""
        return self.runner.returncode < 0


def conduct(plan: Plan, reports: Path, *, verify_again: bool = False) -> Outcome:
    """Run a plan. Where the runner is killed, `verify` seals and judges what it left."""
    reports.mkdir()
    with BookkeepingCounter() as server:
        program = Program("loadtest", reports, URL=server.url, **plan.variables)
        try:
            with Victims(program.process.pid, reports) as victims:
                clock = _Clock(plan, program, victims)
                kills = [kill for each in plan.strikes for kill in _strike(each, clock, victims)]
                victims.look()
                runner = program.ended()
                alive = victims.await_end(PATIENCE_S)
        finally:
            program.kill()
    # Not earlier: what a killed process had sent may be applied after its death.
    folder = next((path.parent for path in reports.glob("2*/manifest.json")), None)
    verified = None
    if folder is not None and (runner.returncode < 0 or verify_again):
        # The newest run, unless it was cut off before its load began.
        named = {} if (reports / "latest").exists() else {"RUN": folder.name}
        verified = Program("verify", reports, **named).ended()
    return Outcome(
        plan=plan,
        kills=kills,
        runner=runner,
        folder=folder,
        verified=verified,
        applied=server.applied,
        received=server.received,
        left=[*map(str, alive), *left_behind(reports)],
    )


def _strike(strike: Strike, clock: "_Clock", victims: Victims) -> list[Kill]:
    """Deal a blow at its time; none where there is nobody to deal it to."""
    if not clock.await_instant(strike):
        return []
    starting = strike.phase is Phase.STARTING
    killed = victims.kill(strike.victim, stopped=strike.stopped, starting=starting)
    if killed is None:
        return []
    recorded, alive = killed
    return [Kill(victim=strike.victim, phase=clock.phase(strike), recorded=recorded, alive=alive)]


class _Clock:
    """When the phases of one run are."""

    def __init__(self, plan: Plan, program: Program, victims: Victims) -> None:
        self._plan = plan
        self._duration_s = plan.duration_s
        self._program = program
        self._victims = victims
        self._start_ns: int | None = None
        self._pause = threading.Event()

    def await_instant(self, strike: Strike) -> bool:
        """Wait for a strike's time; False when the runner has ended before."""
        if strike.phase in _AFTER_LINE:
            line, length_s = _AFTER_LINE[strike.phase]
            seen = self._program.out.await_line(line)
            self._pause.wait(strike.at * length_s if seen else 0.0)
            return seen
        start_ns = self._await_start(strike.victim if strike.phase is Phase.FIRST else "")
        if start_ns is None:
            return False
        since_s = {
            Phase.FIRST: strike.at * FIRST_S,
            Phase.MIDDLE: FIRST_S + strike.at * (self._duration_s - FIRST_S - EARLY_S),
            Phase.DRAIN: self._duration_s - EARLY_S + strike.at * (EARLY_S + LATE_S),
        }[strike.phase]
        self._pause.wait(max(0.0, since_s - (time.monotonic_ns() - start_ns) / NS_PER_S))
        return True

    def _await_start(self, victim: str) -> int | None:
        """Wait for a process's first request, of any if none is named; None: it sends none."""
        while self._program.process.poll() is None:
            if self._start_ns is None:
                self._victims.prepare(each.victim for each in self._plan.strikes)
            start_ns = self._victims.started_ns(victim)
            late_ns = 0 if self._start_ns is None else time.monotonic_ns() - self._start_ns
            if start_ns is not None or late_ns > self._duration_s * NS_PER_S:
                self._start_ns = self._start_ns or start_ns
                return start_ns
            self._pause.wait(_POLL_S)
        return None

    def phase(self, strike: Strike) -> Phase:
        """Say in which phase it is now, which on a busy machine may not be the planned one."""
        if strike.phase in {Phase.SEALING, Phase.JUDGING}:
            return strike.phase
        start_ns = self._start_ns = self._start_ns or self._victims.started_ns()
        if start_ns is None:
            return Phase.STARTING
        now_ns = time.monotonic_ns()
        if now_ns - start_ns >= self._duration_s * NS_PER_S:
            return Phase.DRAIN
        own_ns = self._victims.started_ns(strike.victim)
        is_first = now_ns - (own_ns or now_ns) < 2 * FIRST_S * NS_PER_S
        return Phase.FIRST if is_first else Phase.MIDDLE
