"""A race that steady load misses: the same requests a second, spread evenly and in volleys."""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.machine import Conditions
from bench.tables import Table
from history.sealing import read_journal
from tests.servers import CROWD, racy_in_a_crowd

RATE_PER_S = 500
CONNECTIONS = 50
SECONDS = 3
LOADS: Mapping[str, Mapping[str, object]] = {
    "steady": {"arrivals": "uniform"},
    "random arrivals": {"arrivals": "poisson"},
    "burst": {"shape": "burst"},
}


def burst(runs: int) -> Table:
    """Count the duplicates that each way of sending finds in a counter that loses updates."""
    conditions = Conditions()
    found: dict[str, list[int]] = {name: [] for name in LOADS}
    for seed in range(runs):
        conditions.sample()
        for name, load in LOADS.items():
            found[name].append(_duplicates(load, seed))
    return table(found, conditions=conditions.notes())


def table(found: Mapping[str, Sequence[int]], *, conditions: Sequence[str]) -> Table:
    """Set the ways of sending side by side."""
    runs = len(next(iter(found.values())))
    return Table(
        title=(
            f"Finding a race that takes {CROWD} requests in flight, {RATE_PER_S} requests/s on "
            f"{CONNECTIONS} connections for {SECONDS} s, wire, {runs} runs"
        ),
        columns=("sent", "runs that found it", "duplicates a run", "least", "most"),
        rows=tuple(
            (
                name,
                f"{sum(count > 0 for count in counts)} of {runs}",
                f"{statistics.median(counts):,.0f}",
                f"{min(counts):,}",
                f"{max(counts):,}",
            )
            for name, counts in found.items()
        ),
        words=frozenset({"sent"}),
        notes=(*conditions,),
    )


@contextmanager
def _racy_counter() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.servers", racy_in_a_crowd.__name__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _duplicates(load: Mapping[str, object], seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder, _racy_counter() as url:
        options = {
            "url": url,
            "journals": folder,
            "transport": "wire",
            "rate": RATE_PER_S,
            "connections": CONNECTIONS,
            "duration": SECONDS,
            "seed": seed,
            **load,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        subprocess.run([sys.executable, "-m", "swarm", *words], check=True)
        slots = read_journal(Path(folder) / "swarm-0.journal").slots
    values = slots["value"][slots["answered"] == 1]
    return len(values) - len(np.unique(values))
