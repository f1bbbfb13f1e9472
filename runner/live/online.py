"""The running verdict: duplicates and inversions among the answers seen so far.

What it promises, for answers given in batches (CHECKERS A, conditions 1 and 2):

- No false alarm, in whatever order and batches the answers come: each duplicate it reports was
  returned before, each inversion is less than a value that had been returned before it was sent.
- Every duplicate is reported, once each further answer with the same value, while
  `unchecked` is 0.
- Every inversion is reported, when each answer comes in an earlier batch than those it
  precedes in real time, in the same one, or in the next one; and while no request is in flight
  for longer than the STEPS_MAX / 2 latest rises of the maximum.

Times are of one host's monotonic clock.
"""

from dataclasses import dataclass

import numpy as np

from runner.live.answers import ANSWER_DTYPE, Int64s, Rows, chosen, joined, returned
from runner.live.seen import SeenValues
from runner.live.staircase import STEPS_MAX, Staircase


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a batch brought to light; rows of ANSWER_DTYPE.

    `duplicates` returned a value that was returned before. Of `inversions` each returned less
    than the value beside it in `passed`, which was returned at `passed_end_ns`, before the
    inversion's request was sent.
    """

    duplicates: Rows
    inversions: Rows
    passed: Int64s
    passed_end_ns: Int64s


class OnlineCheck:
    """Count duplicates and inversions; `base` is where the values begin, more or less."""

    def __init__(self, base: int, *, steps_max: int = STEPS_MAX) -> None:
        self.duplicates = 0
        self.inversions = 0
        self._seen = SeenValues(base)
        self._highest = Staircase(steps_max)
        self._in_order: Rows = np.zeros(0, dtype=ANSWER_DTYPE)
        """The last batch's answers that were no inversions by then."""

    @property
    def unchecked(self) -> int:
        """Count the values that were too far from all others to be remembered."""
        return self._seen.unchecked

    def add(self, answers: Rows) -> Found:
        """Add a batch of answers of ANSWER_DTYPE, in any order; what returned no value is ignored.

        Reports each duplicate and each inversion once.
        """
        answers = returned(answers)
        answers = answers.take(np.argsort(answers["end_ns"], kind="stable"))
        duplicates = chosen(answers, self._seen.add(answers["value"].copy()))
        self._highest.add(answers["end_ns"], answers["value"])
        # The last batch once more: what came with this one may have preceded some of it.
        judged = joined((self._in_order, answers), ANSWER_DTYPE)
        passed, passed_end_ns = self._highest.before(judged["start_ns"])
        late = judged["value"] < passed
        if len(answers):
            known = len(self._in_order)
            self._in_order = chosen(judged[known:], ~late[known:])
        self.duplicates += len(duplicates)
        self.inversions += int(late.sum())
        return Found(
            duplicates=duplicates,
            inversions=chosen(judged, late),
            passed=passed[late],
            passed_end_ns=passed_end_ns[late],
        )
