"""The live view's thread, on journals that the test writes."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from history.classify import classify_answer
from history.gate import LoadWindow
from history.journal import HEADER_BYTES, Journal
from history.operation import Kind
from history.sealing import SLOT_DTYPE, read_journal
from runner.live import watch
from runner.live.figures import Snapshot
from runner.live.plain import PlainView
from runner.live.watch import LiveView
from tests.patience import PATIENCE_S


class Recorder:
    """A view that keeps what it was shown, and lets the test wait for it."""

    every_s = 0.0

    def __init__(self) -> None:
        self.shown: list[Snapshot] = []
        self.told: list[str] = []
        self.finished: list[Snapshot] = []
        self._changed = threading.Condition()

    def show(self, now: Snapshot) -> None:
        with self._changed:
            self.shown.append(now)
            self._changed.notify_all()

    def tell(self, line: str) -> None:
        self.told.append(line)

    def finish(self, last: Snapshot) -> None:
        self.finished.append(last)

    def until(self, seen: Callable[[Snapshot], bool]) -> Snapshot:
        """Wait until it was shown such a snapshot."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(seen, self.shown)), PATIENCE_S), (
                self.shown[-1:]
            )
            return next(filter(seen, self.shown))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_S", 0.01)


def window(duration_s: int = 3600) -> LoadWindow:
    now_ns = time.monotonic_ns()
    return LoadWindow(start_ns=now_ns, end_ns=now_ns + duration_s * 10**9)


def open_journal(folder: Path, name: str) -> Journal:
    return Journal(folder / f"{name}.journal", process=name, source=name.rpartition("-")[0])


def answered(journal: Journal, worker: int, value: int, kind: Kind = Kind.INCREMENT) -> None:
    slot = journal.begin(worker, kind=kind)
    journal.complete(slot, classify_answer(200, b"%d" % value), 200)


def test_a_load_from_its_begin_to_its_last_answer(tmp_path: Path) -> None:
    view, said = Recorder(), list[str]()
    live = LiveView(tmp_path, base=0, view=view, say=said.append)
    with (
        open_journal(tmp_path, "swarm-0") as swarm,
        open_journal(tmp_path, "locust-0") as locust,
        live,
    ):
        live.begin(window())
        for value in range(1, 101):
            answered(swarm if value % 4 else locust, 3, value)
        waiting = swarm.begin(9)
        now = view.until(lambda now: now.together.ok == 100 and now.together.in_flight == 1)
        assert [one.source for one in now.sources] == ["locust", "swarm"]
        assert [one.ok for one in now.sources] == [25, 75]
        assert (now.ended, now.duration_s, now.violation) == ("", 3600.0, "")
        live.over(time.monotonic_ns(), early=True)
        swarm.complete(waiting, classify_answer(200, b"101"), 200)
    (last,) = view.finished
    assert (last.ended, last.together.ok, last.together.in_flight) == ("stopped early", 101, 0)
    assert (last.duplicates, last.inversions, live.violation, said) == (0, 0, "", [])
    assert last.decrements is None


def test_where_numbers_come_back_none_is_a_violation(tmp_path: Path) -> None:
    view = Recorder()
    with (
        open_journal(tmp_path, "swarm-0") as swarm,
        open_journal(tmp_path, "runner-0") as runner,
        LiveView(tmp_path, base=0, view=view, say=print, mixed=True) as live,
    ):
        live.begin(window())
        answered(runner, 0, 1)
        for _ in range(20):
            answered(swarm, 0, 2)
            answered(swarm, 0, 1, Kind.DECREMENT)
        answered(swarm, 0, 0, Kind.DECREMENT)
        swarm.begin(0, kind=Kind.DECREMENT)
        now = view.until(lambda now: now.together.ok == 41 and now.together.in_flight == 1)
        assert now.decrements == 21
        answered(swarm, 0, -1, Kind.DECREMENT)
    (last,) = view.finished
    assert (last.decrements, last.together.ok, last.together.latency is None) == (22, 42, False)
    assert (last.duplicates, last.inversions, last.violation, live.violation) == (0, 0, "", "")


def test_a_line_is_told_beside_the_figures(tmp_path: Path) -> None:
    view = Recorder()
    with LiveView(tmp_path, base=0, view=view, say=print) as live:
        live.begin(window())
        live.tell("one")
        view.until(lambda _: view.told == ["one"])
        live.tell("two")
    assert view.told == ["one", "two"]


def test_a_line_is_told_without_a_view(tmp_path: Path) -> None:
    said: list[str] = []
    with LiveView(tmp_path, base=0, view=Recorder(), say=said.append) as live:
        live.tell("one")
    assert said == ["one"]


def test_a_load_that_somebody_will_end_has_no_duration(tmp_path: Path) -> None:
    view = Recorder()
    with LiveView(tmp_path, base=0, view=view, say=print) as live:
        live.begin(window(), open_ended=True)
        live.over(time.monotonic_ns(), early=False)
    (last,) = view.finished
    assert (last.ended, last.duration_s) == ("over", 0)


