"""What is done to a right counter, or to what is around it, while it is loaded. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto

from tests.disturbances.link import Wire

PAUSE_S = 5.0
HOUR_S = 3_600.0
PERFECT = Wire()


class Place(StrEnum):
    """What the load is sent to, and what stands between."""

    OWN = auto()
    """The runner deploys to a local cloud of its own, as `make loadtest` does."""
    GATEWAY = auto()
    """URL is an intermediary that we hold, before a stack that we deployed."""
    LINK = auto()
    """Likewise, and the two are on the far side of a wire, the runner on the near one."""
    CLOCK = auto()
    """ENDPOINT_URL is our local cloud; runner and generators go by a clock that we hold."""


class Act(StrEnum):
    """What can be done in the middle of a run; each has an amount."""

    PAUSE_ENGINE = "SIGSTOP to the database, SIGCONT after seconds"
    PAUSE_CLOUD = "SIGSTOP to the local cloud, SIGCONT after seconds"
    KILL_GATEWAY = "SIGKILL to the intermediary, another on the same port after seconds"
    CUT_LINK = "no packet passes for seconds"
    SPOIL_LINK = "the link, until then spared, loses packets for seconds"
    SET_CLOCK = "the wall clock is seconds ahead of the machine's"


@dataclass(frozen=True, slots=True)
class Step:
    """One act, so many seconds after the load began."""

    at_s: float
    act: Act
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """One way of being disturbed.

    `variables` are the runner's, `wire` is what a link does to packets. With `passes` nothing is
    lost by it, so that the verdict must be PASS; else answers are, and some must be.
    """

    name: str
    meaning: str
    place: Place = Place.OWN
    variables: Mapping[str, str]
    wire: Wire = PERFECT
    steps: Sequence[Step] = ()
    passes: bool = False

    @property
    def fault(self) -> str:
        """What the runner's own intermediary is asked to do; empty if there is none."""
        return self.variables.get("FAULT", "")


def of_faults() -> tuple[Disturbance, ...]:
    """Give those that an intermediary of the runner's own makes (FAULT)."""
    asked: Sequence[tuple[str, str, bool, Mapping[str, str]]] = (
        ("none", "an intermediary that does nothing", True, {}),
        ("throttle", "429 for 10 % of the requests", True, {}),
        ("reorder", "requests and answers up to 20 ms late, at random", True, {}),
        ("slow-start:1", "answers 1 s late at first, on time after 1 s", True, {}),
        ("drop:0.05", "hung up on instead of answered, 5 %", False, {}),
        ("reset:0.05", "connections reset in mid-answer, 5 %", False, {}),
        ("hang:0.05", "no answer to 5 %, given up after 0.5 s", False, {"TIMEOUT": "0.5"}),
        ("unavailable:0.05", "503 for 5 %, half of them applied", False, {}),
    )
    return tuple(
        Disturbance(
            name=spec.partition(":")[0],
            meaning=meaning,
            variables={"FAULT": spec, "DURATION": "2s", **variables},
            passes=passes,
        )
        for spec, meaning, passes, variables in asked
    )


def of_pauses(pause_s: float) -> tuple[Disturbance, ...]:
    """Give those that let a process stand still for longer than a request waits."""
    variables = {"TIMEOUT": f"{0.4 * pause_s:g}", "DURATION": f"{round(pause_s) + 2}s"}
    told = f"stands still for {pause_s:g} s, requests wait for {0.4 * pause_s:g} s"
    return (
        Disturbance(
            name="engine-paused",
            meaning=f"dynalite {told}",
            variables=variables | {"ENGINE": "dynalite"},
            steps=(Step(1.0, Act.PAUSE_ENGINE, pause_s),),
        ),
        Disturbance(
            name="cloud-paused",
            meaning=f"the local cloud {told}",
            variables=variables,
            steps=(Step(1.0, Act.PAUSE_CLOUD, pause_s),),
        ),
    )


def of_surroundings() -> tuple[Disturbance, ...]:
    """Give those of the gateway, of the clock, and of the way there."""
    return (
        Disturbance(
            name="gateway-killed",
            meaning="the gateway is killed and serves again on its port after 0.5 s",
            place=Place.GATEWAY,
            variables={"DURATION": "3s"},
            steps=(Step(0.8, Act.KILL_GATEWAY, 0.5),),
        ),
        Disturbance(
            name="clock-stepped",
            meaning="the wall clock jumps 1 h ahead, 2 h back, and ends 1 h behind",
            place=Place.CLOCK,
            variables={"DURATION": "2s"},
            steps=(
                Step(0.4, Act.SET_CLOCK, HOUR_S),
                Step(0.8, Act.SET_CLOCK, -HOUR_S),
                Step(1.2, Act.SET_CLOCK, 0.0),
                Step(1.6, Act.SET_CLOCK, -HOUR_S),
            ),
            passes=True,
        ),
        Disturbance(
            name="link-lossy",
            meaning="1 % of the packets lost each way, the others 2 to 12 ms late",
            place=Place.LINK,
            variables={"DURATION": "2s", "TIMEOUT": "60"},
            wire=Wire(loss=0.01, delay_ms=2, jitter_ms=10),
            passes=True,
        ),
        Disturbance(
            name="link-impatient",
            meaning="4 % lost, 2 to 12 ms late, requests wait for 0.3 s",
            place=Place.LINK,
            variables={"DURATION": "3s", "TIMEOUT": "0.3"},
            wire=Wire(loss=0.04, delay_ms=2, jitter_ms=10),
            # Not before: a run whose first request is not answered does not begin.
            steps=(Step(0.1, Act.SPOIL_LINK, 2.5),),
        ),
        Disturbance(
            name="link-cut",
            meaning="no packet passes for 1.2 s, requests wait for 0.5 s",
            place=Place.LINK,
            variables={"DURATION": "3s", "TIMEOUT": "0.5"},
            wire=Wire(delay_ms=1),
            steps=(Step(0.8, Act.CUT_LINK, 1.2),),
        ),
    )


def disturbances(pause_s: float = PAUSE_S) -> Mapping[str, Disturbance]:
    """Give all by name."""
    all_of_them = (*of_faults(), *of_pauses(pause_s), *of_surroundings())
    return {disturbance.name: disturbance for disturbance in all_of_them}
