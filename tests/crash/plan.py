"""Which processes are killed in a run, and when: drawn from a seed. Pure."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

RUNNER = "runner"
MASTER = "locust-master"


class Phase(StrEnum):
    """Where in a run an instant lies, in order."""

    STARTING = "starting"
    FIRST = "first requests"
    MIDDLE = "middle"
    DRAIN = "drain"
    SEALING = "sealing"
    JUDGING = "judging"


STOPPED_SHARE = 0.2
OF_A_GENERATOR = (Phase.FIRST, Phase.MIDDLE, Phase.DRAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One kill: whom, and how far into a phase (from 0 to 1).

    `stopped` sends SIGSTOP a moment before: the process stands still when it is killed.
    """

    victim: str
    phase: Phase
    at: float
    stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run of the real runner, and the kills in it, in the order in which they are dealt."""

    seed: int
    transport: str
    pacing: Mapping[str, str]
    processes: int
    locust_processes: int
    strikes: tuple[Strike, ...]
    duration_s: int = 2

    @property
    def variables(self) -> dict[str, str]:
        """What the runner is told."""
        return {
            "TRANSPORT": self.transport,
            "PROCESSES": str(self.processes),
            "CONNECTIONS": str(2 * self.processes),
            "LOCUST_PROCESSES": str(self.locust_processes),
            "USERS": str(2 * self.locust_processes),
            "SPAWN_RATE": "100",
            "DURATION": f"{self.duration_s}s",
            "SEED": str(self.seed),
            **self.pacing,
        }


def draw(
    seed: int,
    *,
    transport: str,
    processes: int,
    swarm: int = 0,
    locust_processes: int = 1,
    locust: int = 0,
    master: bool = False,
    runner: Phase | None = None,
    starting: str = "",
    pacing: Mapping[str, str] | None = None,
) -> Plan:
    """Draw a run in which so many of the swarm's and of Locust's processes are killed.

    `runner` is the phase in which the runner itself is, if it is; `starting` is a process that
    is killed before the load begins.
    """
    chance = random.Random(seed)  # noqa: S311 -- instants, not secrets
    victims = [f"swarm-{index}" for index in chance.sample(range(processes), swarm)]
    victims += [f"locust-{index}" for index in chance.sample(range(locust_processes), locust)]
    strikes = [
        Strike(
            victim=victim,
            phase=chance.choice(OF_A_GENERATOR),
            at=chance.random(),
            stopped=chance.random() < STOPPED_SHARE,
        )
        for victim in victims
    ]
    if master:
        # Its workers end with it: in the middle they would not live to be killed themselves.
        strikes.append(Strike(victim=MASTER, phase=Phase.DRAIN, at=chance.random()))
    if runner is not None:
        strikes.append(Strike(victim=RUNNER, phase=runner, at=chance.random()))
    if starting:
        strikes.append(Strike(victim=starting, phase=Phase.STARTING, at=chance.random()))
    order = list(Phase)
    return Plan(
        seed=seed,
        transport=transport,
        pacing=pacing or {},
        processes=processes,
        locust_processes=locust_processes,
        strikes=tuple(sorted(strikes, key=lambda each: (order.index(each.phase), each.at))),
    )
