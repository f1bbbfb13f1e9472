"""Locust as one process: what ends it, beside the runner."""

from tests.locustfiles.conftest import Load, free_port, paced


def test_health_that_cannot_be_recorded_ends_it_in_order(load_of: type[Load]) -> None:
    with paced() as server:
        load = load_of(server.url, USERS="4", SPAWN_RATE="100")
        load.start(["-m", "tests.full_disk", "ENOSPC", "locust-0.health", "locust"])
        load.open()
        states = load.ended()  # nobody closed a gate
        received = server.received
    assert states["locust-0"].startswith("died with exit code 2 (gapless: the health record ")
    assert "cannot be written (No space left on device)" in states["locust-0"]
    records = load.records("locust-0")
    assert records.closed_records == len(load.answered("locust-0")) == received > 0


def test_a_page_in_which_nothing_was_started_ends_in_order(load_of: type[Load]) -> None:
    with free_port() as port, paced() as server:
        load = load_of(server.url, LOCUST_UI_PORT=str(port))
        load.start()
        load.open()
        load.close()
        assert load.ended() == {"locust-0": "ended"}
        assert server.received == 0
    assert load.records("locust-0").closed_records == 0
    assert load.report.is_file()


def test_a_mistake_of_ours_ends_it_aloud(load_of: type[Load]) -> None:
    with paced() as server:
        load = load_of(server.url, USERS="2")
        load.start(["-m", "tests.locustfiles.mistaken"])
        load.open()
        states = load.ended()  # nobody closed a gate
        assert server.received == 0
    said = "gapless: a mistake of ours: KeyError(False)"
    assert states == {"locust-0": f"died with exit code 2 ({said})"}
