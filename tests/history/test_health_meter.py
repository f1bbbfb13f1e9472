"""The meter: what a process saw of its own event loop, interval by interval."""

from history.health import HealthMeter, HealthSample


def test_a_sample_tells_of_its_interval_alone() -> None:
    meter = HealthMeter("swarm-0", now_ns=1_000, cpu_ns=50)
    for lag_ns in (30, 10, 20, 900):
        meter.probe(lag_ns)
    first = meter.sample(now_ns=1_500, cpu_ns=90, in_flight=3, queued=2, connections=5)
    assert first == HealthSample(
        process="swarm-0",
        at_ns=1_500,
        interval_ns=500,
        cpu_ns=40,
        loop_lag_ns_p50=20,
        loop_lag_ns_max=900,
        in_flight=3,
        queued=2,
        connections=5,
    )
    meter.probe(7)
    second = meter.sample(now_ns=2_100, cpu_ns=91, in_flight=0, queued=0, connections=5)
    assert (second.interval_ns, second.cpu_ns) == (600, 1)
    assert (second.loop_lag_ns_p50, second.loop_lag_ns_max) == (7, 7)


def test_an_interval_without_a_probe_saw_no_lag() -> None:
    meter = HealthMeter("locust-0", now_ns=0, cpu_ns=0)
    sample = meter.sample(now_ns=5, cpu_ns=0, in_flight=0, queued=0, connections=0)
    assert (sample.loop_lag_ns_p50, sample.loop_lag_ns_max) == (0, 0)


def test_a_timer_that_fires_early_is_not_late() -> None:
    meter = HealthMeter("locust-0", now_ns=0, cpu_ns=0)
    meter.probe(-1_000_000)
    sample = meter.sample(now_ns=5, cpu_ns=0, in_flight=0, queued=0, connections=0)
    assert (sample.loop_lag_ns_p50, sample.loop_lag_ns_max) == (0, 0)
