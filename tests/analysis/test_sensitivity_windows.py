"""A run cut by value: what a shorter run would have found, and never more."""

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.judging import judge_run
from analysis.record import whole
from analysis.run import Run
from analysis.sensitivity.measure import Length, measure
from analysis.sensitivity.model import Observation
from analysis.sensitivity.windows import cuttable, sizes, why_whole, window, windows
from analysis.verdict import Verdict
from history.operation import INT64_MAX, Returns
from tests.analysis.histories import Drawn, right, run_of_history
from tests.runs import busy, lost, ok, read, recorded, run_of

RANGES = [(0, 3), (3, 6), (0, 6)]


def failing(run: Run) -> list[str]:
    return [one.check for one in judge_run(run).findings if one.verdict is Verdict.FAIL]


def found(rows: list[dict[str, Any]], **fields: Any) -> dict[tuple[int, int], list[str]]:
    """What FAILs in the windows of a history of six numbers."""
    cut = cuttable(run_of(rows, **({"final": 6} | fields)))
    return {(low, high): failing(window(cut, low, high)) for low, high in RANGES}


def values(run: Run) -> list[int]:
    return sorted(value for value in whole(run.record)["value"].to_pylist() if value is not None)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    data=st.data(),
    kind=st.sampled_from(["increments", "windows", "reads"]),
    returns=st.sampled_from(Returns),
)
def test_no_window_of_a_correct_history_fails(
    data: st.DataObject, kind: str, returns: Returns
) -> None:
    history = data.draw(st.composite(lambda draw: right(Drawn(draw), kind))())
    run = run_of_history(history, returns=returns)
    if run.final is None:
        reached = [*run.increments.value.tolist(), *run.reads.value.tolist()]
        run = dataclasses.replace(run, final=max([run.initial, *reached]))
    run = dataclasses.replace(run, allow_unanswered=0)
    if why_whole(run):
        return
    assert failing(run) == []
    cut = cuttable(run)
    for low in range(run.initial, cut.final):
        for high in range(low + 1, cut.final + 1):
            one = window(cut, low, high)
            assert failing(one) == []
            shift = 1 if returns is Returns.OLD else 0
            inside = [v for v in cut.done.value.tolist() if low < v <= high]
            assert values(one) == [value - shift for value in inside]


@given(size=st.integers(1, 70))
def test_windows_hold_every_value_once(size: int) -> None:
    run = run_of(busy(50), final=50)
    cut = list(windows(cuttable(run), size))
    assert [value for one in cut for value in values(one)] == list(range(1, 51))
    assert [one.initial for one in cut[1:]] == [one.final for one in cut[:-1]]
    assert (cut[0].initial, cut[-1].final) == (0, 50)
    assert all((one.final or 0) - one.initial == size for one in cut[:-1])


def apart(*numbers: int) -> list[dict[str, Any]]:
    """One request after the other."""
    return [ok(10 * at, 10 * at + 5, number) for at, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("rows", "caught"),
    [
        pytest.param(apart(1, 2, 3, 4, 5, 6), ([], [], []), id="right"),
        pytest.param(
            apart(1, 2, 3, 3, 4, 5, 6),
            (["unique", "conserved"], [], ["unique", "conserved"]),
            id="the last number of a window twice",
        ),
        pytest.param(
            apart(1, 2, 3, 4, 4, 5, 6),
            ([], ["unique", "conserved"], ["unique", "conserved"]),
            id="the first number of a window twice",
        ),
        pytest.param(
            apart(1, 2, 4, 5, 6),
            (["gap-free", "conserved"], [], ["gap-free", "conserved"]),
            id="the last number of a window skipped",
        ),
        pytest.param(
            apart(1, 2, 3, 5, 6),
            ([], ["gap-free", "conserved"], ["gap-free", "conserved"]),
            id="the first number of a window skipped",
        ),
        pytest.param(
            apart(1, 3, 2, 4, 5, 6), (["ordered"], [], ["ordered"]), id="exchanged within a window"
        ),
        pytest.param(
            apart(1, 2, 4, 3, 5, 6),
            (["gap-free", "conserved"], [], ["ordered"]),
            id="exchanged across an edge: the one that came too late is in no shorter run",
        ),
    ],
)
def test_what_a_window_finds(rows: list[dict[str, Any]], caught: tuple[list[str], ...]) -> None:
    assert found(rows) == dict(zip(RANGES, caught, strict=True))


