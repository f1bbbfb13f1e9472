"""The running verdict against a brute-force search of the whole history."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.operation import INT64_MAX, INT64_MIN, Kind, Outcome
from runner.live.online import OnlineCheck
from runner.live.seen import CHUNK_VALUES, FAR_CHUNKS, SeenValues
from tests.runner.live.answers import Answer, rows_of

Batches = list[list[Answer]]
FARAWAY = st.sampled_from([10**18, INT64_MAX, INT64_MIN, -1, 2**53 + 1, CHUNK_VALUES, 3 << 30])


@st.composite
def histories(draw: st.DrawFn) -> list[Answer]:
    """Few values and few instants, so that everything meets; workers tell operations apart."""
    count = draw(st.integers(0, 24))
    return [
        Answer(
            start_ns=(start := draw(st.integers(0, 20))),
            end_ns=start + draw(st.integers(0, 6)),
            value=draw(st.integers(0, 24) | FARAWAY),
            worker=worker,
        )
        for worker in range(count)
    ]


@st.composite
def batched(draw: st.DrawFn, answers: list[Answer], *, late: bool) -> Batches:
    """Batches in the order of the answers; with `late` any may come one batch after its own."""
    number, batches = 0, {0: list[Answer]()}
    for answer in answers:
        number += draw(st.integers(0, 1))
        by = draw(st.integers(0, 1)) if late else 0
        batches.setdefault(number + by, []).append(answer)
    return [batches[number] for number in sorted(batches)]


def reported(check: OnlineCheck, batches: Batches) -> tuple[list[int], list[int]]:
    """Whom the check reports over all batches, by worker: duplicates, inversions."""
    duplicates: list[int] = []
    inversions: list[int] = []
    everything = [answer for batch in batches for answer in batch]
    for batch in batches:
        found = check.add(rows_of(batch))
        duplicates += found.duplicates["worker"].tolist()
        inversions += found.inversions["worker"].tolist()
        # What it names as the earlier, larger one is there, and is that.
        for late, value, end_ns in zip(
            found.inversions, found.passed.tolist(), found.passed_end_ns.tolist(), strict=True
        ):
            assert (value, end_ns) in {(a.value, a.end_ns) for a in everything}
            assert value > late["value"]
            assert end_ns < late["start_ns"]
    assert (check.duplicates, check.inversions) == (len(duplicates), len(inversions))
    return duplicates, inversions


def true_inversions(answers: list[Answer]) -> set[int]:
    """Brute force: whose value is less than one that was returned before it was sent."""
    return {
        b.worker
        for b in answers
        if any(a.end_ns < b.start_ns and a.value > b.value for a in answers)
    }


def surplus(answers: list[Answer]) -> int:
    """How many answers repeat a value."""
    return len(answers) - len({answer.value for answer in answers})


def assert_true_duplicates(duplicates: list[int], answers: list[Answer]) -> None:
    """Every reported one shares its value, once each, and as many as there are to spare."""
    assert len(set(duplicates)) == len(duplicates) == surplus(answers)
    of = {answer.worker: answer.value for answer in answers}
    values = list(of.values())
    assert all(values.count(of[worker]) > 1 for worker in duplicates)


@given(st.data(), histories(), st.sampled_from([2, 3, 8, 1000]))
def test_no_false_alarm_in_whatever_order(
    data: st.DataObject, answers: list[Answer], steps_max: int
) -> None:
    shuffled = data.draw(st.permutations(answers))
    batches = data.draw(batched(shuffled, late=True))
    duplicates, inversions = reported(OnlineCheck(0, steps_max=steps_max), batches)
    assert_true_duplicates(duplicates, answers)
    assert len(set(inversions)) == len(inversions)
    assert set(inversions) <= true_inversions(answers)


@given(st.data(), histories())
def test_every_violation_when_no_answer_is_more_than_a_batch_late(
    data: st.DataObject, answers: list[Answer]
) -> None:
    in_order = sorted(answers, key=lambda answer: answer.end_ns)
    batches = data.draw(batched(in_order, late=data.draw(st.booleans())))
    duplicates, inversions = reported(OnlineCheck(0), batches)
    assert_true_duplicates(duplicates, answers)
    assert sorted(inversions) == sorted(true_inversions(answers))


@pytest.mark.parametrize(
    ("answers", "duplicates", "inversions"),
    [
        pytest.param([Answer(0, 5, 2, 0), Answer(6, 9, 1, 1)], [], [1], id="one after the other"),
        pytest.param([Answer(0, 5, 2, 0), Answer(5, 9, 1, 1)], [], [], id="equal times overlap"),
        pytest.param([Answer(0, 5, 2, 0), Answer(6, 9, 2, 1)], [1], [], id="the same number twice"),
        pytest.param(
            [Answer(0, 5, 2, 0, kind=Kind.READ), Answer(6, 9, 1, 1)],
            [],
            [],
            id="reads do not count",
        ),
        pytest.param(
            [Answer(0, 5, 0, 0, Outcome.REJECTED), Answer(6, 9, 0, 1, Outcome.INDETERMINATE)],
            [],
            [],
            id="no number, no value",
        ),
        pytest.param(
            [Answer(0, 5, 10**18, 0), Answer(6, 9, 3, 1), Answer(10, 12, 4, 2)],
            [],
            [1, 2],
            id="an absurd number passes all that follow",
        ),
    ],
)
def test_literal_histories(
    answers: list[Answer], duplicates: list[int], inversions: list[int]
) -> None:
    for batches in ([answers], [[answer] for answer in answers]):
        assert reported(OnlineCheck(0), batches) == (duplicates, inversions)


def test_what_comes_a_batch_late_is_made_up_for() -> None:
    passed, late = Answer(0, 5, 2, 0), Answer(6, 9, 1, 1)
    other, rejected = Answer(7, 8, 9, 2), Answer(7, 8, 0, 3, Outcome.REJECTED)
    assert reported(OnlineCheck(0), [[late], [passed]]) == ([], [1])
    assert reported(OnlineCheck(0), [[late], [], [rejected], [passed], [other]]) == ([], [1])
    assert reported(OnlineCheck(0), [[late], [other], [passed]]) == ([], []), "two batches late"


def test_values_may_be_as_far_apart_as_64_bits_allow() -> None:
    seen = SeenValues(base=INT64_MAX - 1)
    values = np.array([INT64_MIN, INT64_MAX, 0, -1, INT64_MAX - 1], dtype=np.int64)
    assert not seen.add(values).any()
    assert seen.add(values).all()
    assert seen.unchecked == 0


def test_nonsense_costs_no_memory_and_hides_nothing_near() -> None:
    seen = SeenValues(base=0)
    nonsense = np.random.default_rng(1).integers(2**40, INT64_MAX, 100_000)
    assert not seen.add(nonsense).any()
    assert seen.unchecked >= 100_000 - FAR_CHUNKS - len(nonsense) // 1000
    kept = sum(chunk.nbytes for chunk in seen._chunks.values())
    assert kept <= FAR_CHUNKS * CHUNK_VALUES // 8

    near = np.arange(1, 200_001)
    assert not seen.add(near).any()
    assert seen.add(near).all()


def test_the_staircase_forgets_from_far_back_only() -> None:
    check = OnlineCheck(0, steps_max=64)
    check.add(rows_of(Answer(i, i, i, i) for i in range(10_000)))
    # Sent after 9,990 was returned; it returns less.
    found = check.add(rows_of([Answer(9_991, 10_001, 9_980, 1)]))
    assert found.passed.tolist() == [9_990]
    # Sent after 4,000: what is still known of then may not suffice, and nothing is invented.
    assert not len(check.add(rows_of([Answer(4_001, 10_002, 4_001, 1)])).inversions)
    assert len(check._highest._steps[0]) == 64
