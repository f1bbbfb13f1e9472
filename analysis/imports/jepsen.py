"""Jepsen's histories, EDN or JSON: invocations and completions, paired by process.

An entry has :type (:invoke, :ok, :fail, :info), :f, :value, :process, and :time in ns since the
test began. :ok happened, :fail did not, :info and a missing completion perhaps did. A process
that crashed goes on under another number, so one process is never twice in flight.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.cells import quoted
from analysis.imports import edn
from analysis.imports.functions import FUNCTIONS, effect, integer, name_of
from analysis.imports.rows import Imported, Rows, Tally
from analysis.imports.texts import head, json_objects, json_value, whole
from history.errors import UserError
from history.operation import Kind, Outcome, Reason, Returns

_OUTCOMES = {"ok": Outcome.OK, "fail": Outcome.REJECTED, "info": Outcome.INDETERMINATE}
_JSON = re.compile(r"\s*(?:\[\s*)?\{\s*\"")


@dataclass(slots=True)
class _Event:
    number: int
    type: str
    name: str
    value: object
    process: int
    time: int | None
    index: int | None


@dataclass(slots=True)
class _Operation:
    """An invocation and its completion, of which either may be missing."""

    first: _Event
    invoked: _Event | None
    completed: _Event | None = None


@dataclass(slots=True)
class _Notes:
    told: list[str] = field(default_factory=list)
    others: Tally = field(default_factory=Tally)
    unstarted: Tally = field(default_factory=Tally)
    unended: Tally = field(default_factory=Tally)
    unread: Tally = field(default_factory=Tally)
    nothing: Tally = field(default_factory=Tally)
    unused: Tally = field(default_factory=Tally)

    def sentences(self) -> list[str]:
        return [
            *self.told,
            *self.others.told("left out", "entry", "of no client (a nemesis, a log)", "entries"),
            *self.unstarted.told(
                "taken as sent at the beginning", "completion", "without an invocation"
            ),
            *self.unended.told("taken as indeterminate", "invocation", "without a completion"),
            *self.unread.told("left out", "read", "without a value, which tells nothing"),
            *self.nothing.told("left out", "add", "of 0, which changes nothing"),
            *self.unused.told(
                "not used", "answer", "to an add of more than 1: what it added was kept instead"
            ),
        ]


def read(path: Path) -> Imported:
    """Read a Jepsen history; raises UserError naming the entry that is no counter's."""
    notes, rows = _Notes(), Rows("jepsen")
    events = _in_order(list(_events(path, notes)), notes)
    operations = _paired(events, path, notes)
    tellers = _tellers(operations, path, notes)
    beginning = min((_time(event) for event in events), default=0)
    for operation in operations:
        _add(rows, operation, path=path, beginning=beginning, tellers=tellers, notes=notes)
    answers = {FUNCTIONS[event.name].answers for event in events}
    if "an id" in answers:
        notes.told.append(
            "ids need only differ: what other checks than unique say holds if they are a counter's"
        )
    if "before" in answers:
        notes.told.append(
            "what fetch-and-add and its like answered, the value before, was turned into that after"
        )
    return rows.imported(notes.sentences(), Returns.NEW if answers & {"after", "before"} else None)


def _entries(path: Path) -> Iterator[tuple[int, object]]:
    start = head(path).lstrip()
    if not _JSON.match(start):
        yield from enumerate(edn.values(whole(path), str(path)), start=1)
    elif start.startswith("["):
        yield from enumerate(json_value(whole(path), str(path)), start=1)
    else:
        yield from json_objects(path)


def _events(path: Path, notes: _Notes) -> Iterator[_Event]:
    for number, entry in _entries(path):
        where = _where(path, number)
        if not isinstance(entry, Mapping) or not isinstance(entry.get("type"), str):
            raise UserError(
                f"{where}: found {quoted(str(entry))}, expected a map with :type, :f, :value and "
                ":process"
            )
        process = _integer(entry.get("process"))
        if process is None or entry["type"] not in {"invoke", *_OUTCOMES}:
            notes.others.add(number)
            continue
        yield _Event(
            number=number,
            type=entry["type"],
            name=name_of(entry.get("f"), where),
            value=entry.get("value"),
            process=process,
            time=_integer(entry.get("time")),
            index=_integer(entry.get("index")),
        )


