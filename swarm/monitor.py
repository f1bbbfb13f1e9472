"""The swarm's own health, sampled while it sends: how late its loop is, what CPU it uses."""

import asyncio
import time

from history.errors import UserError
from history.gate import LoadWindow
from history.health import PROBE_NS, SAMPLE_NS, HealthLog, HealthMeter
from swarm.alarm import Alarm
from swarm.load import Load


class Monitor:
    """Probes the loop that sends, and appends a sample of each interval to a log."""

    def __init__(self, load: Load, log: HealthLog, process: str) -> None:
        self._load = load
        self._log = log
        self._process = process
        self._alarm = Alarm(asyncio.get_running_loop(), self._ring)

    def start(self, window: LoadWindow) -> None:
        """Begin with the load."""
        self._due_ns = window.start_ns
        self._sample_at_ns = window.start_ns + SAMPLE_NS
        self._meter = HealthMeter(
            self._process, now_ns=time.monotonic_ns(), cpu_ns=time.process_time_ns()
        )
        self._alarm.set(self._due_ns)

    def close(self) -> None:
        """Take a last sample, and no more."""
        self._alarm.close()
        self._sample(time.monotonic_ns())

    def _ring(self) -> None:
        now_ns = time.monotonic_ns()
        self._meter.probe(now_ns - self._due_ns)
        if now_ns >= self._sample_at_ns:
            self._sample(now_ns)
            self._sample_at_ns = now_ns + SAMPLE_NS
        self._due_ns = now_ns + PROBE_NS
        self._alarm.set(self._due_ns)

    def _sample(self, now_ns: int) -> None:
        load = self._load
        sample = self._meter.sample(
            now_ns=now_ns,
            cpu_ns=time.process_time_ns(),
            in_flight=load.in_flight,
            queued=load.queued(now_ns),
            connections=len(load.clients),
        )
        try:
            self._log.append(sample)
        except UserError as error:
            load.fail(error)
