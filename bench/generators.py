"""Our own clients, started as the runner starts them, and their record held against the counter."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from history.errors import UserError
from history.gate import LoadWindow
from history.manifest import ENDED_WELL
from history.operation import Outcome
from history.run import RunFolder
from history.sealing import operations_table, read_journals
from runner.generators import START_DELAY_NS, commands, generator_environment
from runner.options import LoadOptions, read_options
from runner.processes import Generator, reap, start

CONNECTIONS = 50
PATIENCE_S = 120
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLoad:
    """A generator of ours that is sending; `finish` it whatever happens."""

    generators: Sequence[Generator]
    seconds: int

    @property
    def pid(self) -> int:
        """The process that sends."""
        return self.generators[0].process.pid

    def finish(self) -> None:
        """Wait until it has sent all; raises UserError if it did not end well."""
        try:
            for name, state in reap(self.generators, self.seconds + PATIENCE_S).items():
                if state != ENDED_WELL:
                    raise UserError(f"{name} {state}: that is no measurement; run it again")
        finally:
            self.abandon()

    def abandon(self) -> None:
        """End it at once, if it has not ended yet."""
        for generator in self.generators:
            generator.gate.close()
            generator.process.kill()
            generator.process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnClient:
    """A generator of ours: which, and the make variables that it is run with."""

    name: str
    source: str
    variables: dict[str, str]

    def start(self, url: str, seconds: int, folder: Path) -> OwnLoad:
        """Let one process of it load a URL, and write its journal into the folder."""
        run = RunFolder(folder)
        run.journals.mkdir()
        options = load_options(seconds, self.variables)
        planned = commands(
            options,
            url=url,
            allowed_hosts=(),
            journals=run.journals,
            locust_report=run.locust_report,
        )
        generators = start(
            {name: plan for name, plan in planned.items() if plan[0] == self.source},
            environment=generator_environment(options, journals=run.journals, allowed_hosts=()),
            logs=folder,
            workers={},
        )
        start_ns = time.monotonic_ns() + START_DELAY_NS
        window = LoadWindow(start_ns=start_ns, end_ns=start_ns + seconds * NS_PER_S)
        for generator in generators:
            generator.gate.open(window)
        return OwnLoad(generators=generators, seconds=seconds)

    def record(self, folder: Path, *, counted: int) -> pa.Table:
        """Read what it recorded; raises UserError unless that is just what the counter did."""
        table = operations_table(read_journals(RunFolder(folder).journals))
        fault = record_fault(table, counted=counted)
        if fault:
            raise UserError(
                f"{self.name}: {fault}; its figures would mean nothing: run it again, and report "
                "it if that stays so"
            )
        return table


def load_options(seconds: int, variables: dict[str, str]) -> LoadOptions:
    """Read the options of a load by one process, of CONNECTIONS connections or users."""
    return read_options(
        {
            "DURATION": f"{seconds}s",
            "CONNECTIONS": str(CONNECTIONS),
            "USERS": str(CONNECTIONS),
            "SPAWN_RATE": str(CONNECTIONS),
            "PROCESSES": "1",
            "SEED": "1",
            **variables,
        }
    )


def record_fault(table: pa.Table, *, counted: int) -> str:
    """Say what is wrong with the record of a counter that went from 0 to `counted`, if anything.

    Every increment must be in it, answered, and with a value of its own.
    """
    answered = table.filter(pc.equal(table["outcome"], str(Outcome.OK)))
    values = np.sort(answered["value"].to_numpy())
    if len(table) == counted and np.array_equal(values, np.arange(1, counted + 1)):
        return ""
    return (
        f"the counter counted {counted:,} requests, the record holds {len(table):,}, "
        f"{len(answered):,} of them answered, with {len(np.unique(values)):,} different values"
    )


def lags_ms(table: pa.Table) -> npt.NDArray[np.float64]:
    """Give how late each request of an open loop was sent, in milliseconds."""
    lags_ns: npt.NDArray[np.int64] = (
        pc.subtract(table["start_ns"], table["intended_ns"]).drop_null().to_numpy()
    )
    return lags_ns / 1e6
