"""The figures of a load, as lines and as a picture on a terminal."""

import contextlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from typing import TextIO

import pytest

from history.operation import Outcome
from runner.live.figures import Figures, Quantiles, Snapshot, SourceFigures
from runner.live.plain import PlainView, line
from runner.live.screen import ScreenView, can_draw
from tests.runner.live.answers import Answer, rows_of
from tests.terminal import Terminal, screen

MS = 1_000_000
S = 1_000 * MS
NAMES = ["swarm-0", "runner-0", "swarm-1", "locust-0"]
VIOLATION = (
    "4711 was returned to swarm-0/3 2.113 ms before locust-0/7 sent the request that returned 4700"
)


def source(name: str, **fields: object) -> SourceFigures:
    """A generator's figures; what is not given is as in the picture below."""
    known = {
        "per_s": 1204.4,
        "ok": 43_200_000,
        "rejected": 12,
        "indeterminate": 1,
        "in_flight": 50,
        "latency": Quantiles(p50_ms=31.22, p99_ms=1_480.9),
        "latency_due": None,
    }
    return SourceFigures(source=name, **(known | fields))  # type: ignore[arg-type]


def snapshot(*sources: SourceFigures, **fields: object) -> Snapshot:
    """A load that is under way."""
    known: dict[str, object] = {
        "elapsed_s": 12.4,
        "duration_s": 30.0,
        "ended": "",
        "sources": sources,
        "together": source("all"),
        "duplicates": 0,
        "inversions": 0,
        "at_least": False,
        "violation": "",
    }
    return Snapshot(**(known | fields))  # type: ignore[arg-type]


LINE = (
    "live: 12.4 s of 30 s, 1,204 requests/s (locust 400, swarm 804), 43,200,000 ok, 12 rejected, "
    "1 indeterminate, 50 in flight, p50 31.2 ms, p99 1,481 ms, 0 duplicates, 0 inversions so far"
)
TWO = snapshot(source("locust", per_s=400.2), source("swarm", per_s=804.2))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(TWO, LINE, id="two generators"),
        pytest.param(
            snapshot(
                source("swarm"),
                together=source("all", latency_due=Quantiles(p50_ms=0.0312, p99_ms=99.94)),
                duplicates=1,
                inversions=1,
                at_least=True,
            ),
            "live: 12.4 s of 30 s, 1,204 requests/s, 43,200,000 ok, 12 rejected, 1 indeterminate, "
            "50 in flight, p50 31.2 ms, p99 1,481 ms, from when due p50 0.0312 ms, p99 99.9 ms, "
            "at least 1 duplicate, 1 inversion so far",
            id="one generator with a schedule",
        ),
        pytest.param(
            snapshot(together=source("all", per_s=0, ok=0, latency=None)),
            "live: 12.4 s of 30 s, 0 requests/s, 0 ok, 12 rejected, 1 indeterminate, 50 in flight, "
            "0 duplicates, 0 inversions so far",
            id="nothing answered",
        ),
        pytest.param(
            snapshot(*TWO.sources, duration_s=0.0),
            LINE.replace(" of 30 s", ""),
            id="until somebody ends it",
        ),
        pytest.param(
            snapshot(*TWO.sources, decrements=8_640_000),
            LINE.replace(
                "0 duplicates, 0 inversions so far",
                "34,560,000 up, 8,640,000 down; values are judged at the end",
            ),
            id="a mixed load",
        ),
    ],
)
def test_a_line_holds_every_figure(now: Snapshot, expected: str) -> None:
    assert line(now) == expected


def test_lines_tell_the_first_violation_once() -> None:
    said: list[str] = []
    view = PlainView(said.append)
    for now in (TWO, snapshot(violation=VIOLATION), snapshot(violation=VIOLATION)):
        view.show(now)
    view.finish(snapshot(violation=VIOLATION))
    # The same figures again, as at the end of a load, are not said again.
    assert len([text for text in said if text.startswith("live: 12.4 s")]) == 2
    assert [text for text in said if "violation" in text] == [f"live: first violation: {VIOLATION}"]


