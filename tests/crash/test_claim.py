"""The claim itself can fail: on histories that lost, invented or passed what they must not."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from history.sealing import SLOT_DTYPE
from tests.crash.claim import Record, lost, unaccounted, wrong_verdict
from tests.crash.experiment import Kill
from tests.crash.plan import Phase
from tests.runs import lost as unanswered
from tests.runs import new_manifest, ok, run_of

WORKER: dict[str, Any] = {"worker": "swarm-0/3", "process": "swarm-0"}
ROWS = [ok(10, 20, 1, **WORKER), ok(30, 40, 2, **WORKER), unanswered(50, **WORKER)]


@pytest.mark.parametrize(
    ("rows", "applied", "received", "said"),
    [
        pytest.param(ROWS, [1, 2, 3], 3, [], id="the unanswered one took 3"),
        pytest.param(ROWS, [1, 2], 2, [], id="the unanswered one took nothing"),
        pytest.param(
            ROWS,
            [1, 2, 3, 4],
            3,
            ["2 applied increments are not recorded as ok, and only 1 records are indeterminate"],
            id="3 and 4 were applied",
        ),
        pytest.param(
            ROWS[:2],
            [1, 2],
            3,
            ["the server read 3 requests, 2 are recorded"],
            id="one was read and not recorded",
        ),
        pytest.param(
            [*ROWS, ok(60, 70, 2)],
            [1, 2, 3],
            4,
            ["recorded as returned, but never handed out: [2]"],
            id="2 was handed out once",
        ),
    ],
)
def test_the_server_s_book(
    rows: list[dict[str, Any]], applied: Sequence[int], received: int, said: list[str]
) -> None:
    assert list(unaccounted(run_of(rows).frame, applied, received)) == said


def record(verdict: str, **process: Any) -> Record:
    """Two answered operations of swarm-0, and how that ended."""
    (ended,) = new_manifest().processes
    ended = dataclasses.replace(ended, **{"journal_records": 2, "closed_records": 2} | process)
    return Record(
        frame=run_of(ROWS[:2]).frame,
        manifest=new_manifest().replace(processes=(ended,)),
        verdict={"verdict": verdict},
    )


@pytest.mark.parametrize(
    ("found", "applied", "said"),
    [
        pytest.param(record("PASS"), [1, 2], [], id="complete"),
        pytest.param(record("INCONCLUSIVE", exit_state="x"), [1, 2, 3], [], id="no claim made"),
        pytest.param(record("FAIL"), [1, 2], ["FAIL of a correct counter"], id="FAIL"),
        pytest.param(record("PASS"), [1, 2, 3], ["PASS of 2 operations"], id="one too few"),
        pytest.param(
            record("PASS", exit_state="was killed"), [1, 2], ["PASS, although 2 "], id="killed"
        ),
        pytest.param(
            record("PASS", closed_records=None), [1, 2], ["PASS, although 2 "], id="no count"
        ),
        pytest.param(record("PASS", closed_records=3), [1, 2], ["PASS, although 2 "], id="count"),
    ],
)
def test_verdicts(found: Record, applied: Sequence[int], said: list[str]) -> None:
    sentences = list(wrong_verdict(found, applied))
    assert len(sentences) == len(said)
    assert all(map(str.startswith, sentences, said))


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        pytest.param({}, 0, id="there"),
        pytest.param({"start_ns": 11}, 1, id="another start"),
        pytest.param({"worker": 4}, 1, id="another worker"),
        pytest.param({"value": 7}, 1, id="another value"),
        pytest.param({"value": 7, "answered": 0}, 0, id="not answered when killed"),
    ],
)
def test_what_was_recorded_stays(fields: dict[str, int], count: int) -> None:
    slots = np.zeros(1, dtype=SLOT_DTYPE)
    known = {"start_ns": 10, "end_ns": 20, "value": 1, "worker": 3, "outcome": 1, "answered": 1}
    for name, number in (known | fields).items():
        slots[name] = number
    kill = Kill(victim="swarm-0", phase=Phase.MIDDLE, recorded=slots, alive=True)
    assert len(list(lost(kill, run_of(ROWS).frame))) == count
