"""A history of moves of one counter: what each added, when, and what it was told."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEVER = 2**63 - 1
"""End of an interval that never ended: later than every time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Operations as arrays of equal length, sorted by start; times are closed intervals, in ns.

    `delta` is what a move adds: 0 for a read. `value` is the counter after it, where `told`.
    `must`: it took effect exactly once within [start, end]; the others within it at most once,
    perhaps never, and are never told. `row` is the position in the history. `initial` and
    `final` are the counter before all and after all; `final` is None when unknown.
    """

    start: Int64s
    end: Int64s
    delta: Int64s
    value: Int64s
    told: Bools
    must: Bools
    row: Int64s
    initial: int
    final: int | None

    def __post_init__(self) -> None:
        """Refuse what no check could make sense of."""
        lengths = {len(getattr(self, name)) for name in ARRAYS}
        if len(lengths) != 1:
            raise ValueError(f"arrays of different lengths: {sorted(lengths)}")
        if (self.start[1:] < self.start[:-1]).any():
            raise ValueError("moves must be sorted by start")
        if (self.told & ~self.must).any():
            raise ValueError("a move whose value is known has happened")

    def __len__(self) -> int:
        return len(self.start)

    @property
    def is_unit(self) -> bool:
        """Whether each that happened told its value, and none adds anything but +1, -1 or 0."""
        # Not by absolute values: that of the least integer is itself.
        single = (self.delta >= -1) & (self.delta <= 1)
        return bool((self.told | ~self.must).all()) and bool(single.all())


ARRAYS = ("start", "end", "delta", "value", "told", "must", "row")
"""The arrays of Moves, in order."""


def sorted_moves(
    columns: dict[str, npt.NDArray[np.int64] | npt.NDArray[np.bool_]],
    *,
    initial: int,
    final: int | None,
) -> Moves:
    """Build Moves from arrays in any order."""
    order = np.argsort(columns["start"], kind="stable")
    arrays = {name: columns[name][order] for name in ARRAYS}
    return Moves(**arrays, initial=initial, final=final)  # type: ignore[arg-type]
