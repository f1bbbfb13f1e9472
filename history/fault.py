"""Faults that an intermediary between the load and the counter can be asked for, as data.

Runner, intermediary, judge and report read the same table. A fault is asked for as NAME or
NAME:AMOUNT, such as resend:0.001. Pure.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

NONE = "none"
"""An intermediary that passes everything on as it is: to see what standing there costs."""

LOST_UPDATE = "lost-update"
"""Needs the methods that the template deploys with DeployControls=true."""

COUNTS_PATH = "/_gapless/intermediary"
"""Where an intermediary answers by itself, with its counts as JSON."""

RESTORE = "restore"
"""Needs a PUT that sets the counter."""


class Unit(StrEnum):
    """What a fault's amount counts."""

    SHARE = "of all requests"
    MS = "ms"
    SECONDS = "s"
    NUMBERS = "numbers"


_BOUNDS: Mapping[Unit, tuple[float, float]] = {
    Unit.SHARE: (0.0, 1.0),
    Unit.MS: (0.001, 60_000.0),
    Unit.SECONDS: (0.001, 3_600.0),
    Unit.NUMBERS: (1.0, 1_000_000.0),
}


def _within(unit: Unit, amount: float) -> bool:
    low, high = _BOUNDS[unit]
    return low <= amount <= high


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One named fault: what it does, and how much of it there is unless something else is asked."""

    name: str
    meaning: str
    unit: Unit | None = None
    default: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a default out of bounds."""
        if self.unit is not None and not _within(self.unit, self.default):
            raise ValueError(f"{self.name}: {self.default:g} is no amount in {self.unit}")


_TABLE = (
    Fault(name=NONE, meaning="passes every request and every answer on as it is"),
    Fault(
        name=LOST_UPDATE,
        meaning="reads the counter, adds one and writes it back, in two requests",
        unit=Unit.SHARE,
        default=1.0,
    ),
    Fault(
        name="cache",
        meaning="answers GET from its cache for so long after the last answer",
        unit=Unit.MS,
        default=5.0,
    ),
    Fault(
        name="repeat",
        meaning="answers that share of the requests with the number given last",
        unit=Unit.SHARE,
        default=0.01,
    ),
    Fault(
        name="resend",
        meaning="sends that share of the requests on twice and gives the second answer",
        unit=Unit.SHARE,
        default=0.01,
    ),
    Fault(
        name="swap",
        meaning="lets that share of the answers wait for a later request and change places with "
        "its answer",
        unit=Unit.SHARE,
        default=0.01,
    ),
    Fault(
        name="replica",
        meaning="sends that share of the requests to a second counter, a copy of the first",
        unit=Unit.SHARE,
        default=0.5,
    ),
    Fault(
        name="blocks",
        meaning="takes blocks of so many numbers ahead, for two allocators that hand them out",
        unit=Unit.NUMBERS,
        default=50.0,
    ),
    Fault(
        name=RESTORE,
        meaning="puts the counter back, once, to where it was so many numbers before",
        unit=Unit.NUMBERS,
        default=500.0,
    ),
    Fault(
        name="drop",
        meaning="hangs up instead of giving that share of the answers",
        unit=Unit.SHARE,
        default=0.01,
    ),
    Fault(
        name="reset",
        meaning="resets the connection in the middle of that share of the answers",
        unit=Unit.SHARE,
        default=0.05,
    ),
    Fault(
        name="hang",
        meaning="never gives that share of the answers",
        unit=Unit.SHARE,
        default=0.05,
    ),
    Fault(
        name="unavailable",
        meaning="answers 503 to that share of the requests, half of which it has passed on",
        unit=Unit.SHARE,
        default=0.05,
    ),
    Fault(
        name="throttle",
        meaning="answers 429 to that share of the requests and does not pass them on",
        unit=Unit.SHARE,
        default=0.1,
    ),
    Fault(
        name="reorder",
        meaning="delays each request and each answer by a random time of up to so long",
        unit=Unit.MS,
        default=20.0,
    ),
    Fault(
        name="slow-start",
        meaning="delays answers by a second at first, and less and less for so long",
        unit=Unit.SECONDS,
        default=3.0,
    ),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _TABLE}

EXPECTED = f"one of {', '.join(FAULTS)}; an amount may follow, such as resend:0.001 or cache:10"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSpec:
    """A fault as it was asked for; `amount` is in the fault's unit, 0 where it has none."""

    fault: Fault
    amount: float

    @property
    def name(self) -> str:
        """The fault's name."""
        return self.fault.name

    @property
    def text(self) -> str:
        """The spec as it can be asked for again."""
        return self.name if self.fault.unit is None else f"{self.name}:{self.amount:.12g}"

    @property
    def changes_nothing(self) -> bool:
        """Whether no request can be treated differently from others."""
        return self.name == NONE or self.amount == 0

    @property
    def words(self) -> str:
        """What it does, and to how much."""
        unit = self.fault.unit
        if unit is None:
            return self.fault.meaning
        share = unit is Unit.SHARE
        amount = f"{100 * self.amount:.10g} %" if share else f"{self.amount:.12g}"
        return f"{self.fault.meaning} ({amount} {unit})"


def parse_fault(text: str) -> FaultSpec:
    """Read NAME or NAME:AMOUNT; raises ValueError saying what was expected."""
    name, colon, amount_text = text.partition(":")
    fault = FAULTS.get(name)
    if fault is None:
        raise ValueError(EXPECTED)
    if not colon:
        return FaultSpec(fault=fault, amount=fault.default)
    if fault.unit is None:
        raise ValueError(f"{name} without an amount")
    amount = _number(amount_text)
    if not _within(fault.unit, amount):
        low, high = _BOUNDS[fault.unit]
        raise ValueError(
            f"{name}:AMOUNT, an amount from {low:,.12g} to {high:,.12g} ({fault.unit})"
        )
    if fault.unit is Unit.NUMBERS and amount != int(amount):
        raise ValueError(f"{name}:AMOUNT, a whole amount ({fault.unit})")
    return FaultSpec(fault=fault, amount=amount)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