def test_a_hole_at_the_end_is_explained_by_whoever_was_sent_before_more_was_answered() -> None:
    # Sent after all else of the first window had been answered, and before 4 was.
    rows = [*apart(1, 2), lost(27), *(ok(26 + 10 * n, 31 + 10 * n, n + 4) for n in range(3))]
    assert found(rows) == {(0, 3): [], (3, 6): [], (0, 6): []}
    too_late = [*apart(1, 2), lost(32), *(ok(26 + 10 * n, 31 + 10 * n, n + 4) for n in range(3))]
    assert found(too_late)[0, 3] == ["gap-free", "conserved"]


def test_what_was_answered_later_belongs_to_no_shorter_run() -> None:
    # A copy answers 1 when the counter is far beyond.
    rows = [*apart(1, 2, 3, 4, 5, 6), ok(100, 105, 1)]
    assert found(rows) == {(0, 3): [], (3, 6): [], (0, 6): ["unique", "conserved", "ordered"]}


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (run_of(apart(1, 2), final=2), ""),
        (run_of(apart(1, 2)), "its final value is not known"),
        (run_of(apart(1, 2), final=0), "its final value is not known"),
        (run_of([*apart(1, 2), ok(30, 35, 1, kind="decrement")], final=1), "numbers come back"),
        (run_of([*apart(1), ok(30, 20, 2)], final=2), "records of it contradict themselves"),
        (run_of([*apart(1), ok(20, 30, 2, attempts=2)], final=2), "requests were sent again"),
        (run_of([ok(0, 1, 1, host="a"), ok(2, 3, 2, host="b")], final=2), "times of several hosts"),
        (recorded(busy(10), sealed=False), "records of it are missing"),
        (recorded(busy(10)), ""),
    ],
)
def test_what_cannot_be_cut_is_left_whole(run: Run, why: str) -> None:
    assert why_whole(run).startswith(why)
    assert bool(why_whole(run)) == bool(why)


def test_reads_are_left_out() -> None:
    run = run_of([*apart(1, 2, 3), read(50, 60, 3)], final=3)
    assert [one.record.rows for one in windows(cuttable(run), 2)] == [2, 1]


def test_sizes() -> None:
    assert sizes(250) == ()
    assert sizes(20_000) == (250, 500, 1_000, 2_500, 5_000, 10_000)
    assert sizes(101, least=10) == (10, 25, 50, 100)


def spoiled(count: int, at: int) -> Run:
    """So many numbers, one of them given twice."""
    rows = busy(count)
    rows.insert(at, dict(rows[at - 1]))
    return run_of(rows, final=count)


def test_a_run_measured() -> None:
    run = spoiled(1_100, at=300)
    got = measure(run, fault="repeat", check="unique", rate=0.002, caught=True)
    assert got.lengths == (
        Length(numbers=250, windows=4, caught=1, requests=1_001),
        Length(numbers=500, windows=2, caught=1, requests=1_001),
        Length(numbers=1_000, windows=1, caught=1, requests=1_001),
    )
    # 500 numbers are the first with one spoiled request expected; the last window is shorter.
    assert got.observations == (
        Observation(0.002, 0, 501),
        Observation(0.002, 500, None),
        Observation(0.002, 100, None),
    )


def test_a_rate_too_low_for_any_window_is_seen_in_the_whole_run() -> None:
    run = spoiled(1_100, at=300)
    for caught, expected in ((True, (0, 1_101)), (False, (1_101, None))):
        got = measure(run, fault="repeat", check="unique", rate=1e-5, caught=caught)
        assert got.observations == (Observation(1e-5, *expected),)


def test_of_a_copy_only_beginnings_are_cut() -> None:
    got = measure(spoiled(300, at=60), fault="replica", check="unique", rate=0.01, caught=True)
    assert [(one.numbers, one.windows, one.caught) for one in got.lengths] == [
        (10, 1, 0),
        (25, 1, 0),
        (50, 1, 0),
        (100, 1, 1),
        (250, 1, 1),
    ]
    assert got.observations == (Observation(0.01, 50, 101),)
    late = measure(spoiled(300, at=290), fault="replica", check="unique", rate=0.01, caught=True)
    assert late.observations == (Observation(0.01, 250, 301),)
    never = run_of(busy(300), final=300)
    missed = measure(never, fault="replica", check="unique", rate=0.01, caught=False)
    assert missed.observations == (Observation(0.01, 300, None),)


def test_a_run_that_cannot_be_cut_is_measured_whole() -> None:
    run = run_of(apart(1, 2))
    got = measure(run, fault="repeat", check="unique", rate=0.1, caught=False)
    assert got.observations == (Observation(0.1, 2, None),)
    assert (got.lengths, got.whole_because) == ((), "its final value is not known")


def test_the_ends_of_64_bits() -> None:
    top = INT64_MAX - 1
    run = run_of([ok(0, 1, top - 1), ok(2, 3, top)], initial=top - 2, final=top)
    assert [failing(one) for one in windows(cuttable(run), 1)] == [[], []]
