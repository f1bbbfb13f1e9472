"""What a reader gives: the operations it found, column by column, and what it says of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from analysis.cells import quoted
from analysis.evidence import plural
from history.errors import UserError
from history.operation import INT64_MAX, INT64_MIN, Kind, Outcome, Reason, Returns

_TYPES = {
    "kind": pa.string(),
    "start_ns": pa.int64(),
    "end_ns": pa.int64(),
    "outcome": pa.string(),
    "value": pa.string(),  # text: an answer may be wider than 64 bits, and must not be lost
    "worker": pa.string(),
    "source": pa.string(),
    "status": pa.int32(),
    "reason": pa.string(),
    "delta": pa.int64(),
}
_WORKER_CHARACTERS = 100
_STATUS_END = 1000
_PLACES_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A history that something else recorded.

    `table` has columns named as in schema.COLUMNS, one row an operation. Each note is a
    sentence about what was left out or assumed. `returns` is given where the source itself says
    what an increment answers, and the table's values already are that.
    """

    table: pa.Table
    notes: tuple[str, ...] = ()
    returns: Returns | None = None


@dataclass(slots=True)
class Rows:
    """Operations as a reader finds them; `source` goes into the column of that name."""

    source: str
    _columns: dict[str, list[object]] = field(
        default_factory=lambda: {name: [] for name in _TYPES if name != "source"}
    )

    def __len__(self) -> int:
        return len(self._columns["start_ns"])

    def add(
        self,
        where: str,
        *,
        start_ns: int,
        outcome: Outcome,
        end_ns: int | None = None,
        value: int | None = None,
        kind: Kind = Kind.INCREMENT,
        status: int | None = None,
        reason: Reason | None = None,
        worker: str = "",
        delta: int | None = None,
    ) -> None:
        """Take one operation; raises UserError where a time or delta does not fit 64 bits."""
        for name, number in (("start_ns", start_ns), ("end_ns", end_ns), ("delta", delta)):
            if number is not None and not INT64_MIN <= number <= INT64_MAX:
                raise UserError(
                    f"{where}: found {quoted(str(number))} for {name}, expected an integer of at "
                    "most 64 bits"
                )
        if status is not None and not 0 < status < _STATUS_END:
            raise UserError(
                f"{where}: found status {status}, expected one of 1 to {_STATUS_END - 1}"
            )
        columns = self._columns
        columns["kind"].append(str(kind))
        columns["start_ns"].append(start_ns)
        columns["end_ns"].append(end_ns)
        columns["outcome"].append(str(outcome))
        columns["value"].append(None if value is None else str(value))
        columns["worker"].append(_text(worker))
        columns["status"].append(status)
        columns["reason"].append(None if reason is None else reason.label)
        columns["delta"].append(delta)

    def count(self, outcome: Outcome) -> int:
        """Count the rows with an outcome."""
        return self._columns["outcome"].count(str(outcome))

    def imported(self, notes: Iterable[str], returns: Returns | None = None) -> Imported:
        """Give what was taken, with the notes on it."""
        columns = self._columns | {"source": [self.source] * len(self)}
        table = pa.table({name: pa.array(columns[name], kind) for name, kind in _TYPES.items()})
        return Imported(table=table, notes=tuple(notes), returns=returns)


@dataclass(slots=True)
class Tally:
    """Where something happened that a note has to tell of: how often, and the first places."""

    places: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, place: object) -> None:
        """Count one more."""
        self.count += 1
        if len(self.places) < _PLACES_SHOWN:
            self.places.append(str(place))

    def told(self, did: str, noun: str, rest: str, nouns: str | None = None) -> list[str]:
        """Give the note, or none: "left out: 3 reads (4, 7, 9) without a value"."""
        if not self.count:
            return []
        more = ", …" if self.count > len(self.places) else ""
        places = ", ".join(self.places) + more
        return [f"{did}: {plural(self.count, noun, nouns)} ({places}) {rest}"]


def _text(text: str) -> str | None:
    """Bound a name, and escape what is not text in it."""
    return text[:_WORKER_CHARACTERS].encode(errors="backslashreplace").decode() or None
