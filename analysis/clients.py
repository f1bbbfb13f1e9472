"""How each generator process fared: did requests wait for the counter, or for the client? Pure.

An answer that has come waits until the event loop of its client gets round to it, and from its
record alone that wait looks like the counter's own time. The health samples tell them apart: a
probe that is due waits in the same queue as the answers do, so it is as late as they are.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.overlap import concurrency, open_time
from analysis.peak import highest_parts
from analysis.run import Run
from analysis.sent import RUNNER, Requests, requests_of
from analysis.stretch import Int64s
from history.health import HealthSample
from history.manifest import Load, Manifest
from history.shape import parse_shape

SLOW_SHARE = 0.25
"""From here on as much of a request's time is the client's own as the counter's: a probe is one
turn of the loop late, an answer may take two (aiohttp: to be read, and to wake who asked)."""

MIN_SAMPLES = 3
"""With fewer samples of a part of the load, a process is judged by the whole of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a process's samples say of the load; CPU shares are of one core."""

    cpu_share_mean: float
    cpu_share_max: float
    loop_lag_ns_p50: int
    loop_lag_ns_max: int
    connections_peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How an open loop kept its schedule: start - intended over its requests.

    `own_lag_ns_p50` counts of each wait the share of the connections that were free meanwhile:
    that part is the client's own doing, the rest the server's, who held the others.
    `queued_peak` is the most requests that were due and unsent at once; what share of the
    connections that the process may open was busy in the load's last tenth, `busy_at_end`, says
    why the last of them were never sent.
    """

    lag_ns_p50: int
    lag_ns_p99: int
    lag_ns_max: int
    own_lag_ns_p50: int
    queued_peak: int
    busy_at_end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One generator process over the load; None where nothing is known or none was sent."""

    process: str
    source: str
    in_flight_mean: float
    in_flight_peak: int
    latency_ns_p50: int | None
    health: Health | None
    schedule: Schedule | None

    @property
    def own_share(self) -> float | None:
        """How late the event loop is, as a share of the latency, both in the median; 0 to 1."""
        if self.health is None or self.latency_ns_p50 is None:
            return None
        return min(1.0, self.health.loop_lag_ns_p50 / max(1, self.latency_ns_p50))

    @property
    def is_slow(self) -> bool:
        """Whether requests wait for this client as much as for the counter."""
        return self.own_share is not None and self.own_share >= SLOW_SHARE

    @property
    def sends_late(self) -> bool:
        """Whether requests are late by the client's own doing, for as long as they then take."""
        if self.schedule is None or self.latency_ns_p50 is None:
            return False
        return self.schedule.own_lag_ns_p50 >= SLOW_SHARE * self.latency_ns_p50

    @property
    def in_client_mean(self) -> float:
        """How many of the requests in flight were, on average, waiting for the client."""
        return (self.own_share or 0.0) * self.in_flight_mean


def clients_of(run: Run) -> tuple[Client, ...]:
    """Describe every generator process of a recorded run, in the manifest's order."""
    manifest = run.manifest
    if manifest is None:
        return ()
    window = _Window.of(run, manifest)
    return tuple(
        window.client(process.process, process.source)
        for process in manifest.processes
        if process.source != RUNNER
    )


