"""When each hole can have been filled: compared with every answer there is."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import slots
from analysis.holes import earliest_fill, latest_fill
from analysis.order import find_inversions
from analysis.slots import Answers, Filling
from analysis.stretch import NEVER_NS

EXAMPLES = int(os.environ.get("GAPLESS_ORACLE_EXAMPLES", "80"))
Answer = tuple[int, int, int, bool]
"""The value, when it was asked for and when it came, and whether it is a read's."""

ANSWERS = st.lists(
    st.tuples(st.integers(-1, 5), st.integers(0, 20), st.integers(0, 9), st.booleans()),
    max_size=8,
).map(lambda rows: [(value, start, start + length, read) for value, start, length, read in rows])


def answers_of(answers: list[Answer], *, expected: int) -> Answers:
    filling = Filling(initial=0, expected=expected)
    for value, start, end, is_read in answers:
        columns = [np.array([number], dtype=np.int64) for number in (value, start, end, 0)]
        if is_read:
            filling.add_reads(*columns)
        else:
            filling.add_increments(*columns[:3])
    return filling.close()


@settings(max_examples=2 * EXAMPLES)
@given(
    answers=ANSWERS,
    expected=st.sampled_from([0, 3, 100]),
    chunk=st.sampled_from([1, 2, 3, 100]),
)
def test_bounds_and_inversions_against_all_answers(
    answers: list[Answer], expected: int, chunk: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "CHUNK", chunk)
        found = answers_of(answers, expected=expected)
        returned = {value for value, _, _, is_read in answers if not is_read}
        holes = np.array(sorted(set(range(-2, 8)) - returned), dtype=np.int64)
        latest = latest_fill(found, holes).tolist()
        earliest = earliest_fill(found, holes).tolist()
        inversions = find_inversions(found, limit=99)
    for hole, by, after in zip(holes.tolist(), latest, earliest, strict=True):
        ends = [end for value, _, end, read in answers if value > hole or (value == hole and read)]
        starts = [start for value, start, _, _ in answers if value < hole]
        assert by == min(ends, default=NEVER_NS), hole
        assert after == max(starts, default=-NEVER_NS), hole
    late = [
        (value, end, is_read, max(since))
        for value, end, is_read in distinct(answers)
        if (since := [start for start in sent_for_less(answers, value, is_read) if end < start])
    ]
    assert inversions.count == len(late)
    told = [(one.value, one.end_ns, one.is_read, one.late_start_ns) for one in inversions.lowest]
    assert sorted(told) == sorted(late)
    widest = max((since - end for _, end, _, since in late), default=None)
    assert widest == (inversions.widest.size_ns if inversions.widest else None)


def distinct(answers: list[Answer]) -> list[tuple[int, int, bool]]:
    """Give reads, and each value that was returned when it was first known."""
    ends: dict[int, int] = {}
    for value, _, end, is_read in answers:
        if not is_read:
            ends[value] = min(end, ends.get(value, end))
    reads = [(value, end, True) for value, _, end, is_read in answers if is_read]
    return [*((value, end, False) for value, end in ends.items()), *reads]


def sent_for_less(answers: list[Answer], value: int, is_read: bool) -> list[int]:  # noqa: FBT001
    return [s for v, s, _, read in answers if v < value or (v == value and is_read and not read)]
