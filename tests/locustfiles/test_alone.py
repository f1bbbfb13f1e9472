"""Locust as one process: what ends it, beside the runner."""

from tests.locustfiles.conftest import Load, paced
from tests.servers import CounterServer


def test_health_that_cannot_be_recorded_ends_it_in_order(load_of: type[Load]) -> None:
    with CounterServer(paced) as server:
        load = load_of(server.url, USERS="4", SPAWN_RATE="100")
        load.start(["-m", "tests.locustfiles.full_disk", "locust-0.health"])
        load.open()
        states = load.ended()  # nobody closed a gate
        received = server.received
    assert states["locust-0"].startswith("died with exit code 2 (gapless: the health record ")
    assert "cannot be written (No space left on device)" in states["locust-0"]
    records = load.records("locust-0")
    assert records.closed_records == len(load.answered("locust-0")) == received > 0
