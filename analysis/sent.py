"""Who sent what: a recorded run by process, in passes that keep no more than one of them. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analysis.record import Record
from analysis.stretch import NEVER_NS, Bools, Int64s, Stretch
from history.operation import Kind, Outcome

RUNNER = "runner"
"""The source of the few requests that bracket the load: no generator."""

_OF_PROCESS = ("process", "start_ns", "end_ns", "intended_ns", "outcome", "value", "delta")
_OF_ALL = (*_OF_PROCESS, "kind", "source", "worker", "attempts")


@dataclass(frozen=True, slots=True)
class Requests:
    """One process's requests, in the order of the record; arrays of equal length.

    int64 nanoseconds: `end` is NEVER_NS where no answer came, `intended` says something only
    where `scheduled`. `consistent` rows do not contradict themselves.
    """

    start: Int64s
    end: Int64s
    intended: Int64s
    scheduled: Bools
    ok: Bools
    consistent: Bools


def requests_of(record: Record, process: str) -> Requests:
    """Give the requests of one process."""
    nothing, never = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
    parts = [Requests(nothing, nothing, nothing, never, never, never)]
    for stretch in _stretches(record, _OF_PROCESS):
        own = np.flatnonzero(stretch.says("process", process))
        if len(own):
            parts.append(_picked(stretch, own))
    return Requests(
        start=np.concatenate([part.start for part in parts]),
        end=np.concatenate([part.end for part in parts]),
        intended=np.concatenate([part.intended for part in parts]),
        scheduled=np.concatenate([part.scheduled for part in parts]),
        ok=np.concatenate([part.ok for part in parts]),
        consistent=np.concatenate([part.consistent for part in parts]),
    )


def _picked(stretch: Stretch, own: Int64s) -> Requests:
    return Requests(
        start=stretch.start[own],
        end=stretch.end[own],
        intended=stretch.numbers("intended_ns", blank=0)[own],
        scheduled=stretch.present("intended_ns")[own],
        ok=stretch.ok[own],
        consistent=~stretch.inconsistent[own],
    )


@dataclass(slots=True)
class Activity:
    """What all processes sent, counted; a request that found no connection was not sent.

    `sent` and `latest_ns` are by process: how many, and when the last of them ended or would
    have been given up. `workers` and `sent_workers` are by source: who tried, and who sent.
    `scheduled` counts requests of a schedule by source and `scheduled_sent` those sent;
    `decrements` are sent ones, `decrements_ok` answered, by source like `sent_by_source`.
    """

    sent: Counter[str] = field(default_factory=Counter)
    sent_by_source: Counter[str] = field(default_factory=Counter)
    latest_ns: dict[str, int] = field(default_factory=dict)
    workers: dict[str, set[str]] = field(default_factory=dict)
    sent_workers: dict[str, set[str]] = field(default_factory=dict)
    scheduled: Counter[str] = field(default_factory=Counter)
    scheduled_sent: Counter[str] = field(default_factory=Counter)
    decrements: Counter[str] = field(default_factory=Counter)
    decrements_ok: Counter[str] = field(default_factory=Counter)
    first_start_ns: int = int(NEVER_NS)
    last_start_ns: int = -int(NEVER_NS)


def activity(record: Record, *, timeout_ns: int) -> Activity:
    """Count what was sent; without an answer a request is given up after `timeout_ns`."""
    found = Activity()
    for stretch in _stretches(record, _OF_ALL):
        _take(found, stretch, np.int64(timeout_ns))
    return found


def _take(found: Activity, stretch: Stretch, timeout_ns: np.int64) -> None:
    sent = stretch.attempts > 0
    given_up = np.minimum(stretch.start, NEVER_NS - timeout_ns) + timeout_ns
    over = np.where(stretch.ended, stretch.end, given_up)
    for process, own in _groups(stretch, "process", sent):
        found.sent[process] += int(np.count_nonzero(own))
        found.latest_ns[process] = max(
            found.latest_ns.get(process, -int(NEVER_NS)), int(over[own].max())
        )
    scheduled, down = stretch.present("intended_ns"), sent & stretch.is_kind(Kind.DECREMENT)
    everything = np.ones(len(stretch), dtype=bool)
    for counter, rows in (
        (found.sent_by_source, sent),
        (found.scheduled, scheduled),
        (found.scheduled_sent, scheduled & sent),
        (found.decrements, down),
        (found.decrements_ok, down & stretch.is_outcome(Outcome.OK)),
    ):
        for source, own in _groups(stretch, "source", rows):
            counter[source] += int(np.count_nonzero(own))
    for names, rows in ((found.workers, everything), (found.sent_workers, sent)):
        for source, own in _groups(stretch, "source", rows):
            codes, words = stretch.words("worker")
            names.setdefault(source, set()).update(
                words[code] for code in np.unique(codes[own]).tolist() if code >= 0
            )
    found.first_start_ns = min(found.first_start_ns, int(stretch.start.min()))
    found.last_start_ns = max(found.last_start_ns, int(stretch.start.max()))


def _groups(stretch: Stretch, name: str, rows: Bools) -> Iterator[tuple[str, Bools]]:
    """Give rows by the word that stands in a column; a blank is ""."""
    codes, words = stretch.words(name)
    for code, word in enumerate([*words, ""]):
        own = rows & (codes == (code if word else -1))
        if own.any():
            yield word, own


def _stretches(record: Record, names: tuple[str, ...]) -> Iterator[Stretch]:
    for first_row, batch in record.batches(names):
        if batch.num_rows:
            yield Stretch(first_row, batch)