def _where(path: Path, number: int) -> str:
    return f"{path}: entry {number}"


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _in_order(events: list[_Event], notes: _Notes) -> Sequence[_Event]:
    """Sort by :index where it tells them apart, and see to it that every entry has a time."""
    indices = {event.index for event in events}
    if None not in indices and len(indices) == len(events):
        events.sort(key=lambda event: event.index or 0)
    if any(event.time is None for event in events):
        notes.told.append("not every entry has a :time: their order was taken as the clock")
        for position, event in enumerate(events):
            event.time = position
    return events


def _time(event: _Event) -> int:
    return event.time or 0


def _paired(events: Sequence[_Event], path: Path, notes: _Notes) -> list[_Operation]:
    """Give the operations in the order of their first entry."""
    operations: list[_Operation] = []
    in_flight: dict[int, _Operation] = {}
    for event in events:
        if event.type == "invoke":
            in_flight[event.process] = _Operation(event, invoked=event)
            operations.append(in_flight[event.process])
            continue
        operation = in_flight.pop(event.process, None)
        if operation is None:
            notes.unstarted.add(event.number)
            operations.append(_Operation(event, invoked=None, completed=event))
        elif operation.first.name != event.name:
            raise UserError(
                f"{_where(path, event.number)}: found a completion of {event.name}, expected one "
                f"of {operation.first.name}, which process {event.process} had sent"
            )
        else:
            operation.completed = event
    for operation in operations:
        if operation.completed is None:
            notes.unended.add(operation.first.number)
    return operations


def _tellers(operations: Sequence[_Operation], path: Path, notes: _Notes) -> Collection[str]:
    """Find those of the functions that may answer `either` whose answers are values."""
    found = {
        operation.completed.name
        for operation in operations
        if operation.invoked and operation.completed and operation.completed.type == "ok"
        if FUNCTIONS[operation.completed.name].answers == "either"
        if operation.completed.value not in (None, operation.invoked.value)
        if integer(operation.completed.value, _where(path, operation.completed.number)) is not None
    }
    notes.told.extend(
        f"the answers of {name} were taken as the counter's values: some differ from what was asked"
        for name in sorted(found)
    )
    return found


def _add(
    rows: Rows,
    operation: _Operation,
    *,
    path: Path,
    beginning: int,
    tellers: Collection[str],
    notes: _Notes,
) -> None:
    """Turn one operation into a row, or into a note that says why not."""
    first, completed = operation.first, operation.completed
    where = _where(path, first.number)
    outcome = _OUTCOMES[completed.type] if completed else Outcome.INDETERMINATE
    ok = outcome is Outcome.OK
    answer = integer(completed.value, where) if completed and ok else None
    asked = integer(operation.invoked.value, where) if operation.invoked else None
    is_read = FUNCTIONS[first.name].answers == "the counter"
    if operation.invoked is None and FUNCTIONS[first.name].answers == "either":
        asked = answer
    did = effect(first.name, asked, answer, tellers)
    if is_read and ok and did.value is None:
        notes.unread.add(first.number)
        return
    if not is_read and not did.added:
        notes.nothing.add(first.number)
        return
    if did.unused:
        notes.unused.add(first.number)
    blind = ok and not is_read and did.value is None
    wide = outcome is Outcome.INDETERMINATE and abs(did.added) > 1
    up_or_down = Kind.INCREMENT if did.added > 0 else Kind.DECREMENT
    rows.add(
        where,
        start_ns=_time(operation.invoked) if operation.invoked else beginning,
        end_ns=_time(completed) if completed and completed.type != "info" else None,
        outcome=outcome,
        value=did.value,
        kind=Kind.READ if is_read else up_or_down,
        reason=_reason(outcome, told=did.value is not None),
        worker=f"process {first.process}",
        delta=did.added if blind or wide else None,
    )


def _reason(outcome: Outcome, *, told: bool) -> Reason | None:
    if outcome is Outcome.INDETERMINATE:
        return Reason.NO_ANSWER
    return Reason.INTEGER if told else None
