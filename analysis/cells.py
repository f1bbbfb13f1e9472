"""From cells as a file holds them to typed columns, naming the first cell that does not fit.

pandas left to itself turns a column with one blank into floats and 9007199254740993 into
...992; here integers stay integers or the history is refused.
"""

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analysis import arrow
from history.errors import UserError
from history.operation import INT64_MAX, Kind, Outcome, Reason
from history.schema import COLUMNS, Column, arrow_type

WORDS = {"kind": [str(kind) for kind in Kind], "outcome": [str(outcome) for outcome in Outcome]}
"""What a cell of these columns may say."""

_BITS = {"int64": 64, "int32": 32}
_INTEGER = re.compile(r"-?[0-9]+")
_DIGITS_OF_INT64 = 19
_SHOWN_CHARACTERS = 40
_ATTEMPTS_MAX = 10_000
"""Each attempt is an effect of its own in the judgement: a nonsense must not fill memory."""


def typed_batch(
    cells: Mapping[str, pa.Array], rows: int, *, where: str, first_row: int
) -> pa.RecordBatch:
    """Give columns of schema.COLUMNS, those that are there, each with the schema's type.

    `cells` are columns of text or of the right Arrow type; `where` is the file's name for
    messages and `first_row` the number of its first record. A blank `kind` is an increment.
    Raises UserError (file:row, found, expected) for the first cell that does not fit.
    """
    cells = dict(cells)
    oversized = np.zeros(0, dtype=bool)
    if "value" in cells and pa.types.is_string(cells["value"].type):
        cells["value"], oversized = _set_oversized_aside(cells["value"])
    columns = {
        column.name: _typed(cells[column.name], column, where, first_row)
        for column in COLUMNS
        if column.name in cells
    }
    if "delta" in columns:
        _check_deltas(columns, where, first_row)
    if oversized.any():
        _mark_oversized(columns, oversized)
    schema = pa.schema([(name, cells.type) for name, cells in columns.items()])
    if not columns:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=schema)


def quoted(text: str) -> str:
    """Show a found text in a message, shortened."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _typed(cells: pa.Array, column: Column, where: str, first_row: int) -> pa.Array:
    if column.type == "text":
        return _words(_text(cells), column, where, first_row)
    if pa.types.is_string(cells.type):
        cells = _integers(cells, column, where, first_row)
    if column.name == "attempts":
        long = _cast(cells, pa.int64(), column, where, first_row)
        _check_attempts(arrow.numbers(long, blank=1), where, first_row)
    numbers = _cast(cells, arrow_type(column), column, where, first_row)
    if column.name == "start_ns" and numbers.null_count:
        row = int(np.argmin(arrow.present(numbers))) + first_row
        raise UserError(f"{where}:{row}: found a blank in column start_ns, expected an integer")
    return numbers


def _cast(
    cells: pa.Array, kind: pa.DataType, column: Column, where: str, first_row: int
) -> pa.Array:
    """Give integers of another type as this one, naming the first that does not fit."""
    if cells.type == kind:
        return cells
    try:
        return cells.cast(kind)
    except pa.ArrowInvalid as error:
        limit = 1 << (kind.bit_width - 1)
        for row, number in enumerate(cells.to_pylist(), start=first_row):
            if number is not None and not -limit <= number < limit:
                raise UserError(
                    f"{where}:{row}: found {number} in column {column.name}, expected an integer "
                    f"of at most {kind.bit_width} bits"
                ) from error
        raise


def _check_attempts(attempts: npt.NDArray[np.integer], where: str, first_row: int) -> None:
    wrong = (attempts < 0) | (attempts > _ATTEMPTS_MAX)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UserError(
            f"{where}:{row + first_row}: found {attempts[row]} in column attempts, expected an "
            f"integer of 0 to {_ATTEMPTS_MAX}"
        )


def _text(cells: pa.Array) -> pa.DictionaryArray:
    """Give text as a dictionary, without the blanks around it; blank cells are null."""
    if pa.types.is_null(cells.type):
        cells = cells.cast(pa.string())
    if not pa.types.is_dictionary(cells.type):
        return _dictionary(cells)
    if len(cells.dictionary) > len(cells):  # those of all rows of a file, not of these
        return _dictionary(cells.cast(pa.string()))
    words = arrow.texts(cells.dictionary)
    if any(word is None or word != word.strip() or not word for word in words):
        return _dictionary(cells.cast(pa.string()))
    kind = pa.dictionary(pa.int32(), pa.string())
    return cells if cells.type == kind else cells.cast(kind)


def _dictionary(texts: pa.Array) -> pa.DictionaryArray:
    pc = arrow.compute()
    trimmed = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    blanked = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    return pc.dictionary_encode(blanked)


def _words(cells: pa.DictionaryArray, column: Column, where: str, first_row: int) -> pa.Array:
    """Check a column that may only say certain words, and give it with that dictionary."""
    allowed = WORDS.get(column.name)
    if allowed is None:
        return cells
    words = arrow.texts(cells.dictionary)
    if not cells.null_count and set(words) <= set(allowed):
        return cells
    known = np.array([allowed.index(w) if w in allowed else -1 for w in words] + [-1], np.int32)
    if column.name == "kind":
        known[-1] = allowed.index(str(Kind.INCREMENT))
    found = known[arrow.numbers(cells.indices, blank=len(words))]
    if found.min(initial=0) < 0:
        row = int(np.argmin(found))
        cell = cells[row].as_py()
        raise UserError(
            f"{where}:{row + first_row}: found {quoted(cell) if cell else 'a blank'} in column "
            f"{column.name}, expected one of {', '.join(allowed)}"
        )
    return pa.DictionaryArray.from_arrays(found, pa.array(allowed, pa.string()))


def _integers(texts: pa.Array, column: Column, where: str, first_row: int) -> pa.Array:
    pc = arrow.compute()
    texts = pc.utf8_trim_whitespace(texts)
    blanked = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    bits = _BITS[column.type]
    # Arrow alone would also read 0x1F: what a column holds must not depend on a library.
    decimal = pc.all(pc.match_substring_regex(texts, r"^-?[0-9]*$")).as_py()
    try:
        if decimal is not False:
            return pc.cast(blanked, arrow_type(column))
    except pa.ArrowInvalid:
        pass  # the loop names the cell
    for row, text in enumerate(texts.to_pylist(), start=first_row):
        if text and not (_INTEGER.fullmatch(text) and _fits(text, bits)):
            raise UserError(
                f"{where}:{row}: found {quoted(text)} in column {column.name}, expected an "
                f"integer of at most {bits} bits"
            )
    raise AssertionError(column.name)


def _fits(integer: str, bits: int) -> bool:
    digits = integer.lstrip("-").lstrip("0")
    if len(digits) > _DIGITS_OF_INT64:
        return False
    number = int(digits or "0")
    limit = 1 << (bits - 1)
    return -limit <= (-number if integer[0] == "-" else number) < limit


def _set_oversized_aside(texts: pa.Array) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Blank the integers that 64 bits cannot hold, and say which rows those were."""
    pc = arrow.compute()
    oversized = np.zeros(len(texts), dtype=bool)
    long = pc.fill_null(
        pc.greater_equal(pc.binary_length(texts), _DIGITS_OF_INT64), fill_value=False
    )
    for row in np.flatnonzero(long.to_numpy(zero_copy_only=False)):
        text = texts[int(row)].as_py().strip()
        oversized[row] = bool(_INTEGER.fullmatch(text)) and not _fits(text, _BITS["int64"])
    return pc.if_else(pa.array(oversized), "", texts), oversized


