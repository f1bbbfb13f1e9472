"""From Arrow's buffers to numpy and Python, without a copy and without a detour. Pure.

pyarrow's own conversions (to_numpy, to_pylist, scalar) import pandas first, which takes longer
than a million operations take to be judged.
"""

import importlib
from itertools import pairwise
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


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
    """Give an array of text as strings."""
    if not pa.types.is_string(cells.type) or not len(cells):
        return [cell.as_py() for cell in cells]
    _, offsets, written = cells.buffers()
    ends = np.frombuffer(offsets, np.int32)[cells.offset : cells.offset + len(cells) + 1].tolist()
    text = written.to_pybytes() if written else b""
    found = [text[begin:end].decode() for begin, end in pairwise(ends)]
    if not cells.null_count:
        return found
    known = present(cells).tolist()
    return [word if is_known else None for word, is_known in zip(found, known, strict=True)]


def equal(cells: pa.Array, word: str) -> npt.NDArray[np.bool_]:
    """Say which cells of text are this word."""
    same = pc.fill_null(pc.equal(cells, word), fill_value=False)
    bits = np.unpackbits(np.frombuffer(same.buffers()[1], np.uint8), bitorder="little")
    return bits[same.offset : same.offset + len(same)].view(bool)


def compute() -> ModuleType:
    """Give pyarrow.compute, which Parquet histories do without: it takes long to import, too."""
    return importlib.import_module("pyarrow.compute")
