"""What Locust is told: its command line, its environment, the names of its processes."""

import sys
from pathlib import Path

from history.manifest import Load
from history.shape import BURST, volley_interval_ns
from runner.options import LoadOptions

SOURCE = "locust"
MASTER = "locust-master"
"""Tells the workers how many users to run; it sends nothing and records nothing."""

_CONNECT_S = 60


def names(load: Load) -> list[str]:
    """Name the processes that send, as they name their journals."""
    return [f"{SOURCE}-{index}" for index in range(load.locust_processes)]


def workers(load: Load) -> dict[str, list[str]]:
    """Name the processes that the master forks, by its name."""
    return {MASTER: names(load)} if load.locust_processes > 1 else {}


def planned(options: LoadOptions, *, url: str, report: Path) -> dict[str, tuple[str, list[str]]]:
    """Give the source and command line of the process to start, by its name."""
    load, page = options.load, options.page
    command = [sys.executable, "-m", "locust", "-f", "locustfiles/counter.py"]
    if page is None:
        command += ["--headless", "--users", str(load.users)]
        command += ["--spawn-rate", str(load.spawn_rate_per_s), "--only-summary"]
    else:
        command += ["--web-host", page.host, "--web-port", str(page.port)]
        command += ["--users", str(page.users), "--spawn-rate", str(page.spawn_rate_per_s)]
    command += ["--host", url, "--html", str(report)]
    command += ["--stop-timeout", str(_stop_timeout_s(load)), "--exit-code-on-error", "0"]
    command += ["--loglevel", "WARNING"]
    if load.locust_processes > 1:
        command += ["--processes", str(load.locust_processes)]
        command += ["--expect-workers-max-wait", str(_CONNECT_S)]
        return {MASTER: (SOURCE, command)}
    return {names(load)[0]: (SOURCE, command)}


def variables(options: LoadOptions) -> dict[str, str]:
    """Give what Locust's users read from the environment of what the load is."""
    load = options.load
    volley_ns = (
        volley_interval_ns(connections=load.connections, rate_per_s=load.rate_per_s)
        if load.shape == BURST
        else 0
    )
    return {
        "GAPLESS_SHAPE": load.shape,
        "GAPLESS_VOLLEY_NS": str(volley_ns),
        "GAPLESS_DECREMENTS": str(load.decrements),
        "GAPLESS_SEED": str(options.seed),
        # A worker whose users have all stopped waits that time-out once more, and meanwhile a test
        # that is started in the page finds nobody. Locust adds this to it.
        "LOCUST_WORKER_ADDITIONAL_WAIT_BEFORE_READY_AFTER_STOP": str(-_stop_timeout_s(load)),
    }


def _stop_timeout_s(load: Load) -> int:
    """Give how long users that stop may wait for their last answers: longer than these take."""
    return int(load.timeout_s) + 1
