"""What judging costs, beside reading the file: python -m bench judge [--operations N...].

Whole processes: starting Python, reading, all checks, the verdict printed. The floor reads the same
columns of the same file, a stretch at a time, and does nothing with them.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.document import write_parts
from bench.histories import HISTORIES, write_history
from bench.machine import described
from bench.tables import Table
from history.errors import UserError
from runner.provenance import REPOSITORY

PAGE = REPOSITORY / "docs" / "judge.md"
GROWTH = REPOSITORY / "docs" / "judge-growth.svg"
SIZES = (1_000_000, 10_000_000)
VERDICTS = {"valid": 0, "duplicate": 1, "swap": 1, "1 % indeterminate": 3}
"""Exit codes: a wrong verdict costs nothing to reach, so it must not be timed."""

ONCE = 100_000_000
"""Histories of so many operations and more are judged once."""

TARGETS_S = {1_000_000: 1.0, 10_000_000: 8.0, 100_000_000: 100.0}
FLOOR_IS = (
    "Reading alone is the floor: a process that decodes the same columns and does nothing else. "
    "Both start Python and import pyarrow."
)
FLOOR = """
import sys, pyarrow.parquet as pq
with pq.ParquetFile(sys.argv[1], read_dictionary=["outcome"]) as file:
    for batch in file.iter_batches(1 << 18): pass
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Median wall and CPU seconds and largest resident MB of a whole process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What judging one history cost, and reading it alone."""

    kind: str
    operations: int
    judging: Cost
    reading: Cost


def once(command: Sequence[str], *, exit_code: int) -> Cost:
    """Run a command. Raises AssertionError when it ends otherwise than with this code."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == exit_code, (command, process.returncode)
    return Cost(
        wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime, peak_mb=usage.ru_maxrss / 1024
    )


def _middle(costs: Sequence[Cost]) -> Cost:
    return Cost(
        wall_s=statistics.median(cost.wall_s for cost in costs),
        cpu_s=statistics.median(cost.cpu_s for cost in costs),
        peak_mb=max(cost.peak_mb for cost in costs),
    )


def measure(kind: str, operations: int, runs: int, folder: Path) -> Judged:
    """Judge a history of HISTORIES and read it, in turns."""
    path = folder / "history.parquet"
    write_history(path, kind, operations)
    judging, reading = [], []
    for _ in range(runs):
        reading.append(once([sys.executable, "-c", FLOOR, str(path)], exit_code=0))
        command = [sys.executable, "-m", "analysis", "verify", str(path)]
        judging.append(once(command, exit_code=VERDICTS[kind]))
    path.unlink()
    return Judged(
        kind=kind, operations=operations, judging=_middle(judging), reading=_middle(reading)
    )


def judge(sizes: Sequence[int], runs: int) -> list[Judged]:
    """Measure every kind of history in every size."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for operations in sizes:
            for kind in HISTORIES:
                one = measure(kind, operations, runs if operations < ONCE else 1, Path(folder))
                results.append(one)
                print(f"  {operations:,} {kind}: {one.judging.wall_s:.2f} s", flush=True)
    return results


def table(results: Sequence[Judged], runs: int) -> Table:
    """Tabulate results."""
    return Table(
        title=f"Judging a history (Parquet, all checks, whole process, median of {runs}; 10^8 "
        "once)",
        columns=(
            *("history", "operations", "judge s", "target s", "read s", "judge / read"),
            *("judge CPU s", "ns CPU / operation", "peak MB"),
        ),
        rows=tuple(_row(one) for one in results),
        words=frozenset({"history"}),
        notes=(FLOOR_IS,),
    )


def _row(one: Judged) -> tuple[str, ...]:
    judging, reading = one.judging, one.reading
    target_s = TARGETS_S.get(one.operations)
    return (
        one.kind,
        f"{one.operations:,}",
        f"{judging.wall_s:.2f}",
        "" if target_s is None else f"{target_s:g}",
        f"{reading.wall_s:.2f}",
        f"{judging.wall_s / reading.wall_s:.1f}",
        f"{judging.cpu_s:.2f}",
        f"{judging.cpu_s / one.operations * 1e9:,.0f}",
        f"{judging.peak_mb:,.0f}",
    )


def draw(results: Sequence[Judged], path: Path) -> None:
    """Draw how judging and reading grow with the number of operations; both axes logarithmic."""
    mpl.rcParams["svg.hashsalt"] = "judge"
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for kind, marker in zip(HISTORIES, "os^D", strict=True):
        own = [one for one in results if one.kind == kind]
        sizes = [one.operations for one in own]
        axes.plot(sizes, [one.judging.wall_s for one in own], marker=marker, label=kind)
    valid = [one for one in results if one.kind == "valid"]
    sizes = [one.operations for one in valid]
    floor = [one.reading.wall_s for one in valid]
    axes.plot(sizes, floor, color="black", linestyle="--", label="reading alone")
    known = [size for size in sizes if size in TARGETS_S]
    targets = [TARGETS_S[size] for size in known]
    axes.plot(known, targets, color="grey", linestyle=":", marker="_", label="target")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="operations in the history",
        ylabel="whole process, seconds",
        title=f"Judging: growth from {min(sizes):,} to {max(sizes):,} operations",
    )
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(path, format="svg", metadata={"Date": None})


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and with --write put table and figure into docs/."""
    parser = argparse.ArgumentParser(
        prog="python -m bench judge",
        description=(__doc__ or "").splitlines()[0],
        epilog="example: python -m bench judge --operations 1e6 1e7 1e8 --write (about 20 minutes)",
    )
    parser.add_argument(
        "--operations",
        nargs="+",
        metavar="N",
        default=[f"{size}" for size in SIZES],
        help="sizes of the histories [default: 1e6 1e7]",
    )
    parser.add_argument("--runs", type=int, default=3, help="of each [default: %(default)s]")
    parser.add_argument("--write", action="store_true", help=f"put the result into {PAGE.name}")
    options = parser.parse_args(arguments)
    try:
        sizes = [int(float(word)) for word in options.operations]
    except ValueError as error:
        raise UserError(f"--operations: expected numbers such as 1e6, found {error}") from error
    print(described(), flush=True)
    results = judge(sizes, options.runs)
    told = table(results, options.runs)
    print(told.text())
    if options.write:
        draw(results, GROWTH)
        write_parts(PAGE, {"bench judge": f"{described()}.\n\n{told.markdown()}"})
    return 0