PICTURE = """\
 load: 12.4 s of 30 s                                             17.6 s left
 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━─────────────────────────────────────────────
        requests/s         ok rejected indeterminate in flight p50 ms p99 ms
 locust        400 43,200,000       12             1        50   31.2  1,481
 swarm         804 43,200,000       12             1        50   31.2  1,481
 all         1,204 43,200,000       12             1        50   31.2  1,481
 0 duplicates, 0 inversions so far""".splitlines()
LAST = """\
 load: 30.0 s of 30 s                                                    over
 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
        requests/s         ok rejected indeterminate in flight p50 ms p99 ms
 swarm       1,204 43,200,000       12             1        50   31.2  1,481
 from when due: p50 31.2 ms, p99 1,481 ms
 3 duplicates, 1 inversion so far
 first: 4711 was returned to swarm-0/3 2.113 ms before locust-0/7 sent the
 request that returned 4700""".splitlines()
LATER = snapshot(
    source("swarm"),
    together=source("all", latency_due=Quantiles(p50_ms=31.22, p99_ms=1_480.9)),
    elapsed_s=30.0,
    ended="over",
    duplicates=3,
    inversions=1,
    violation=VIOLATION,
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich looks at these, wherever the tests are run."""
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def drawn(*shown: Snapshot, columns: int = 80) -> str:
    """What is written to a terminal that has shown these, the last for good."""
    with Terminal(columns) as terminal:
        with os.fdopen(os.dup(terminal.stream), "w", encoding="utf-8") as stream:
            view = ScreenView(stream)
            for now in shown[:-1]:
                view.show(now)
            view.finish(shown[-1])
        return terminal.read_all()


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param([TWO], PICTURE, id="once"),
        pytest.param([TWO] * 5, PICTURE, id="over and over"),
        pytest.param([TWO, LATER], LAST, id="growing"),
        pytest.param([LATER, TWO], PICTURE, id="shrinking"),
        pytest.param(
            [snapshot(*TWO.sources, decrements=7)],
            [*PICTURE[:-1], " 43,199,993 up, 7 down; values are judged at the end"],
            id="a mixed load",
        ),
    ],
)
def test_the_last_picture_stands_alone(shown: Sequence[Snapshot], expected: list[str]) -> None:
    lines = screen(drawn(*shown), 80)
    # A picture that shrank leaves blank lines, never old ones.
    assert lines[: len(expected)] == expected
    assert not any(lines[len(expected) :])


def test_a_line_stands_above_the_picture() -> None:
    with Terminal(80) as terminal:
        with os.fdopen(os.dup(terminal.stream), "w", encoding="utf-8") as stream:
            view = ScreenView(stream)
            view.tell("before")
            for now in (TWO, LATER):
                view.show(now)
                view.tell("load: swarm-1 was killed by SIGKILL; the others go on " + "and on " * 9)
            view.finish(TWO)
        lines = screen(terminal.read_all(), 80)
    said = "load: swarm-1 was killed by SIGKILL; the others go on and on and on and on and"
    assert lines[0] == "before"
    assert [text for text in lines if text.startswith("load: swarm-1")] == [said] * 2
    assert [text for text in lines if text in PICTURE] == PICTURE


def test_a_load_without_an_end_of_its_own_shows_none() -> None:
    first, bar, *rest = screen(drawn(snapshot(*TWO.sources, duration_s=0.0)), 80)
    assert first == " load: 12.4 s                                                    until Ctrl-C"
    assert set(bar.strip()) == {"─"}
    assert rest[: len(PICTURE) - 2] == PICTURE[2:]


def test_a_picture_is_one_write() -> None:
    class Counting(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += "requests/s" in text
            assert "requests/s" in text or len(text) < 10, text
            return super().write(text)

    stream = Counting()
    view = ScreenView(stream)
    for _ in range(3):
        view.show(TWO)
    assert stream.writes == 3


def test_a_narrow_terminal_gets_what_fits() -> None:
    lines = screen(drawn(TWO, LATER, TWO, columns=40), 40)
    assert lines[0].startswith(" load: 12.4 s of 30 s")
    assert all(len(text) <= 40 for text in lines)
    assert sum("requests/s" in text for text in lines) == 1


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-7][0-9;]*m")
    assert coloured.search(drawn(LATER))
    monkeypatch.setenv("NO_COLOR", "1")
    written = drawn(LATER)
    assert not coloured.search(written)
    assert screen(written, 80)[: len(LAST)] == LAST


@contextlib.contextmanager
def stream_of(descriptor: int) -> Iterator[TextIO]:
    """A stream that may be closed with something left to say."""
    stream = os.fdopen(descriptor, "w", encoding="utf-8")
    try:
        yield stream
    finally:
        with contextlib.suppress(OSError):
            stream.close()


def test_a_terminal_that_goes_away_is_no_error() -> None:
    with Terminal() as terminal, stream_of(os.dup(terminal.stream)) as stream:
        view = ScreenView(stream)
        view.show(TWO)
        terminal.read_until("so far")
        terminal.hang_up()
        view.show(TWO)
        view.show(TWO)
        view.finish(LATER)


def test_a_pipe_that_breaks_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with stream_of(writer) as stream:
        view = ScreenView(stream)
        view.show(TWO)
        view.finish(LATER)


@pytest.mark.parametrize(
    ("term", "encoding", "drawable"),
    [
        ("xterm-256color", "utf-8", True),
        ("dumb", "utf-8", False),
        ("", "utf-8", False),
        ("xterm", "latin-1", False),
    ],
)
def test_what_can_be_drawn_upon(term: str, encoding: str, *, drawable: bool) -> None:
    with (
        Terminal() as terminal,
        os.fdopen(os.dup(terminal.stream), "w", encoding=encoding) as stream,
    ):
        assert can_draw(stream, {"TERM": term}) is drawable
    assert not can_draw(io.StringIO(), {"TERM": term})


def test_figures_of_each_generator_over_the_last_seconds() -> None:
    figures = Figures()
    figures.begin(10 * S)
    # The first second: 100 of one swarm process, slow; one of the runner's own, which is no load.
    slow = [Answer(10 * S, 10 * S + 50 * MS, n, n) for n in range(100)]
    own = [Answer(9 * S, 9 * S + 900 * MS, 1000, process=1)]
    figures.add(rows_of(slow + own), NAMES[:2], at_ns=11 * S, running=True)
    (swarm,) = figures.by_source([7, 1])
    assert swarm == source(
        "swarm",
        per_s=100.0,
        ok=100,
        rejected=0,
        indeterminate=0,
        in_flight=7,
        latency=Quantiles(p50_ms=50.0, p99_ms=50.0),
    )
    # Six seconds later the slow ones are no longer lately; the other processes have come.
    quick = [
        Answer(16 * S + n * MS, 16 * S + n * MS + n * MS, n, process=2, intended_ns=16 * S)
        for n in range(1, 101)
    ]
    odd = [
        Answer(16 * S, 16 * S + 1, 0, outcome=Outcome.REJECTED, process=3),
        Answer(16 * S, 16 * S + 1, 0, outcome=Outcome.INDETERMINATE, process=3),
    ]
    for at_s in (14, 15):
        figures.add(rows_of([]), NAMES[:2], at_ns=at_s * S, running=True)
    figures.add(rows_of(quick + odd), NAMES, at_ns=17 * S, running=True)
    locust, swarm = figures.by_source([0, 0, 3, 2])
    assert (swarm.per_s, swarm.ok, swarm.in_flight) == (50.0, 200, 3)
    assert swarm.latency == Quantiles(p50_ms=50.0, p99_ms=99.0)
    assert swarm.latency_due == Quantiles(p50_ms=100.0, p99_ms=198.0)
    assert (locust.ok, locust.rejected, locust.indeterminate, locust.in_flight) == (0, 1, 1, 2)
    assert (locust.latency, locust.latency_due) == (None, None)

    # Once the load is over only outcomes change.
    figures.add(rows_of(quick), NAMES, at_ns=40 * S, running=False)
    locust, swarm = figures.by_source([0, 0, 0, 0])
    assert (swarm.per_s, swarm.ok, swarm.in_flight) == (50.0, 300, 0)
    together = figures.together([locust, swarm])
    assert (together.source, together.ok, together.rejected) == ("all", 300, 1)
    assert together.per_s == 51.0
    assert together.latency == Quantiles(p50_ms=50.0, p99_ms=99.0)
