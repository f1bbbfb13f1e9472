"""From text cells to a typed frame, naming the first cell that does not fit.

pandas left to itself turns a column with one blank into floats and 9007199254740993 into
...992; here integers stay integers or the history is refused.
"""

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from history.errors import UserError
from history.operation import INT64_MAX, Kind, Outcome, Reason
from history.schema import COLUMNS, Column

_WORDS = {"kind": [str(kind) for kind in Kind], "outcome": [str(outcome) for outcome in Outcome]}
_BITS = {"int64": 64, "int32": 32}
_INTEGER = re.compile(r"-?[0-9]+")
_DIGITS_OF_INT64 = 19
_SHOWN_CHARACTERS = 40
_ATTEMPTS_MAX = 10_000
"""Each attempt is an effect of its own in the judgement: a nonsense must not fill memory."""


def typed_frame(
    cells: Mapping[str, pa.Array], rows: int, *, where: str, first_row: int
) -> pd.DataFrame:
    """Give the frame of schema.COLUMNS from columns of text or of the right Arrow type.

    `where` is the file's name for messages and `first_row` the number of its first record.
    Raises UserError (file:row, found, expected) for the first cell that does not fit.
    """
    cells = dict(cells)
    oversized = np.zeros(rows, dtype=bool)
    if "value" in cells and pa.types.is_string(cells["value"].type):
        cells["value"], oversized = _set_oversized_aside(cells["value"])
    frame = pd.DataFrame(
        {
            column.name: _series(cells[column.name], column, where, first_row)
            if column.name in cells
            else _absent(column, rows)
            for column in COLUMNS
        }
    )
    _check_words(frame, where, first_row)
    _check_deltas(frame, where, first_row)
    if oversized.any():
        _mark_oversized(frame, oversized)
    return frame


