"""How hard a run tried: compared with every pair of its operations."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import effort, record
from analysis.abreast import Abreast, AbreastMeter
from analysis.effort import Effort
from analysis.widths import Widths
from tests.runs import lost, ok, run_of

Sent = tuple[int, int, str]
"""When an operation was sent and answered, and by which generator."""

GENERATORS = ("swarm", "locust", "third", "runner", "")
OPERATIONS = st.lists(
    st.tuples(st.integers(0, 25), st.integers(0, 8), st.sampled_from(GENERATORS)), max_size=14
).map(lambda rows: [(start, start + length, generator) for start, length, generator in rows])


def rows_of(operations: Sequence[Sent]) -> list[dict[str, Any]]:
    return [
        ok(start, end, value, source=source, process=f"{source}-0" if source else None)
        for value, (start, end, source) in enumerate(operations, 1)
    ]


def effort_of(operations: Sequence[Sent], *, batch: int = 1 << 18, few: int = 1 << 15) -> Effort:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "BATCH_ROWS", batch)
        patch.setattr(effort, "BATCH_ROWS", batch)
        patch.setattr(effort, "_FEW", few)
        return run_of(rows_of(operations)).scan.effort


def touches(one: Sent, other: Sent) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def abreast_of(operations: Sequence[Sent]) -> Abreast:
    """Compare each with all others."""
    of_generators = [sent for sent in operations if sent[2] != "runner"]
    meets = {name: [0, 0] for name in dict.fromkeys(sent[2] for sent in of_generators)}
    for one in of_generators:
        met = any(touches(one, other) for other in of_generators if other[2] != one[2])
        meets[one[2]][0] += met
        meets[one[2]][1] += 1
    return Abreast(
        generators=len(meets),
        operations=len(of_generators),
        overlapping=sum(met for met, _ in meets.values()),
        highest_share=max((met / count for met, count in meets.values()), default=0.0),
    )


@given(
    operations=OPERATIONS,
    in_order=st.booleans(),
    batch=st.sampled_from([1, 2, 5, 100]),
    few=st.sampled_from([1, 3, 100]),
)
def test_against_every_pair(
    operations: list[Sent], batch: int, few: int, *, in_order: bool
) -> None:
    if in_order:
        operations = sorted(operations)
    found = effort_of(operations, batch=batch, few=few)
    assert found.abreast == abreast_of(operations)
    pairs = sum(
        touches(one, other) for at, one in enumerate(operations) for other in operations[:at]
    )
    assert found.concurrency.pairs == pairs
    assert found == effort_of(operations[::-1])
    named = {source for _, _, source in operations} - {"runner", ""}
    assert found.processes == (len(named) or None)


@pytest.mark.parametrize(
    ("operations", "overlapping", "highest"),
    [
        pytest.param([], 0, 0.0, id="nothing"),
        pytest.param([(0, 9, "swarm"), (1, 9, "swarm")], 0, 0.0, id="one generator"),
        pytest.param([(0, 9, "swarm"), (9, 12, "locust")], 2, 1.0, id="they touch"),
        pytest.param([(0, 9, "swarm"), (10, 12, "locust")], 0, 0.0, id="one after the other"),
        pytest.param([(0, 9, "swarm"), (1, 9, "runner")], 0, 0.0, id="the runner is none"),
        pytest.param(
            [(0, 30, "locust"), (1, 2, "swarm"), (3, 4, "swarm"), (50, 51, "locust")],
            3,
            1.0,
            id="beside one that hangs",
        ),
        pytest.param(
            [(0, 30, "swarm"), (1, 9, "locust"), (5, 6, "swarm"), (31, 32, "locust")],
            3,
            1.0,
            id="its own lasts longest, another's still goes on",
        ),
    ],
)
def test_another_generator(operations: list[Sent], overlapping: int, highest: float) -> None:
    found = effort_of(operations).abreast
    assert (found.overlapping, found.highest_share) == (overlapping, highest)


def test_a_million_generators_are_as_few_to_it_as_two() -> None:
    count = 1_000_000
    start = np.arange(count) * 10
    meter = AbreastMeter()
    for first in range(0, count, 1 << 18):
        some = slice(first, first + (1 << 18))
        meter.add(start[some], start[some] + 10, np.arange(count)[some])
    found = meter.close()
    assert (found.generators, found.overlapping, found.share) == (count, count, 1.0)


def test_only_what_completed_counts() -> None:
    rows = [ok(0, 9, 1, source="swarm", process="a"), lost(1, source="locust", process="b")]
    found = run_of(rows).scan.effort
    assert (found.abreast.generators, found.processes, found.concurrency.pairs) == (1, 1, 0)


@given(widths=st.lists(st.integers(0, 2**62), min_size=1), share=st.sampled_from([0.01, 0.5, 1.0]))
def test_widths_are_within_one_percent(widths: list[int], share: float) -> None:
    measured = Widths()
    for width in widths:
        measured.add(np.array([-(2**62)]), np.array([width - 2**62]))
    found = measured.percentile(share)
    exact = sorted(widths)[max(0, -int(-Fraction(share) * len(widths) // 1) - 1)]
    assert found is not None
    assert exact * 0.99 <= found <= exact


def test_no_operation_has_no_width() -> None:
    found = effort_of([])
    assert (found.width_ns_p01, found.width_ns_p50, found.processes) == (None, None, None)
