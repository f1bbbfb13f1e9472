"""How this Locust process itself fares, twice a second: a late event loop delays every user."""

import time
from collections.abc import Callable
from typing import NoReturn

import gevent

from history.health import PROBE_NS, SAMPLE_NS, HealthMeter
from locustfiles.recording import Recording
from locustfiles.shaping import NS_PER_S


def sample_health(recording: Recording, count_users: Callable[[], int]) -> NoReturn:
    """Append a sample each interval, for ever; the body of a greenlet.

    Raises UserError when the health record cannot be written.
    """
    now_ns = time.monotonic_ns()
    meter = HealthMeter(recording.process, now_ns=now_ns, cpu_ns=time.process_time_ns())
    sample_at_ns = now_ns + SAMPLE_NS
    while True:
        due_ns = time.monotonic_ns() + PROBE_NS
        gevent.sleep(PROBE_NS / NS_PER_S)
        now_ns = time.monotonic_ns()
        meter.probe(now_ns - due_ns)
        if now_ns >= sample_at_ns:
            sample_at_ns = now_ns + SAMPLE_NS
            recording.health.append(
                meter.sample(
                    now_ns=now_ns,
                    cpu_ns=time.process_time_ns(),
                    in_flight=recording.in_flight,
                    queued=0,
                    connections=count_users(),
                )
            )
