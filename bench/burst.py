"""A race that steady load misses: the same requests a second, spread evenly and in volleys."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from history.sealing import read_journal
from tests.servers import CROWD, racy_in_a_crowd

RATE_PER_S = 500
CONNECTIONS = 50
LOADS: Mapping[str, Mapping[str, object]] = {
    "steady": {"arrivals": "uniform"},
    "random arrivals": {"arrivals": "poisson"},
    "burst": {"shape": "burst"},
}


def burst(runs: int, seconds: int) -> None:
    """Print how many duplicates each way of sending finds in a counter that loses updates."""
    print(
        f"a counter that loses updates while {CROWD} requests or more are in flight (python -m "
        f"tests.servers {racy_in_a_crowd.__name__}), {RATE_PER_S} requests/s on {CONNECTIONS} "
        f"connections for {seconds} s, wire, {runs} runs"
    )
    found = {
        name: [_duplicates(load, seconds, seed) for seed in range(runs)]
        for name, load in LOADS.items()
    }
    for name, counts in found.items():
        caught = sum(count > 0 for count in counts)
        print(
            f"  {name:<16} found in {caught} of {runs} runs; duplicates a run: median "
            f"{int(np.median(counts))}, {min(counts)} to {max(counts)}"
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


def _duplicates(load: Mapping[str, object], seconds: int, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder, _racy_counter() as url:
        options = {
            "url": url,
            "journals": folder,
            "transport": "wire",
            "rate": RATE_PER_S,
            "connections": CONNECTIONS,
            "duration": seconds,
            "seed": seed,
            **load,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        subprocess.run([sys.executable, "-m", "swarm", *words], check=True)
        slots = read_journal(Path(folder) / "swarm-0.journal").slots
    values = slots["value"][slots["answered"] == 1]
    return len(values) - len(np.unique(values))
