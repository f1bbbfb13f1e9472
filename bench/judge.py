"""What judging a million operations costs, beside reading them."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

CONCURRENCY = 70
FLOOR = "import sys, pyarrow.parquet as pq; pq.read_table(sys.argv[1])"
CSV_FLOOR = "import sys, pyarrow.csv as c; c.read_csv(sys.argv[1])"


def history(operations: int) -> pa.Table:
    """Make a correct history of CONCURRENCY closed-loop clients; one row an increment."""
    rng = np.random.default_rng(1)
    effect = np.cumsum(rng.integers(1, 1_000_000, operations))
    reach = 500_000 * CONCURRENCY
    start = effect - rng.integers(0, reach, operations)
    end = effect + rng.integers(0, reach, operations)
    order = np.argsort(start)
    return pa.table(
        {
            "start_ns": start[order],
            "end_ns": end[order],
            "outcome": pa.array(np.full(operations, "ok")),
            "value": np.arange(1, operations + 1)[order],
        }
    )


def whole_process(command: list[str], runs: int) -> tuple[float, float]:
    """Give the median wall seconds and the largest resident MB of a command."""
    seconds, peak_mb = [], 0.0
    for _ in range(runs):
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - started)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, command
        peak_mb = max(peak_mb, usage.ru_maxrss / 1024)
    return statistics.median(seconds), peak_mb


def judge(operations: int, runs: int) -> None:
    """Print what judging a history costs, from Parquet and from CSV, beside reading it."""
    with tempfile.TemporaryDirectory() as folder:
        _judge(Path(folder), operations, runs)


def _judge(folder: Path, operations: int, runs: int) -> None:
    table = history(operations)
    pq.write_table(table, folder / "history.parquet")
    pyarrow.csv.write_csv(table, folder / "history.csv")
    print(f"judge, {operations:,} operations, median of {runs} whole processes")
    for name, floor in (("history.parquet", FLOOR), ("history.csv", CSV_FLOOR)):
        path = str(folder / name)
        least, _ = whole_process([sys.executable, "-c", floor, path], runs)
        took, peak_mb = whole_process([sys.executable, "-m", "analysis", "verify", path], runs)
        print(
            f"  {name:<16} {took:6.2f} s  {peak_mb:6.0f} MB peak   "
            f"reading it alone {least:5.2f} s, ratio {took / least:.1f}"
        )
