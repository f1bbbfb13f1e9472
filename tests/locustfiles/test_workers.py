"""Locust with `--processes`: several workers that record, one master that does not."""

import signal

import numpy as np
import pytest

from history.errors import UserError
from history.health import SAMPLE_NS, read_logs
from runner import locust
from tests.locustfiles.conftest import Load, paced

ENDED = "ended"
MASTER = locust.MASTER


def test_workers_share_the_users_and_record_for_themselves(load_of: type[Load]) -> None:
    with paced() as server:
        load = load_of(server.url, USERS="7", SPAWN_RATE="100", LOCUST_PROCESSES="2")
        load.start()
        assert server.received == 0
        window = load.open()
        for name in ("locust-0", "locust-1"):
            load.until_sent(name, 100)
        load.close()
        assert load.ended() == {MASTER: ENDED, "locust-0": ENDED, "locust-1": ENDED}
        received = server.received
    slots = [load.answered("locust-0"), load.answered("locust-1")]
    assert sorted(len(np.unique(own["worker"])) for own in slots) == [3, 4]
    assert all(np.unique(own["worker"])[-1] < len(np.unique(own["worker"])) for own in slots)
    together = np.concatenate(slots)
    assert together["start_ns"].min() >= window.start_ns
    assert sorted(together["value"]) == list(range(1, received + 1))
    assert [load.records(f"locust-{i}").closed_records for i in (0, 1)] == [len(s) for s in slots]
    # Not one request is missing from Locust's own report, which the master writes.
    assert f'"num_requests": {received}' in load.report.read_text()
    assert sorted(path.name for path in load.journals.iterdir()) == [
        "locust-0.health",
        "locust-0.journal",
        "locust-1.health",
        "locust-1.journal",
    ]
    samples = read_logs(load.journals)
    assert {sample.process for sample in samples} <= {"locust-0", "locust-1"}
    assert all(sample.interval_ns >= SAMPLE_NS for sample in samples)


def test_a_killed_worker_and_a_killed_master_are_told_apart(load_of: type[Load]) -> None:
    with paced() as server:
        load = load_of(server.url, USERS="6", SPAWN_RATE="100", LOCUST_PROCESSES="3")
        load.start()
        load.open()
        load.until_sent("locust-2", 50)
        load.process("locust-2").send_signal(signal.SIGKILL)
        load.until_sent("locust-0", 50)  # which goes on without it, and so does
        load.until_sent("locust-1", 50)
        load.left[0].send_signal(signal.SIGKILL)
        states = load.ended()  # nobody closed a gate: the workers end by themselves
        value = server.value
    killed = "locust-master was killed by SIGKILL"
    assert states == {
        MASTER: "was killed by SIGKILL",
        "locust-0": f"was stopped: {killed}",
        "locust-1": f"was stopped: {killed}",
        "locust-2": "was killed or died",
    }
    assert load.records("locust-0").closed_records == len(load.answered("locust-0"))
    assert load.records("locust-2").closed_records is None
    slots = np.concatenate([load.records(f"locust-{i}").slots for i in range(3)])
    answered = int((slots["outcome"] == 1).sum())
    # Each of the two users of the killed one may have had a request in flight.
    assert answered <= value <= answered + 2
    assert len(slots) <= answered + 2


def test_nothing_is_sent_when_the_gates_close_before_they_open(load_of: type[Load]) -> None:
    with paced() as server:
        load = load_of(server.url, USERS="4", LOCUST_PROCESSES="2")
        load.start()
        load.close()
        load.ended()
        assert server.received == 0


def test_a_worker_that_cannot_record_stops_all_of_locust(load_of: type[Load]) -> None:
    with paced() as server:
        load = load_of(server.url, USERS="4", SPAWN_RATE="100", LOCUST_PROCESSES="2")
        load.start(["-m", "tests.full_disk", "ENOSPC", "locust-1.journal", "locust"])
        load.open()
        states = load.ended()  # nobody closed a gate
        value = server.value
    said = "(gapless: the journal "
    assert states[MASTER].startswith(f"died with exit code 2 {said}")
    assert states["locust-0"].startswith(f"was stopped: {MASTER} died with exit code 2 {said}")
    assert states["locust-1"].startswith(f"was killed or died {said}")
    assert f"{load.journals}/locust-1.journal cannot be written (No space left" in states[MASTER]
    assert len(load.answered("locust-0")) + len(load.answered("locust-1")) == value


def test_a_journal_that_cannot_be_made_is_said_before_anything_is_sent(
    load_of: type[Load],
) -> None:
    with paced() as server:
        load = load_of(server.url, LOCUST_PROCESSES="2")
        (load.journals / "locust-1.journal").write_text("in the way")
        with pytest.raises(UserError, match=r"locust-1 stopped .* gapless: the journal .*exists"):
            load.start()
        assert server.received == 0
