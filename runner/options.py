"""What a run is asked to be: make variables, read once at the edge and checked."""

import dataclasses
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from history.errors import UserError
from history.fault import LOST_UPDATE, FaultSpec, parse_fault
from history.manifest import ARRIVALS, TRANSPORTS, Load
from history.mixing import parse_decrements
from history.operation import INT64_MAX, Returns
from history.shape import parse_shape

T = TypeVar("T")

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_RUN_ID = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,99}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""A run of a series is named after its folder and itself."""

RESERVED = frozenset({"index.html", "README.md", "examples"})
MAX_DURATION_S = 24 * 3600
MAX_CONNECTIONS = 10_000
MAX_PROCESSES = 64
"""Of each kind: each has pipes of its own to the runner, and select() ends at 1,024 of them."""

GROWTH = 4
"""An open loop whose connections are all busy opens up to this many times as many."""

UNBOUNDED = "unbounded"
"""Of EFFECT_WINDOW_MS: an unanswered request may act at any time after it was sent."""

SAFE_INITIAL = INT64_MAX // 2
"""The record holds 64 bits; the counter must not run out of them while it is loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Locust's web page: where it listens, and what its form says at first."""

    host: str = "127.0.0.1"
    port: int
    users: int
    spawn_rate_per_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """The variables of `make loadtest`; `load` is what the generators are told.

    `fault` is what an intermediary between the load and the counter does; None: there is none.
    With `page`, the load is what its user makes of it there. `effect_window_ms` (a whole number
    or UNBOUNDED) and `search_budget_s` are for the judge; "" and None leave the choice to it.
    """

    load: Load
    initial: int
    allow_unanswered: int
    seed: int
    url: str
    allow_hosts: tuple[str, ...]
    run_id: str
    returns: Returns
    fail_fast: bool
    fault: FaultSpec | None = None
    page: Page | None = None
    effect_window_ms: str = ""
    search_budget_s: float | None = None


def read_options(variables: Mapping[str, str]) -> LoadOptions:
    """Read the make variables; a blank one has its default.

    Raises UserError naming the variable, what was found and what was expected.
    """
    read = Reader(variables)
    processes = read.integer("PROCESSES", spare_cores(), low=1, high=MAX_PROCESSES)
    connections = read.integer("CONNECTIONS", 50, low=processes, high=MAX_CONNECTIONS)
    users = read.integer("USERS", 20, low=1, high=MAX_CONNECTIONS)
    decrements = read.parsed("DECREMENTS", "0", parse_decrements)
    return LoadOptions(
        load=Load(
            duration_s=read.parsed("DURATION", "30s", parse_duration),
            users=users,
            spawn_rate_per_s=read.integer("SPAWN_RATE", 20, low=1, high=MAX_CONNECTIONS),
            connections=connections,
            rate_per_s=read.number("RATE", 0, low=0, high=1_000_000),
            processes=processes,
            timeout_s=read.number("TIMEOUT", 10, low=0.1, high=300),
            transport=read.choice("TRANSPORT", TRANSPORTS),
            arrivals=read.choice("ARRIVALS", ARRIVALS),
            shape=read.parsed("SHAPE", "constant", parse_shape).name,
            connections_max=read.integer(
                "CONNECTIONS_MAX",
                min(GROWTH * connections, MAX_CONNECTIONS),
                low=connections,
                high=MAX_CONNECTIONS,
                because=" (at least CONNECTIONS)",
            ),
            locust_processes=read.integer(
                "LOCUST_PROCESSES",
                1,
                low=1,
                high=min(users, MAX_PROCESSES),
                because=" (at most USERS)",
            ),
            decrements=decrements,
        ),
        initial=read.integer("INITIAL", 1, low=-SAFE_INITIAL, high=SAFE_INITIAL),
        allow_unanswered=read.integer("ALLOW_UNANSWERED", 0, low=0, high=INT64_MAX),
        seed=read.integer("SEED", int.from_bytes(os.urandom(4)), low=0, high=INT64_MAX),
        url=variables.get("URL", "").strip(),
        allow_hosts=tuple(words(variables.get("ALLOW_HOST", ""))),
        run_id=read.parsed("RUN", "", _parse_run_id),
        returns=read.parsed("RETURNS", str(Returns.NEW), _parse_returns),
        fail_fast=_read_fail_fast(read, decrements),
        fault=_read_fault(read),
        effect_window_ms=read.parsed("EFFECT_WINDOW_MS", "", _parse_effect_window),
        search_budget_s=read.parsed("SEARCH_BUDGET_S", "", _parse_search_budget),
    )