def at_peak(run: Run, clients: Sequence[Client]) -> tuple[Client, ...]:
    """Describe the clients of a run as they were where its load was highest.

    Medians over all of a spike's load are of the quiet time around it. Latency, requests in
    flight on average and health are of the peak, wherever a process left enough to judge by.
    """
    manifest = run.manifest
    if manifest is None:
        return tuple(clients)
    shape = parse_shape(manifest.load.shape)
    if shape.is_constant:
        return tuple(clients)
    window = _Window.of(run, manifest)
    # The shape went by the duration that was asked for, also where the load was cut short.
    scale_ns = manifest.load.duration_s * 10**9 or window.last_ns - window.first_ns
    parts = np.array(highest_parts(shape)).reshape(-1, 2)
    spans = window.first_ns + (parts * scale_ns).astype(np.int64)
    return tuple(window.within(spans, client) for client in clients)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """A run's columns, and which rows were sent while the load lasted."""

    run: Run
    load: Load
    samples: Mapping[str, Sequence[HealthSample]]
    first_ns: int
    last_ns: int

    @classmethod
    def of(cls, run: Run, manifest: Manifest) -> "_Window":
        first, last = manifest.load_started_ns, manifest.load_ended_ns
        # A run whose runner was killed knows no window: it lasted as long as its requests.
        first_ns = run.activity.first_start_ns if first is None else first
        last_ns = run.activity.last_start_ns if last is None else last
        samples, partly = defaultdict(list), defaultdict(list)
        for sample in run.health:
            if first_ns <= _middle_ns(sample) <= last_ns:
                samples[sample.process].append(sample)
            elif first_ns < sample.at_ns and sample.at_ns - sample.interval_ns < last_ns:
                partly[sample.process].append(sample)
        return cls(
            run=run,
            load=manifest.load,
            samples=partly | samples,
            first_ns=first_ns,
            last_ns=last_ns,
        )

    def _sent(self, process: str) -> Requests:
        """Give what a process sent while the load lasted, without rows that say nothing."""
        own = requests_of(self.run.record, process)
        during = (own.start >= self.first_ns) & (own.start <= self.last_ns) & own.consistent
        return Requests(*(getattr(own, name)[during] for name in Requests.__slots__))

    def client(self, process: str, source: str) -> Client:
        sent = self._sent(process)
        answered = np.flatnonzero(sent.ok)
        start, end = sent.start[answered], sent.end[answered]
        measured = concurrency(start, end)
        return Client(
            process=process,
            source=source,
            in_flight_mean=measured.in_flight_mean,
            in_flight_peak=measured.in_flight_peak,
            latency_ns_p50=_percentile(end - start, 0.5) if len(answered) else None,
            health=_health(self.samples[process]) if process in self.samples else None,
            schedule=self._schedule(sent, _own_connections_max(self.load, source)),
        )

    def within(self, spans: Int64s, client: Client) -> Client:
        """Give the client as it was within some spans (first, last; ns) of the window."""
        sent = self._sent(client.process)
        own_start, own_end = sent.start[sent.ok], sent.end[sent.ok]
        answered = _within(spans, own_start)
        samples = self.samples.get(client.process, ())
        middles = np.array([_middle_ns(sample) for sample in samples], dtype=np.int64)
        some = [s for s, inside in zip(samples, _within(spans, middles), strict=True) if inside]
        if len(some) < MIN_SAMPLES or not answered.any():
            return client
        at = self._elapsed(spans.ravel())
        busy = open_time(self._elapsed(own_start), self._elapsed(own_end), at)
        return dataclasses.replace(
            client,
            in_flight_mean=float((busy[1::2] - busy[::2]).sum() / (at[1::2] - at[::2]).sum()),
            latency_ns_p50=_percentile((own_end - own_start)[answered], 0.5),
            health=_health(some),
        )

    def _schedule(self, own: Requests, allowed: int) -> Schedule | None:
        rows = np.flatnonzero(own.scheduled)
        if not len(rows):
            return None
        rows = rows[np.argsort(own.intended[rows], kind="stable")]
        intended, start = own.intended[rows], own.start[rows]
        lag = np.maximum(start - intended, 0)
        length_ns = max(1, self.last_ns - self.first_ns)
        tenth_ns = max(1, length_ns // 10)
        tenth = np.array([length_ns - tenth_ns, length_ns])
        times = [self._elapsed(intended), self._elapsed(start), tenth]
        sent, over = self._elapsed(own.start), self._elapsed(own.end)
        busy = open_time(sent, over, np.concatenate(times))
        busy_meanwhile = busy[len(rows) : -2] - busy[: len(rows)]
        return Schedule(
            lag_ns_p50=_percentile(lag, 0.5),
            lag_ns_p99=_percentile(lag, 0.99),
            lag_ns_max=int(lag.max()),
            own_lag_ns_p50=_percentile(np.maximum(lag - busy_meanwhile / allowed, 0), 0.5),
            queued_peak=concurrency(intended, intended + lag).in_flight_peak,
            busy_at_end=float(busy[-1] - busy[-2]) / tenth_ns / allowed,
        )

    def _elapsed(self, times: Int64s) -> Int64s:
        return times - self.first_ns


def _middle_ns(sample: HealthSample) -> int:
    return sample.at_ns - sample.interval_ns // 2


def _within(spans: Int64s, times: Int64s) -> npt.NDArray[np.bool_]:
    inside = np.zeros(len(times), dtype=bool)
    for first, last in spans:
        inside |= (times >= first) & (times < last)
    return inside


def _own_connections_max(load: Load, source: str) -> int:
    """Give how many connections each process of a generator may have open, at least."""
    if source == "swarm":
        of, processes = max(load.connections, load.connections_max), load.processes
    else:
        of, processes = load.users, load.locust_processes
    return max(1, of // max(1, processes))


def _health(samples: Sequence[HealthSample]) -> Health:
    shares = [sample.cpu_ns / max(1, sample.interval_ns) for sample in samples]
    length_ns = max(1, sum(sample.interval_ns for sample in samples))
    return Health(
        cpu_share_mean=sum(sample.cpu_ns for sample in samples) / length_ns,
        cpu_share_max=max(shares),
        loop_lag_ns_p50=_percentile(np.array([s.loop_lag_ns_p50 for s in samples]), 0.5),
        loop_lag_ns_max=max(sample.loop_lag_ns_max for sample in samples),
        connections_peak=max(sample.connections for sample in samples),
    )


def _percentile(values: Int64s, share: float) -> int:
    """Give the smallest value that at least this share of the values do not exceed."""
    return int(np.quantile(values, share, method="inverted_cdf"))
