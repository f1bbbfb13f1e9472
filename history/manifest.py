"""The manifest of a run: everything a reader must know that is not an operation.

It never holds a credential: nothing of the environment is copied into it wholesale.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from history.documents import read_document, write_document
from history.operation import Returns

SCHEMA_VERSION = 1

ENDED_WELL = "ended"
"""The exit state of a process that ended by itself, in good order."""

UNIFORM, POISSON = ARRIVALS = ("uniform", "poisson")
"""An open loop's requests come evenly spaced, or at random as those of many independent callers."""

AIOHTTP, WIRE = TRANSPORTS = ("aiohttp", "wire")
"""What the swarm sends with. The first of each is the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownValue:
    """A value of the counter, and how it came to be known (None: it could not be)."""

    value: int | None
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was asked of the generators. Times in seconds, rates per second.

    `connections_max` bounds what an open loop may open when all `connections` are busy (0: no
    more than those). `shape` is what history/shape.py reads, `arrivals` uniform or poisson,
    `decrements` the share of requests that decrement.
    Where a user started and stopped the load in Locust's page, nothing was asked of it here:
    no users, no connections, no duration.
    Runs of before these fields existed read as their defaults, which is what they did.
    """

    duration_s: int
    users: int
    spawn_rate_per_s: int
    connections: int
    rate_per_s: float
    processes: int
    timeout_s: float
    transport: str = AIOHTTP
    arrivals: str = UNIFORM
    shape: str = "constant"
    connections_max: int = 0
    locust_processes: int = 1
    decrements: float = 0.0

    @property
    def by_page(self) -> bool:
        """Whether the load was what somebody chose in Locust's page."""
        return not self.users


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBound:
    """A host's monotonic clock: its time + `offset_ns` is the common time, within ±`error_ns`.

    Raises ValueError when the error is negative.
    """

    host: str
    offset_ns: int
    error_ns: int

    def __post_init__(self) -> None:
        """Refuse a bound that no time can lie within."""
        if self.error_ns < 0:
            raise ValueError(f"the clock of {self.host} has an error of {self.error_ns} ns")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """One recording process: how it ended, and how many operations its journal holds.

    `journal_records` is what sealing found; `closed_records` what the process itself counted
    when it ended in good order, None when it did not. `problem` says what is wrong with its
    journal, when records may be missing; empty if nothing is.
    """

    process: str
    source: str
    exit_state: str
    journal_records: int
    closed_records: int | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One run.

    Times are UTC, ISO 8601; `sealed` says that operations.parquet is whole. `endpoint_url` is
    set where ENDPOINT_URL named one, `engine` and `limits` where a local cloud was loaded,
    `region` and `stack` where a stack was deployed; `initial_asked` is INITIAL, `initial` what
    the counter is known to have held. `integration_timeout_ms` is how long the API as deployed
    waits for the database, None where that is not known. `clocks` is for records joined from
    several hosts (docs/clocks.md): empty, times compare only within each host. `fault` is what
    stood between the load and the counter (history/fault.py; empty: nothing), `fault_counts` what
    it says of itself at the end: requests received, sent on, answered, and how often it did what it
    was asked for (`injected`).
    """

    schema_version: int = SCHEMA_VERSION
    run_id: str
    started_utc: str
    target: str
    url: str
    load: Load
    initial: KnownValue
    final: KnownValue
    returns: Returns = Returns.NEW
    ended_utc: str | None = None
    load_started_ns: int | None = None
    load_ended_ns: int | None = None
    wall_minus_monotonic_ns: int = 0
    interrupted: str = ""
    endpoint_url: str = ""
    engine: str = ""
    limits: str = ""
    region: str = ""
    initial_asked: int = 1
    stack: str = ""
    table: str = ""
    template_sha256: str = ""
    integration_timeout_ms: int | None = None
    clocks: tuple[ClockBound, ...] = ()
    fault: str = ""
    fault_counts: dict[str, int] = field(default_factory=dict)
    seed: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    host: str = ""
    boot_id: str = ""
    cpu_count: int = 0
    commit: str = ""
    dirty: bool = False
    processes: tuple[ProcessRecord, ...] = ()
    sealed: bool = False

    def replace(self, **changes: Any) -> Self:  # noqa: ANN401 -- dataclasses.replace's own type
        """Give the manifest with some fields changed."""
        return dataclasses.replace(self, **changes)

    def write(self, path: Path) -> None:
        """Write as JSON; the file is replaced only by a whole one."""
        write_document(path, dataclasses.asdict(self))


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises UserError when it is missing, malformed or newer than this program.
    """
    return read_document(
        path,
        Manifest,
        version=SCHEMA_VERSION,
        name="manifest",
        absent="this folder holds no run; see reports/index.html for those there are",
    )
