"""How the clients themselves fared: samples that tell a slow server from a slow client.

Every generator process appends one line of JSON a half second to `journal/<process>.health`.
Sealing joins them into `health.csv`: one row a sample, in order of process and time. A line cut
off by a kill is left out; a missing file is no trouble here, `exercised` says what it means.
"""

import csv
import dataclasses
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from history.errors import UserError
from history.files import write_text_whole
from history.operation import INT64_MAX

SUFFIX = ".health"
SAMPLE_NS = 500_000_000
PROBE_NS = 20_000_000
"""How often a process looks how late its own event loop is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSample:
    """One process over one interval that ended at `at_ns` (monotonic).

    `cpu_ns` is the CPU time it used, of `interval_ns`. `loop_lag_ns_*` is how late its event
    loop answered a timer: what a request that is due, or an answer that has come, waits for the
    client. `in_flight` requests, open `connections` and due but unsent requests (`queued`) are
    as they were at `at_ns`.
    """

    process: str
    at_ns: int
    interval_ns: int
    cpu_ns: int
    loop_lag_ns_p50: int
    loop_lag_ns_max: int
    in_flight: int
    queued: int
    connections: int


FIELDS = tuple(field.name for field in dataclasses.fields(HealthSample))

MEANINGS: Mapping[str, str] = {
    "process": "the generator process: swarm-0, locust-0",
    "at_ns": "the sample's end, nanoseconds of the host's monotonic clock as in operations.parquet",
    "interval_ns": "how long it covers, up to at_ns",
    "cpu_ns": "CPU time the process used in it",
    "loop_lag_ns_p50": "median lateness of the event loop in it, probed every 20 ms",
    "loop_lag_ns_max": "its longest",
    "in_flight": "requests sent and not yet answered, at at_ns",
    "queued": "requests that were due and not yet sent, at at_ns",
    "connections": "connections or users, at at_ns",
}
"""The columns of health.csv, in order; one row a process and half second."""


class HealthMeter:
    """Gather what one process sees of its own loop, and make a sample of each interval.

    `now_ns` is monotonic, `cpu_ns` the process's own CPU time; the first of each begin the
    first interval.
    """

    def __init__(self, process: str, *, now_ns: int, cpu_ns: int) -> None:
        self._process = process
        self._from_ns = now_ns
        self._from_cpu_ns = cpu_ns
        self._lags_ns: list[int] = []

    def probe(self, lag_ns: int) -> None:
        """Note how late the loop answered a timer; one that fired early was not late."""
        self._lags_ns.append(max(0, lag_ns))

    def sample(
        self, *, now_ns: int, cpu_ns: int, in_flight: int, queued: int, connections: int
    ) -> HealthSample:
        """End the interval at `now_ns` and begin the next one."""
        lags_ns = sorted(self._lags_ns)
        sample = HealthSample(
            process=self._process,
            at_ns=now_ns,
            interval_ns=now_ns - self._from_ns,
            cpu_ns=cpu_ns - self._from_cpu_ns,
            loop_lag_ns_p50=lags_ns[(len(lags_ns) - 1) // 2] if lags_ns else 0,
            loop_lag_ns_max=lags_ns[-1] if lags_ns else 0,
            in_flight=in_flight,
            queued=queued,
            connections=connections,
        )
        self._from_ns, self._from_cpu_ns = now_ns, cpu_ns
        self._lags_ns.clear()
        return sample


class HealthLog:
    """Append samples to one process's file; a line is in the page cache once written.

    Raises UserError where the file cannot be made or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except OSError as error:
            raise self._unwritable(error) from error

    def append(self, sample: HealthSample) -> None:
        """Write one sample."""
        line = json.dumps(dataclasses.asdict(sample)).encode() + b"\n"
        try:
            while line:  # a disk that is about to be full takes a part of it
                line = line[os.write(self._fd, line) :]
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(
            f"the health record {self._path} cannot be written ({error.strerror}): the load was "
            "stopped and what was recorded is kept; make room or choose another folder, then run "
            "again"
        )


def read_logs(folder: Path) -> list[HealthSample]:
    """Read every process's samples; lines that are not whole are left out."""
    samples = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        for line in path.read_bytes().splitlines():
            sample = _sample(line)
            if sample is not None:
                samples.append(sample)
    return samples


def _sample(line: bytes) -> HealthSample | None:
    try:
        found = json.loads(line)
        return _checked(found) if isinstance(found, dict) else None
    except (ValueError, TypeError):
        return None


def _checked(found: dict[str, object]) -> HealthSample:
    numbers = {name: int(str(found[name])) for name in FIELDS[1:] if name in found}
    if "surplus" in found or not all(0 <= number <= INT64_MAX for number in numbers.values()):
        raise ValueError(numbers)
    return HealthSample(process=str(found.get("process", "")), **numbers)


def write_health(samples: Iterable[HealthSample], path: Path) -> None:
    """Write samples as CSV, whole or not at all; raises UserError when the disk is full."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(dataclasses.astuple(sample) for sample in samples)
    write_text_whole(path, text.getvalue())


def read_health(path: Path) -> Sequence[HealthSample]:
    """Read health.csv; a run of before there was one, or a row that is not whole, gives none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    samples = []
    for row in csv.DictReader(io.StringIO(text), restkey="surplus"):
        try:
            samples.append(_checked(dict(row)))
        except (ValueError, TypeError):
            continue
    return tuple(samples)
