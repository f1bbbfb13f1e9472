"""The checks say FAIL exactly where brute force finds no order, and what they show proves it."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.judging import judge_run
from analysis.run import Run
from analysis.verdict import Verdict, worst
from history.operation import Returns
from tests.analysis.disagreements import TOGETHER, count, verdict_of
from tests.analysis.histories import KINDS, drawn_histories, run_of_history
from tests.analysis.oracle import (
    Event,
    History,
    Request,
    came_before,
    events,
    hiding_error,
    linearizable,
    verdict,
)
from tests.analysis.proofs import assert_proved

EXAMPLES = int(os.environ.get("GAPLESS_ORACLE_EXAMPLES", "80"))
"""Of each kind, in every test run. python -m tests.analysis.disagreements asks about more."""


@pytest.mark.parametrize("kind", KINDS)
def test_fails_exactly_what_has_no_order(kind: str) -> None:
    @settings(max_examples=EXAMPLES)
    @given(history=drawn_histories(kind), returns=st.sampled_from(Returns))
    def agree(history: History, returns: Returns) -> None:
        run = run_of_history(history, returns=returns)
        judgement = judge_run(run)
        found = {finding.check: finding for finding in judgement.findings}
        owed = Verdict(verdict(history))
        assert worst(found[check].verdict for check in TOGETHER) is owed
        # What the sum proves, they prove as well.
        assert found["conserved"].verdict is not Verdict.FAIL or owed is Verdict.FAIL
        for check in TOGETHER:
            if found[check].verdict is Verdict.FAIL:
                assert_proved(history, found[check], shift=run.shift)
        assert_error_that_hides(history, run, found["ordered"].counts)

    agree()


def assert_error_that_hides(history: History, run: Run, counts: object) -> None:
    if len(run.hosts) > 1 and isinstance(counts, dict) and "clock_error_hiding_ns" in counts:
        assert counts["clock_error_hiding_ns"] == hiding_error(history)


def test_the_same_seed_counts_the_same() -> None:
    one, other = (count("together", examples=60, seed=7) for _ in range(2))
    assert one.owed == other.owed
    assert not one.wrong
    assert set(one.owed) == {"FAIL", "PASS", "INCONCLUSIVE"}
    assert one.row().startswith("| together | 60 | ")


def increment(start: int, end: int, value: int, **more: object) -> Request:
    return Request(start=start, end=end, value=value, **more)  # type: ignore[arg-type]


def unanswered(start: int, **more: object) -> Request:
    return Request(start=start, outcome="indeterminate", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("history", "has_order"),
    [
        pytest.param(History(requests=()), True, id="nothing"),
        pytest.param(History(requests=(), final=1), False, id="nobody did it"),
        pytest.param(
            History(requests=(increment(0, 1, 2), increment(1, 2, 1))),
            True,
            id="ties are concurrent",
        ),
        pytest.param(
            History(requests=(increment(0, 1, 2), increment(2, 3, 1))), False, id="inverted"
        ),
        pytest.param(
            History(
                requests=(increment(0, 10, 3), increment(20, 30, 4), *map(unanswered, (0, 15)))
            ),
            False,
            id="two holes, one of them too early for one of two",
        ),
        pytest.param(
            History(requests=(unanswered(0), increment(3, 4, 1), increment(5, 6, 3)), window=4),
            True,
            id="within the window",
        ),
        pytest.param(
            History(requests=(unanswered(0), increment(5, 6, 1), increment(5, 6, 3)), window=4),
            False,
            id="after the window",
        ),
        pytest.param(
            History(requests=(increment(0, 3, 1, attempts=2), increment(7, 8, 3)), window=4),
            True,
            id="sent again until its end",
        ),
        pytest.param(
            History(
                requests=(
                    unanswered(0, end=9, attempts=2),
                    increment(7, 8, 1),
                    increment(7, 9, 4),
                ),
                window=2,
            ),
            False,
            id="but its first send was at its start",
        ),
        pytest.param(
            History(
                requests=(increment(0, 1, 2, host="a"), increment(5, 6, 1, host="b")),
                clocks={"a": (0, 2), "b": (0, 2)},
            ),
            True,
            id="within the clocks' errors",
        ),
        pytest.param(
            History(
                requests=(increment(0, 1, 2, host="a"), increment(5, 6, 1, host="b")),
                clocks={"a": (0, 2), "b": (0, 1)},
            ),
            False,
            id="beyond them",
        ),
    ],
)
def test_the_oracle_itself(history: History, *, has_order: bool) -> None:
    assert linearizable(history) is has_order
    assert (verdict_of(run_of_history(history)) is not Verdict.FAIL) is has_order


@settings(max_examples=EXAMPLES)
@given(history=drawn_histories("hosts"))
def test_to_have_come_before_is_transitive(history: History) -> None:
    """Were it not, to try out orders element by element would not be to extend it."""
    happened: list[Event] = list(events(history))
    for a in happened:
        for b in happened:
            if not came_before(a, b, history.clocks):
                continue
            assert not came_before(b, a, history.clocks)
            for c in happened:
                if came_before(b, c, history.clocks):
                    assert came_before(a, c, history.clocks)
