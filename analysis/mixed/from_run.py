"""From a Run to Moves: the one place that knows both."""

import numpy as np

from analysis.mixed.history import NEVER, Moves, sorted_moves
from analysis.run import Run
from history.operation import Kind


def moves_of(run: Run) -> Moves:
    """Give the moves of a run; what a client may have sent again stands once for each sending."""
    told = [(run.increments, 1), (run.decrements, -1), (run.reads, 0)]
    # What perhaps happened: from its sending on, for ever.
    unsure = [
        (run._uncertain(kind), delta)  # noqa: SLF001 -- only increments have a public way
        for kind, delta in ((Kind.INCREMENT, 1), (Kind.DECREMENT, -1))
    ]
    lengths = [len(part) for part, _ in told]
    spare = sum(len(rows) for rows, _ in unsure)
    deltas = [np.full(len(part), delta) for part, delta in told]
    deltas += [np.full(len(rows), delta) for rows, delta in unsure]
    rows = np.concatenate([part.row for part, _ in told] + [rows for rows, _ in unsure])
    known = np.arange(sum(lengths) + spare) < sum(lengths)
    return sorted_moves(
        {
            "start": run._start[rows],  # noqa: SLF001 -- as above
            "end": np.concatenate([part.end for part, _ in told] + [np.full(spare, NEVER)]),
            "delta": np.concatenate(deltas).astype(np.int64),
            "value": np.concatenate([part.value for part, _ in told] + [np.zeros(spare, int)]),
            "told": known,
            "must": known.copy(),
            "row": rows,
        },
        initial=run.initial,
        final=run.final,
    )