def _mark_oversized(columns: dict[str, pa.Array], oversized: npt.NDArray[np.bool_]) -> None:
    """Keep such an answer as what it is: `bounded` fails on this reason."""
    pc = arrow.compute()
    outcome = columns["outcome"].cast(pa.string())
    told = pc.equal(outcome, str(Outcome.OK)).to_numpy(zero_copy_only=False)
    answered = oversized & told
    # Without an answer there is nothing to have a value: the row must go on contradicting itself.
    columns["value"] = pc.if_else(pa.array(oversized & ~answered), INT64_MAX, columns["value"])
    columns["outcome"] = _dictionary(
        pc.if_else(pa.array(answered), str(Outcome.INDETERMINATE), outcome)
    )
    reasons = columns.get("reason", _dictionary(pa.nulls(len(outcome), pa.string())))
    label = pa.scalar(Reason.VALUE_EXCEEDS_64_BITS.label)
    columns["reason"] = _dictionary(
        pc.if_else(pa.array(answered), label, reasons.cast(pa.string()))
    )


def _check_deltas(columns: Mapping[str, pa.Array], where: str, first_row: int) -> None:
    """Refuse a delta that contradicts its row: judged all the same, it would lie."""
    given = arrow.present(columns["delta"])
    if not given.any():
        return
    delta = arrow.numbers(columns["delta"], blank=0)
    signs = {str(Kind.INCREMENT): 1, str(Kind.DECREMENT): -1, str(Kind.READ): 0}
    sign = np.ones(len(delta), dtype=np.int64)
    if "kind" in columns:
        kinds = columns["kind"]
        of_code = np.array([signs[str(word)] for word in arrow.texts(kinds.dictionary)])
        sign = of_code[arrow.numbers(kinds.indices, blank=0)]
    told = given & arrow.present(columns["value"]) if "value" in columns else given & False
    wrong = told | (given & ((np.sign(delta) != sign) | (sign == 0)))
    if wrong.any():
        row = int(np.argmax(wrong))
        kind = next(kind for kind, of_kind in signs.items() if of_kind == sign[row])
        found = f"delta {delta[row]} beside a value" if told[row] else f"delta {delta[row]}"
        raise UserError(
            f"{where}:{row + first_row}: found {found} in a row of kind {kind}, expected a delta "
            "only where value is blank, above 0 for an increment and below for a decrement"
        )
