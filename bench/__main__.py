"""Measure the judge on a million operations, and what recording one costs.

    python -m bench [--operations 1000000] [--runs 5]

Times are medians over whole processes, memory is the largest resident set of one. Each figure
stands beside a floor from the same run: the ratio carries over to another machine, the seconds
do not.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from history.classify import classify_answer
from history.journal import Journal

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


def judge(folder: Path, operations: int, runs: int) -> None:
    """Print what judging a history costs, from Parquet and from CSV, beside reading it."""
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


def per_operation(run: Callable[[int], None], count: int, runs: int) -> float:
    """Give the median nanoseconds of one of `count` operations."""
    samples = []
    for _ in range(runs):
        started = time.perf_counter_ns()
        run(count)
        samples.append((time.perf_counter_ns() - started) / count)
    return statistics.median(samples)


def recording(folder: Path, runs: int) -> None:
    """Print what journalling one operation costs, beside keeping it in memory only."""
    seen = classify_answer(200, b"123456")
    journals = iter(range(1_000))

    def journalled(count: int) -> None:
        path = folder / f"{next(journals)}.journal"
        with Journal(path, process="bench", source="bench") as journal:
            for _ in range(count):
                journal.complete(journal.begin(0), seen, 200)
        path.unlink()

    def in_memory(count: int) -> None:
        kept = []
        for worker in range(count):
            start = time.monotonic_ns()
            kept.append((worker, start, time.monotonic_ns(), seen, 200))

    count = 300_000
    ours, floor = per_operation(journalled, count, runs), per_operation(in_memory, count, runs)
    print(f"recording, {count:,} operations, median of {runs}")
    print(
        f"  journal (sent + answered) {ours:5.0f} ns   list.append in memory {floor:5.0f} ns, "
        f"ratio {ours / floor:.1f}"
    )


def main() -> None:
    """Run every measurement."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--operations", type=int, default=1_000_000, help="[default: %(default)s]")
    parser.add_argument("--runs", type=int, default=5, help="[default: %(default)s]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        judge(Path(name), options.operations, options.runs)
        recording(Path(name), options.runs)


if __name__ == "__main__":
    main()
