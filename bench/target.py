"""How fast the local target serves, and where its time goes, beside floors from the same run.

wrk with 50 connections and the server share the machine's cores, as a load test and its target do.
Each round loads, one after the other on the same cores: our HTTP server with a constant answer (the
floor of any server written so), the gateway with a database that answers a constant, and the whole
local cloud with each engine that is installed. CPU and memory are of the cloud's own process.
"""

import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.machine import STOLEN_MAX, process_cpu_s, stolen_s
from bench.tools import WRK
from deploy.cloud import Cloud
from deploy.counter import read_counter
from deploy.creation import create_stack
from deploy.local.engines.choice import DYNALITE, MINISTACK, EngineChoice
from deploy.local.engines.dynalite_program import require_installed
from deploy.local.lifecycle import private_cloud
from deploy.local.options import CloudOptions
from deploy.local.process import ROOT
from deploy.probe import send
from history.errors import UserError

CONNECTIONS = 50
WARM_UP_S = 2
LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)\s*$", re.MULTILINE)
LENGTH = re.compile(r"^\s*\d+ requests in ([\d.]+)(us|ms|s|m)", re.MULTILINE)
UNIT_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of wrk saw, and what it cost the server."""

    requests: int
    rate_per_s: float
    latency_ms_p50: float
    latency_ms_p99: float
    cpu_us: float
    """Of the server's process, for one request."""
    resident_mb: float
    ready_s: float = 0.0
    """From the start of the process to its first answer; the stack's deployment not included."""


def wrk(url: str, seconds: int) -> tuple[int, float, dict[str, float]]:
    """Load a URL; give requests answered, requests/s, and latency in ms by percentile."""
    command = [*WRK.command(url, seconds, CONNECTIONS), "--latency"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    count = WRK.read(out)
    length, unit = LENGTH.search(out).groups()  # type: ignore[union-attr]
    latency = {name: float(value) * UNIT_MS[u] for name, value, u in LATENCY.findall(out)}
    if set(latency) != {"50", "99"}:
        raise UserError(f"wrk's output was not understood: {' '.join(out.split())}")
    return count, count / (float(length) * UNIT_MS[unit] / 1000), latency


def loaded(url: str, pid: int, seconds: int, *, ready_s: float = 0.0) -> Load:
    """Load a server, warmed up, and weigh its process."""
    wrk(url, WARM_UP_S)
    before_s = process_cpu_s(pid)
    requests, rate_per_s, latency = wrk(url, seconds)
    return Load(
        requests=requests,
        rate_per_s=rate_per_s,
        latency_ms_p50=latency["50"],
        latency_ms_p99=latency["99"],
        cpu_us=(process_cpu_s(pid) - before_s) / requests * 1e6,
        resident_mb=resident_mb(pid),
        ready_s=ready_s,
    )


def resident_mb(pid: int) -> float:
    """Read the memory a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


@contextmanager
def floor(name: str) -> Iterator[tuple[str, int]]:
    """Run one of the floors in a process of its own; give its URL and process id."""
    command = [sys.executable, "-m", "bench.floors", name]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"], process.pid
        finally:
            process.terminate()


def http_load(seconds: int) -> Load:
    """Load our HTTP server with a constant answer."""
    with floor("http") as (url, pid):
        return loaded(url, pid, seconds)


def gateway_load(seconds: int) -> Load:
    """Load the gateway with the counter's API and a database that answers a constant."""
    with floor("gateway") as (endpoint_url, pid):
        cloud = Cloud(region="us-east-1", endpoint_url=endpoint_url)
        stack = create_stack(cloud, name="bench", parameters={}, say=lambda _line: None)
        return loaded(stack.url, pid, seconds)


def update_us() -> float:
    """Give the CPU microseconds of one UpdateItem in the engine alone."""
    command = [sys.executable, "-m", "bench.floors", "update"]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)


def cloud_load(options: CloudOptions, seconds: int) -> Load:
    """Load the counter of a whole local cloud; its final value must account for every answer."""
    started = time.perf_counter()
    with private_cloud(options=options) as local:
        ready_s = time.perf_counter() - started
        cloud = Cloud(region="us-east-1", endpoint_url=local.endpoint_url)
        stack = create_stack(cloud, name="bench", parameters={}, say=lambda _line: None)
        send("PUT", stack.url)
        load = loaded(stack.url, local.pid, seconds, ready_s=ready_s)
        counted = read_counter(cloud, stack) - 1
        assert counted >= load.requests, "more answers than increments"
        return load


def require_wrk() -> None:
    """Raise UserError unless the client is there."""
    if shutil.which(WRK.name) is None:
        raise UserError(
            "the local target is measured with wrk, which is not there: apt-get install wrk, or "
            "measure the rest with python -m bench judge recording clients lag burst"
        )


def target(runs: int, seconds: int) -> None:
    """Print the local target's figures beside its floors; medians of rounds that alternate."""
    engines = [MINISTACK, *([DYNALITE] if dynalite_is_installed() else [])]
    measured: dict[str, list[Load]] = {}
    updates_us = []
    started, stolen_before_s = time.perf_counter(), stolen_s()
    for _ in range(runs):
        measured.setdefault("HTTP, constant answer", []).append(http_load(seconds))
        measured.setdefault("+ gateway", []).append(gateway_load(seconds))
        for engine in engines:
            options = CloudOptions(engine=EngineChoice(name=engine))
            name = "+ MiniStack: the cloud" if engine == MINISTACK else f"the cloud on {engine}"
            measured.setdefault(name, []).append(cloud_load(options, seconds))
        updates_us.append(update_us())
    taken = (stolen_s() - stolen_before_s) / (time.perf_counter() - started)
    print(
        f"local target: wrk, {CONNECTIONS} connections, {seconds} s, on the same cores; medians of "
        f"{runs} (least to most)"
    )
    print(f"  {'':<24}{'GET/s':>22}{'p50':>10}{'p99':>10}{'CPU a GET':>11}{'RSS':>8}{'ready':>9}")
    for name, loads in measured.items():
        print(line(name, loads))
    update = statistics.median(updates_us)
    print(
        f"  one UpdateItem in MiniStack alone: {update:.0f} us of CPU, so at most "
        f"{1e6 / update:,.0f} a second on one core"
    )
    if taken > STOLEN_MAX:
        print(f"  doubtful: other machines took {taken:.1%} of a core from this one meanwhile")


def dynalite_is_installed() -> bool:
    """Whether there is a second engine to measure."""
    try:
        require_installed()
    except UserError as error:
        print(f"not measured: {error}")
        return False
    return True


def line(name: str, loads: list[Load]) -> str:
    """Write one server's medians."""

    def median(field: str) -> float:
        return statistics.median(getattr(load, field) for load in loads)

    rates = [load.rate_per_s for load in loads]
    ready = f"{median('ready_s'):5.2f} s" if median("ready_s") else ""
    spread = f"({min(rates):,.0f} to {max(rates):,.0f})"
    return (
        f"  {name:<24}{statistics.median(rates):7,.0f} {spread:<16}"
        f"{median('latency_ms_p50'):6.1f} ms {median('latency_ms_p99'):6.1f} ms"
        f" {median('cpu_us'):7.0f} us {median('resident_mb'):4.0f} MB {ready:>8}"
    )
