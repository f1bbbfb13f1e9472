"""From Arrow's buffers to numpy and Python, without a copy and without a detour. Pure.

pyarrow's own conversions (to_numpy, to_pylist, scalar) import pandas first, which takes longer
than a million operations take to be judged.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def numbers(cells: pa.Array, *, blank: int) -> npt.NDArray[np.integer]:
    """Give an array of integers, and `blank` where it is null; a view if nothing is."""
    kind = np.dtype(str(cells.type))
    buffer = cells.buffers()[1]
    if buffer is None:
        return np.full(len(cells), blank, dtype=kind)
    found = np.frombuffer(buffer, dtype=kind)[cells.offset : cells.offset + len(cells)]
    return np.where(present(cells), found, kind.type(blank)) if cells.null_count else found


def present(cells: pa.Array) -> npt.NDArray[np.bool_]:
    """Say which cells are not null."""
    if not cells.null_count:
        return np.ones(len(cells), dtype=bool)
    bitmap = cells.buffers()[0]
    if bitmap is None:
        return np.zeros(len(cells), dtype=bool)
    bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8), bitorder="little")
    return bits[cells.offset : cells.offset + len(cells)].view(bool)


def texts(cells: pa.Array) -> list[str | None]:
    """Give a short array of text as strings."""
    return [cell.as_py() for cell in cells]
