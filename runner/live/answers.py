"""An answered request, as the live view knows it: arrays of them."""

import numpy as np
import numpy.typing as npt

from history.journal import KINDS, OUTCOMES
from history.operation import Kind, Outcome
from history.sealing import SLOT_DTYPE

Int64s = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]
"""A structured array: of history.sealing.SLOT_DTYPE, or of ANSWER_DTYPE."""

_COPIED = ("kind", "outcome", "worker", "start_ns", "intended_ns", "end_ns", "value")
ANSWER_DTYPE = np.dtype([("process", "<i4"), *((name, SLOT_DTYPE[name]) for name in _COPIED)])
"""One row an answered request. `process` is the position of its process in Tails.names."""


def answers_of(slots: Rows, process: int) -> Rows:
    """Give answered slots of one process as ANSWER_DTYPE."""
    answers = np.empty(len(slots), dtype=ANSWER_DTYPE)
    answers["process"] = process
    for name in _COPIED:
        answers[name] = slots[name]
    return answers


def with_outcome(answers: Rows, outcome: Outcome) -> npt.NDArray[np.bool_]:
    """Tell which answers have this outcome."""
    has: npt.NDArray[np.bool_] = answers["outcome"] == OUTCOMES.index(outcome)
    return has


def returned(answers: Rows) -> Rows:
    """Give those that say something of the values: increments that were answered a number."""
    is_increment = answers["kind"] == KINDS.index(Kind.INCREMENT)
    numbers: Rows = answers[is_increment & with_outcome(answers, Outcome.OK)]
    return numbers
