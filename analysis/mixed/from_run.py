"""From a Run to Moves: the one place that knows both."""

import numpy as np

from analysis.effects import Effects, Moved
from analysis.mixed.history import NEVER, Moves, sorted_moves
from analysis.run import Run
from history.operation import Kind

_STEPS = {Kind.INCREMENT: 1, Kind.DECREMENT: -1, Kind.READ: 0}


def moves_of(run: Run) -> Moves:
    """Give the moves of a run; what a client may have sent again stands once for each sending."""
    done = {
        Kind.INCREMENT: run.increments,
        Kind.DECREMENT: run.decrements,
        Kind.READ: run.reads,
    }
    told = [
        Moved(part.start, part.end, np.full(len(part), _STEPS[kind]), part.row)
        for kind, part in done.items()
    ]
    perhaps = [
        _perhaps(run.unseen(kind), _STEPS[kind]) for kind in (Kind.INCREMENT, Kind.DECREMENT)
    ]
    parts = [*told, run.untold, *perhaps]
    lengths = [sum(map(len, told)), len(run.untold), sum(map(len, perhaps))]
    values = [part.value for part in done.values()]
    return sorted_moves(
        {
            "start": np.concatenate([part.start for part in parts]),
            "end": np.concatenate([np.minimum(part.end, NEVER) for part in parts]),
            "delta": np.concatenate([part.delta for part in parts]).astype(np.int64),
            "value": np.concatenate([*values, np.zeros(sum(lengths[1:]), dtype=np.int64)]),
            "told": np.repeat([True, False, False], lengths),
            "must": np.repeat([True, True, False], lengths),
            "row": np.concatenate([part.row for part in parts]),
        },
        initial=run.initial,
        final=run.final,
    )


def _perhaps(unseen: Effects, step: int) -> Moved:
    delta = np.where(unseen.delta == 0, step, unseen.delta)
    return Moved(unseen.start, unseen.until, delta, unseen.row)