def test_a_duplicate_is_told_with_both_who_were_given_it(tmp_path: Path) -> None:
    view = Recorder()
    live = LiveView(tmp_path, base=0, view=view, say=print)
    with open_journal(tmp_path, "swarm-0") as swarm, open_journal(tmp_path, "locust-0") as locust:
        with live:
            live.begin(window())
            answered(locust, 7, 4711)
            view.until(lambda now: now.together.ok == 1)
            answered(swarm, 3, 4711)
            now = view.until(lambda now: bool(now.violation))
            assert (now.duplicates, now.inversions) == (1, 0)
            answered(swarm, 3, 4711)
        later_ms = (starts(swarm)[0] - starts(locust)[0]) / 1e6
    assert live.violation == (
        f"4711 was returned twice: to locust-0/7, and to swarm-0/3 sent {later_ms:,.3f} ms later"
    )
    assert (view.finished[0].duplicates, view.finished[0].violation) == (2, live.violation)


def test_an_inversion_is_told_with_both(tmp_path: Path) -> None:
    view = Recorder()
    live = LiveView(tmp_path, base=0, view=view, say=print)
    with open_journal(tmp_path, "swarm-0") as swarm, live:
        live.begin(window())
        answered(swarm, 3, 4711)
        answered(swarm, 7, 4700)
        view.until(lambda now: bool(now.violation))
    one, two = read_journal(swarm.path).slots
    earlier_ms = int(two["start_ns"] - one["end_ns"]) / 1e6
    assert live.violation == (
        f"4711 was returned to swarm-0/3 {earlier_ms:,.3f} ms before swarm-0/7 sent the request "
        "that returned 4700"
    )
    assert (view.finished[0].duplicates, view.finished[0].inversions) == (0, 1)


def test_a_violation_whose_other_half_is_out_of_reach_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.live.tail.SEARCHED_SLOTS", 1)
    monkeypatch.setattr("runner.live.tail.READ_SLOTS", 1)
    for name, value, told in (
        ("duplicate", 1, "1 was returned to swarm-0/7, and had been before"),
        ("inversion", 0, "before swarm-0/7 sent the request that returned 0"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        view = Recorder()
        with (
            open_journal(folder, "swarm-0") as swarm,
            LiveView(folder, base=0, view=view, say=print) as live,
        ):
            answered(swarm, 3, 1)
            answered(swarm, 7, value)
            live.begin(window())
            view.until(lambda now: bool(now.violation))
            assert live.violation.endswith(told)


def starts(journal: Journal) -> list[int]:
    """When each request was sent, of a journal that may still be open."""
    slots = np.fromfile(journal.path, dtype=SLOT_DTYPE, offset=HEADER_BYTES, count=len(journal))
    return [int(start_ns) for start_ns in slots["start_ns"]]


@pytest.mark.parametrize("where", ["show", "finish"])
def test_a_view_that_breaks_ends_itself_only(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Snapshot) -> None:
        raise ZeroDivisionError("no such luck")

    view, said = Recorder(), list[str]()
    monkeypatch.setattr(view, where, broken)
    with (
        open_journal(tmp_path, "swarm-0") as swarm,
        LiveView(tmp_path, base=0, view=view, say=said.append) as live,
    ):
        live.begin(window())
        answered(swarm, 1, 1)
        if where == "show":
            live._thread.join(PATIENCE_S)
    assert "".join(said) == (
        "live: the view ended (ZeroDivisionError: no such luck); the load goes on, recorded as "
        "before"
    )
    assert read_journal(swarm.path).slots["value"].tolist() == [1]


def test_a_terminal_that_blocks_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "END_PATIENCE_S", 0.05)
    view, blocked, release = Recorder(), threading.Event(), threading.Event()

    def block(_: Snapshot) -> None:
        blocked.set()
        assert release.wait(PATIENCE_S)

    monkeypatch.setattr(view, "show", block)
    with LiveView(tmp_path, base=0, view=view, say=print) as live:
        live.begin(window())
        assert blocked.wait(PATIENCE_S)
    assert not view.finished
    release.set()
    live._thread.join(PATIENCE_S)
    assert not live._thread.is_alive()


def test_a_load_that_never_began_shows_nothing(tmp_path: Path) -> None:
    view = Recorder()
    with LiveView(tmp_path, base=0, view=view, say=print):
        pass
    assert (view.shown, view.finished) == ([], [])


def test_lines_are_printed_even_for_the_shortest_load(tmp_path: Path) -> None:
    said: list[str] = []
    live = LiveView(tmp_path, base=0, view=PlainView(said.append), say=said.append)
    with live:
        live.begin(window())
        live.over(time.monotonic_ns(), early=False)
    assert len(said) == 1
    assert said[0].endswith(
        "0 ok, 0 rejected, 0 indeterminate, 0 in flight, 0 duplicates, 0 inversions so far"
    )


def test_the_record_is_the_same_with_and_without_a_view(tmp_path: Path) -> None:
    def record(folder: Path) -> np.ndarray:
        clock = iter(range(10**6))
        folder.mkdir()
        with Journal(
            folder / "swarm-0.journal", process="swarm-0", source="swarm", clock=clock.__next__
        ) as journal:
            for value in range(1, 20_001):
                answered(journal, value % 50, value)
        return read_journal(journal.path).slots

    alone = record(tmp_path / "alone")
    view = Recorder()
    with LiveView(tmp_path / "seen", base=0, view=view, say=print) as live:
        live.begin(window())
        seen = record(tmp_path / "seen")
    assert view.finished[0].together.ok == 20_000
    assert (seen == alone).all()
