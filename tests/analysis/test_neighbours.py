"""Who met in the counter, and how far apart an order shows: compared with every two answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import neighbours, slots
from analysis.neighbours import contended, order_resolution
from analysis.slots import Answers
from tests.analysis.test_bounds import ANSWERS, EXAMPLES, Answer, answers_of

IN_ORDER = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=24)


def taken(steps: list[tuple[int, int]]) -> list[Answer]:
    """A correct counter's answers: one a step, each so long after the last, and so wide."""
    answers, now = [], 0
    for value, (later, width) in enumerate(steps, 1):
        now += later
        answers.append((value, now, now + width, False))
    return answers


def met(answers: list[Answer]) -> int:
    ups = [answer for answer in answers if not answer[3]]
    bounds = {
        value: (
            max(start for v, start, _, _ in ups if v == value),
            min(end for v, _, end, _ in ups if v == value),
            sum(v == value for v, *_ in ups),
        )
        for value, *_ in ups
    }

    def meets(value: int) -> bool:
        below, above = bounds.get(value - 1), bounds.get(value + 1)
        start, end, count = bounds[value]
        return bool(count > 1 or (below and below[1] >= start) or (above and end >= above[0]))

    return sum(count for value, (_, _, count) in bounds.items() if meets(value))


def resolved(answers: list[Answer]) -> int | None:
    ups = [answer for answer in answers if not answer[3]]
    sent = {v: max(s for w, s, _, _ in ups if w == v) for v, *_ in ups}
    over = {v: min(e for w, _, e, _ in ups if w == v) for v, *_ in ups}
    most = len(sent) // 2
    distances = sorted({k for k in (1, 2, 4, 8, 16, 32) if k < most} | {most} - {0})
    for distance in distances:
        known = [v for v in sent if v + distance in sent]
        visible = [v for v in known if over[v] < sent[v + distance]]
        if known and len(visible) / len(known) >= 0.95:
            return distance
    return None


@settings(max_examples=2 * EXAMPLES)
@given(
    answers=ANSWERS | IN_ORDER.map(taken),
    expected=st.sampled_from([0, 3, 100]),
    chunk=st.sampled_from([1, 2, 3, 100]),
)
def test_against_every_two_answers(answers: list[Answer], expected: int, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "CHUNK", chunk)
        found = answers_of(answers, expected=expected)
        assert contended(found) == met(answers)
        assert order_resolution(found) == resolved(answers)


def of_steps(steps: list[tuple[int, int]]) -> Answers:
    return answers_of(taken(steps), expected=len(steps))


@pytest.mark.parametrize(
    ("steps", "meeting", "distance"),
    [
        pytest.param([], 0, None, id="nothing"),
        pytest.param([(9, 1)], 0, None, id="one"),
        pytest.param([(9, 8)] * 40, 0, 1, id="one after the other"),
        pytest.param([(9, 9)] * 40, 40, 2, id="each touches the next"),
        pytest.param([(1, 5)] * 40, 40, 8, id="six at once"),
        pytest.param([(1, 17)] * 40, 40, 20, id="eighteen at once: half of the numbers apart"),
        pytest.param([(1, 39)] * 40, 40, None, id="all at once"),
        pytest.param([(0, 360)] + [(9, 8)] * 39, 2, 1, id="one that hangs meets its neighbour"),
    ],
)
def test_findings(steps: list[tuple[int, int]], meeting: int, distance: int | None) -> None:
    answers = of_steps(steps)
    assert (contended(answers), order_resolution(answers)) == (meeting, distance)


def test_a_sample_of_many_values_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = of_steps([(1, 100)] * 4_000)
    assert order_resolution(answers) == 128
    monkeypatch.setattr(neighbours, "SAMPLED", 500)
    assert order_resolution(answers) == 128
