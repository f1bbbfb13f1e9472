"""The machine that is measured on: what it is, how fast, and who else used it meanwhile."""

import contextlib
import os
import platform
import resource
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from runner.provenance import utc_now

STOLEN_MAX = 0.02
OTHERS_MAX = 0.1
SPREAD_MAX = 0.2
LOOP_TURNS = 500_000


def stolen_s() -> float:
    """Read the CPU seconds that the host gave to other machines, over all cores (proc(5))."""
    return _cpu_s(8, 9)


def busy_s() -> float:
    """Read the CPU seconds that all processes of this machine have used (proc(5)).

    Interrupts are not in it: they are nobody's, and the load's own packets raise most of them.
    """
    return _cpu_s(1, 4)


def _cpu_s(first: int, end: int) -> float:
    fields = Path("/proc/stat").read_text().splitlines()[0].split()
    return sum(map(int, fields[first:end])) / os.sysconf("SC_CLK_TCK")


def own_s() -> float:
    """Read the CPU seconds of this process and of all that it has started and waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def process_cpu_s(pid: int) -> float:
    """Read the CPU seconds a process has used, in user and in kernel mode (proc(5))."""
    return _ticks(pid, 11, 13) / os.sysconf("SC_CLK_TCK")


def tree_cpu_s(pid: int) -> float:
    """Read the CPU seconds of a process and of all that descend from it, gone or alive."""
    ticks = 0
    following = [pid]
    while following:
        each = following.pop()
        with contextlib.suppress(OSError):  # gone between two reads: its parent has its time
            for children in Path(f"/proc/{each}/task").glob("*/children"):
                following += map(int, children.read_text().split())
            ticks += _ticks(each, 11, 15)
    return ticks / os.sysconf("SC_CLK_TCK")


def is_alive(pid: int) -> bool:
    """Whether a child of ours has not ended; one that has is there until it is waited for."""
    return _stat(pid)[0] != "Z"


def _ticks(pid: int, first: int, end: int) -> int:
    return sum(map(int, _stat(pid)[first:end]))


def _stat(pid: int) -> list[str]:
    """Read the fields of a process from the third on: the second may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def python_loop_ms() -> float:
    """Time a fixed loop of additions: what this machine is worth just now, in CPU milliseconds."""
    started = time.process_time()
    total = 0
    for turn in range(LOOP_TURNS):
        total += turn
    return (time.process_time() - started) * 1000


def described() -> str:
    """Name the processor, its cores, the kernel, the Python and the day."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    cores = len(os.sched_getaffinity(0))
    return (
        f"{model}, {cores} core{'' if cores == 1 else 's'}, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, {utc_now()[:10]}"
    )


@dataclass(slots=True)
class Conditions:
    """What a measurement ran under; `sample` it in every round, and ask at the end."""

    loop_ms: list[float] = field(default_factory=list)
    _started: float = field(default_factory=time.perf_counter)
    _stolen_s: float = field(default_factory=stolen_s)
    _others_s: float = field(default_factory=lambda: busy_s() - own_s())

    def sample(self) -> None:
        """Measure the machine's speed of the moment."""
        self.loop_ms.append(python_loop_ms())

    def notes(self) -> tuple[str, ...]:
        """Say how fast the machine was and who else used it; whether that makes it doubtful.

        Call it once all that was started has been waited for.
        """
        elapsed_s = time.perf_counter() - self._started
        stolen = (stolen_s() - self._stolen_s) / elapsed_s
        others = max(0.0, busy_s() - own_s() - self._others_s) / elapsed_s
        return condition_notes(self.loop_ms, stolen=stolen, others=others)


def condition_notes(loop_ms: list[float], *, stolen: float, others: float) -> tuple[str, ...]:
    """Put the conditions of a measurement in words; shares are of one core."""
    speed = statistics.median(loop_ms)
    least, most = min(loop_ms), max(loop_ms)
    said = (
        f"Machine: {LOOP_TURNS:,} additions in Python took {speed:.0f} ms of CPU ({least:.0f} to "
        f"{most:.0f}); other machines took {stolen:.1%} of a core from this one, other processes "
        f"{others:.1%}."
    )
    reasons = [
        *(["CPU was stolen"] if stolen > STOLEN_MAX else []),
        *(["other processes ran"] if others > OTHERS_MAX else []),
        *(["the machine's speed changed"] if most > least * (1 + SPREAD_MAX) else []),
    ]
    if not reasons:
        return (said,)
    return (said, f"Doubtful: {', '.join(reasons)}; run it again when the machine is quiet.")