def read_page_options(variables: Mapping[str, str]) -> LoadOptions:
    """Read the make variables of `make locust-ui`, where Locust's page says how much load.

    Raises UserError as read_options does.
    """
    options = read_options(variables)
    load = options.load
    if load.shape != parse_shape("constant").name:
        raise UserError(
            f"SHAPE={load.shape}: Locust's page starts and stops its users itself; leave SHAPE "
            "out, or use make loadtest"
        )
    page = Page(
        port=Reader(variables).integer("LOCUST_UI_PORT", 8089, low=1, high=65_535),
        users=load.users,
        spawn_rate_per_s=load.spawn_rate_per_s,
    )
    chosen_there = dataclasses.replace(
        load,
        duration_s=0,
        users=0,
        spawn_rate_per_s=0,
        connections=0,
        connections_max=0,
        rate_per_s=0,
        processes=0,
    )
    return dataclasses.replace(options, load=chosen_there, page=page)


def spare_cores() -> int:
    """Count the cores left for the swarm beside Locust and the local target; at least one."""
    return max(1, len(os.sched_getaffinity(0)) - 2)


def parse_duration(text: str) -> int:
    """Read a duration as Locust writes it, 90, 90s, 2m or 1h30m; gives whole seconds.

    Raises ValueError saying what was expected.
    """
    match = _DURATION.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not 1 <= total <= MAX_DURATION_S:
        msg = "a duration from 1s to 24h such as 30s, 2m or 1h30m"
        raise ValueError(msg)
    return total


def _parse_run_id(text: str) -> str:
    # "latest" is what make verify-atomicity calls the newest run: no run can have that name.
    if text in {"", "latest"}:
        return ""
    if text in RESERVED:
        msg = "another name: reports/ keeps something else under that one"
        raise ValueError(msg)
    if not _RUN_ID.fullmatch(text):
        msg = "letters, digits, dots, dashes and underscores, at most 100 of them"
        raise ValueError(msg)
    return text


def _read_fail_fast(read: "Reader", decrements: float) -> bool:
    fail_fast = read.choice("FAIL_FAST", ("0", "1")) == "1"
    if fail_fast and decrements:
        raise UserError(
            f"FAIL_FAST=1: with DECREMENTS={decrements:g} numbers legally come back, so that "
            "nothing can be told from them before the end; leave one of the two out"
        )
    return fail_fast


def _read_fault(read: "Reader") -> FaultSpec | None:
    fault = read.parsed("FAULT", "", lambda text: parse_fault(text) if text else None)
    if fault is not None and fault.name == LOST_UPDATE and read.parsed("URL", "", str):
        raise UserError(
            f"FAULT={fault.text}: reads and writes the counter by methods that a stack is deployed "
            "with for it, and a server named by URL has none; leave URL out, or use another fault"
        )
    return fault


def _parse_effect_window(text: str) -> str:
    if text not in {"", UNBOUNDED} and not re.fullmatch(r"[0-9]{1,12}", text):
        msg = f"a whole number of milliseconds, or {UNBOUNDED}"
        raise ValueError(msg)
    return text


def _parse_search_budget(text: str) -> float | None:
    if not text:
        return None
    budget_s = _float(text)
    if not 0 <= budget_s <= MAX_DURATION_S:
        raise ValueError(f"a number of seconds from 0 to {MAX_DURATION_S:,}")
    return budget_s


def _float(text: str) -> float:
    """Read a number; what is none becomes one that lies in no range."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _parse_returns(text: str) -> Returns:
    try:
        return Returns(text)
    except ValueError:
        msg = "new (the value after an increment) or old (the value before it)"
        raise ValueError(msg) from None


def words(text: str) -> list[str]:
    """Take a list apart: words with blanks or commas between them."""
    return text.replace(",", " ").split()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads make variables; a blank one has its default.

    Raises UserError naming the variable, what was found and what was expected.
    """

    variables: Mapping[str, str]

    def parsed(self, name: str, default: str, parse: Callable[[str], T]) -> T:
        """Read what a function parses, which raises ValueError saying what it expected."""
        text = self.variables.get(name, "").strip() or default
        try:
            return parse(text)
        except ValueError as error:
            raise UserError(f"{name}={text}: expected {error}") from error

    def integer(self, name: str, default: int, *, low: int, high: int, because: str = "") -> int:
        """Read a whole number within bounds."""

        def parse(text: str) -> int:
            if not re.fullmatch(r"-?[0-9]{1,19}", text) or not low <= int(text) <= high:
                raise ValueError(f"a whole number from {low:,} to {high:,}{because}")
            return int(text)

        return self.parsed(name, str(default), parse)

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Read one of several words; the first is the default."""

        def parse(text: str) -> str:
            if text not in choices:
                raise ValueError(" or ".join(choices))
            return text

        return self.parsed(name, choices[0], parse)

    def names(self, name: str, choices: Sequence[str]) -> tuple[str, ...]:
        """Read some of several words, each once and as they come; all of them by default."""

        def parse(text: str) -> tuple[str, ...]:
            found = tuple(dict.fromkeys(words(text)))
            if not found or not set(found) <= set(choices):
                raise ValueError(f"names of {', '.join(choices)}")
            return found

        return self.parsed(name, " ".join(choices), parse)

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        """Read a number within bounds."""

        def parse(text: str) -> float:
            found = _float(text)
            if not low <= found <= high:
                raise ValueError(f"a number from {low:,} to {high:,}")
            return found

        return self.parsed(name, str(default), parse)
