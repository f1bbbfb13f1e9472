"""What recording one operation costs, beside keeping it in memory only."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.machine import Conditions
from bench.tables import Table
from history.classify import Classified, classify_answer
from history.journal import Journal

COUNT = 300_000
TARGET_NS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Nanoseconds of one operation: on the clock, and of CPU."""

    wall_ns: float
    cpu_ns: float


def per_operation(run: Callable[[int], None], count: int) -> Spent:
    """Time one of `count` operations."""
    wall_ns, cpu_ns = time.perf_counter_ns(), time.process_time_ns()
    run(count)
    return Spent(
        wall_ns=(time.perf_counter_ns() - wall_ns) / count,
        cpu_ns=(time.process_time_ns() - cpu_ns) / count,
    )


def recording(runs: int) -> Table:
    """Measure what journalling one operation costs, beside keeping it in memory only."""
    seen = classify_answer(200, b"123456")
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "journal: sent, then answered": journalling(Path(folder), seen),
            "list.append, in memory only": appending(seen),
        }
        conditions = Conditions()
        spent: dict[str, list[Spent]] = {name: [] for name in ways}
        for _ in range(runs):
            conditions.sample()
            for name, way in ways.items():
                spent[name].append(per_operation(way, COUNT))
        return table(spent, conditions=conditions.notes())


def journalling(folder: Path, seen: Classified) -> Callable[[int], None]:
    """Give a way to record: a journal of its own each time, removed again."""

    def paths() -> Iterator[Path]:
        index = 0
        while True:
            yield folder / f"{index}.journal"
            index += 1

    fresh = paths()

    def journalled(count: int) -> None:
        path = next(fresh)
        with Journal(path, process="bench", source="bench") as journal:
            for _ in range(count):
                journal.complete(journal.begin(0), seen, 200)
        path.unlink()

    return journalled


def appending(seen: Classified) -> Callable[[int], None]:
    """Give the floor: the same figures in a list, gone with the process."""

    def in_memory(count: int) -> None:
        kept = []
        for worker in range(count):
            start = time.monotonic_ns()
            kept.append((worker, start, time.monotonic_ns(), seen, 200))

    return in_memory


def table(spent: dict[str, list[Spent]], *, conditions: tuple[str, ...]) -> Table:
    """Set the journal beside its floor; medians of the runs, the target on the journal's row."""
    runs = len(next(iter(spent.values())))
    rows: list[tuple[str, ...]] = []
    for name, each in spent.items():
        wall_ns = statistics.median(one.wall_ns for one in each)
        cpu_ns = statistics.median(one.cpu_ns for one in each)
        target = "" if rows else f"< {TARGET_NS:,}: {'kept' if cpu_ns < TARGET_NS else 'missed'}"
        rows.append((name, f"{wall_ns:,.0f}", f"{cpu_ns:,.0f}", target))
    return Table(
        title=f"Recording, ns an operation, {COUNT:,} operations, medians of {runs}",
        columns=("kept in", "time", "CPU", "target, CPU"),
        rows=tuple(rows),
        words=frozenset({"kept in", "target, CPU"}),
        notes=conditions,
    )
