"""What recording one operation costs, beside keeping it in memory only."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from history.classify import classify_answer
from history.journal import Journal

COUNT = 300_000


def per_operation(run: Callable[[int], None], count: int, runs: int) -> float:
    """Give the median nanoseconds of one of `count` operations."""
    samples = []
    for _ in range(runs):
        started = time.perf_counter_ns()
        run(count)
        samples.append((time.perf_counter_ns() - started) / count)
    return statistics.median(samples)


def recording(runs: int) -> None:
    """Print what journalling one operation costs, beside keeping it in memory only."""
    with tempfile.TemporaryDirectory() as folder:
        _recording(Path(folder), runs)


def _recording(folder: Path, runs: int) -> None:
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

    ours, floor = per_operation(journalled, COUNT, runs), per_operation(in_memory, COUNT, runs)
    print(f"recording, {COUNT:,} operations, median of {runs}")
    print(
        f"  journal (sent + answered) {ours:5.0f} ns   list.append in memory {floor:5.0f} ns, "
        f"ratio {ours / floor:.1f}"
    )
