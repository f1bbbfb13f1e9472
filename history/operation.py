"""What one operation is: one request on the wire, its interval, and what became of it."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1


class Kind(StrEnum):
    """What the operation asks the counter to do."""

    INCREMENT = "increment"
    DECREMENT = "decrement"
    READ = "read"


class Outcome(StrEnum):
    """What is known of the operation's effect (DESIGN.md 5; Jepsen's ok/fail/info)."""

    OK = "ok"
    """Applied, and its value is known."""
    REJECTED = "rejected"
    """Certainly not applied."""
    INDETERMINATE = "indeterminate"
    """Perhaps applied: nothing is known of its value."""


class Returns(StrEnum):
    """Which value an increment answers with: DynamoDB's UPDATED_NEW or UPDATED_OLD."""

    NEW = "new"
    OLD = "old"


class Reason(IntEnum):
    """Why an outcome is what it is. The number is the code in the journal: never reuse one."""

    NONE = 0
    INTEGER = 1
    NOT_AN_INTEGER = 2
    VALUE_EXCEEDS_64_BITS = 3
    NEVER_SENT = 10
    VALIDATION = 11
    FORBIDDEN = 12
    NOT_FOUND = 13
    CONFLICT = 14
    TOO_LARGE = 15
    UNSUPPORTED_MEDIA_TYPE = 16
    THROTTLED = 17
    TIMEOUT = 30
    CONNECTION_LOST = 31
    TRUNCATED = 32
    SERVER_ERROR = 33
    UNEXPECTED_STATUS = 34
    MALFORMED_ANSWER = 35
    CLIENT_ERROR = 36
    NO_ANSWER = 37
    DAMAGED_RECORD = 39

    @property
    def label(self) -> str:
        """The reason as histories spell it: `connection-lost`."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a history; a closed interval [start_ns, end_ns] on one host's clock.

    `start_ns`, `intended_ns` and `end_ns` are CLOCK_MONOTONIC nanoseconds of `host`: just
    before the first byte was sent, when the schedule meant it to be sent (open loop only),
    and just after the last byte was read. `end_ns` is None when no answer came. `value` is
    the number answered, present exactly when the outcome is `ok`. `attempts` counts sends on
    the wire; more than one means a client re-sent behind our back.

    Raises ValueError when value and end do not fit the outcome.
    """

    start_ns: int
    outcome: Outcome
    end_ns: int | None = None
    value: int | None = None
    kind: Kind = Kind.INCREMENT
    host: str = ""
    worker: str = ""
    source: str = ""
    intended_ns: int | None = None
    attempts: int = 1
    status: int | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse an operation that contradicts itself."""
        answered = self.outcome is Outcome.OK
        if answered != (self.value is not None):
            msg = (
                f"value must be present exactly when ok: outcome={self.outcome} value={self.value}"
            )
            raise ValueError(msg)
        if answered and self.end_ns is None:
            msg = "an ok operation needs end_ns"
            raise ValueError(msg)
        if self.value is not None and not INT64_MIN <= self.value <= INT64_MAX:
            msg = f"value {self.value} does not fit 64 bits"
            raise ValueError(msg)