def quoted(text: str) -> str:
    """Show a found text in a message, shortened."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def _series(cells: pa.Array, column: Column, where: str, first_row: int) -> pd.Series:
    if column.type == "text":
        return _text(cells, column)
    if pa.types.is_string(cells.type):
        cells = _integers(cells, column, where, first_row)
    values = pc.fill_null(pc.cast(cells, pa.int64()), 0).to_numpy(zero_copy_only=False)
    missing = pc.is_null(cells).to_numpy(zero_copy_only=False)
    if column.name == "start_ns":
        if missing.any():
            row = int(np.argmax(missing)) + first_row
            raise UserError(f"{where}:{row}: found a blank in column start_ns, expected an integer")
        return pd.Series(values)
    if column.name == "attempts":
        _check_attempts(values, where, first_row)
        values, missing = np.where(missing, 1, values), np.zeros(len(values), dtype=bool)
    return pd.Series(pd.arrays.IntegerArray(values.copy(), missing.copy()))


def _check_attempts(attempts: npt.NDArray[np.int64], where: str, first_row: int) -> None:
    wrong = (attempts < 0) | (attempts > _ATTEMPTS_MAX)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UserError(
            f"{where}:{row + first_row}: found {attempts[row]} in column attempts, expected an "
            f"integer of 0 to {_ATTEMPTS_MAX}"
        )


def _text(cells: pa.Array, column: Column) -> pd.Series:
    if not pa.types.is_dictionary(cells.type):
        texts = pc.utf8_trim_whitespace(cells.cast(pa.string()))
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        cells = pc.dictionary_encode(texts)
    series = pd.Series(cells.to_pandas())
    if column.name == "kind" and series.isna().any():
        default = str(Kind.INCREMENT)
        if default not in series.cat.categories:
            series = series.cat.add_categories([default])
        series = series.fillna(default)
    return series


def _integers(texts: pa.Array, column: Column, where: str, first_row: int) -> pa.Array:
    texts = pc.utf8_trim_whitespace(texts)
    blanked = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    bits = _BITS[column.type]
    # Arrow alone would also read 0x1F: what a column holds must not depend on a library.
    decimal = pc.all(pc.match_substring_regex(texts, r"^-?[0-9]*$")).as_py()
    try:
        if decimal is not False:
            return pc.cast(blanked, pa.int64() if column.type == "int64" else pa.int32())
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
    oversized = np.zeros(len(texts), dtype=bool)
    long = pc.fill_null(
        pc.greater_equal(pc.binary_length(texts), _DIGITS_OF_INT64), fill_value=False
    )
    for row in np.flatnonzero(long.to_numpy(zero_copy_only=False)):
        text = texts[int(row)].as_py().strip()
        oversized[row] = bool(_INTEGER.fullmatch(text)) and not _fits(text, _BITS["int64"])
    return pc.if_else(pa.array(oversized), "", texts), oversized


def _mark_oversized(frame: pd.DataFrame, oversized: npt.NDArray[np.bool_]) -> None:
    """Keep such an answer as what it is: `bounded` fails on this reason."""
    answered = oversized & (frame["outcome"] == str(Outcome.OK)).to_numpy()
    # Without an answer there is nothing to have a value: the row must go on contradicting itself.
    frame.loc[oversized & ~answered, "value"] = INT64_MAX
    oversized = answered
    label = Reason.VALUE_EXCEEDS_64_BITS.label
    reasons = frame["reason"]
    if label not in reasons.cat.categories:
        reasons = reasons.cat.add_categories([label])
    frame["reason"] = reasons.where(~oversized, label)
    outcomes = frame["outcome"]
    if str(Outcome.INDETERMINATE) not in outcomes.cat.categories:
        outcomes = outcomes.cat.add_categories([str(Outcome.INDETERMINATE)])
    frame["outcome"] = outcomes.where(~oversized, str(Outcome.INDETERMINATE))


def _absent(column: Column, rows: int) -> pd.Series:
    if column.name == "kind":
        codes = np.zeros(rows, dtype=np.int8)
        return pd.Series(
            pd.Categorical.from_codes(codes, categories=pd.Index([str(Kind.INCREMENT)]))
        )
    if column.name == "attempts":
        return pd.Series(np.ones(rows, dtype=np.int64), dtype="Int64")
    if column.type == "text":
        nothing = np.full(rows, -1, dtype=np.int8)
        return pd.Series(pd.Categorical.from_codes(nothing, categories=pd.Index([], dtype="str")))
    return pd.Series(pd.arrays.IntegerArray(np.zeros(rows, np.int64), np.ones(rows, bool)))


def _check_words(frame: pd.DataFrame, where: str, first_row: int) -> None:
    for name, allowed in _WORDS.items():
        wrong = ~frame[name].isin(allowed).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            cell = frame[name].iloc[row]
            found = quoted(cell) if isinstance(cell, str) else "a blank"
            raise UserError(
                f"{where}:{row + first_row}: found {found} in column {name}, expected one of "
                f"{', '.join(allowed)}"
            )


def _check_deltas(frame: pd.DataFrame, where: str, first_row: int) -> None:
    """Refuse a delta that contradicts its row: judged all the same, it would lie."""
    given = frame["delta"].notna().to_numpy()
    if not given.any():
        return
    delta = frame["delta"].to_numpy(dtype=np.int64, na_value=0)
    signs = {str(Kind.INCREMENT): 1, str(Kind.DECREMENT): -1, str(Kind.READ): 0}
    sign = frame["kind"].astype(object).map(signs).to_numpy(dtype=np.int64)
    told = given & frame["value"].notna().to_numpy()
    wrong = told | (given & ((np.sign(delta) != sign) | (sign == 0)))
    if wrong.any():
        row = int(np.argmax(wrong))
        kind = frame["kind"].iloc[row]
        found = f"delta {delta[row]} beside a value" if told[row] else f"delta {delta[row]}"
        raise UserError(
            f"{where}:{row + first_row}: found {found} in a row of kind {kind}, expected a delta "
            "only where value is blank, above 0 for an increment and below for a decrement"
        )
