"""Answered requests as the live view reads them, built from literal rows."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from history.journal import KINDS, NO_TIME, OUTCOMES
from history.operation import Kind, Outcome
from runner.live.answers import ANSWER_DTYPE, Rows


class Answer(NamedTuple):
    """An increment that was answered a number; `worker` makes it unlike all others."""

    start_ns: int
    end_ns: int
    value: int
    worker: int = 0
    outcome: Outcome = Outcome.OK
    kind: Kind = Kind.INCREMENT
    intended_ns: int = NO_TIME
    process: int = 0


def rows_of(answers: Iterable[Answer]) -> Rows:
    """Give answers as the array that the live view works on."""
    listed = list(answers)
    rows = np.zeros(len(listed), dtype=ANSWER_DTYPE)
    for name in Answer._fields:
        rows[name] = [_code(getattr(answer, name)) for answer in listed]
    return rows


def _code(cell: Outcome | Kind | int) -> int:
    if isinstance(cell, Outcome):
        return OUTCOMES.index(cell)
    return KINDS.index(cell) if isinstance(cell, Kind) else cell
