"""Order of operations that several hosts' clocks stamped. Pure.

CHECKERS C: within a host times compare exactly. Across hosts, clock g known within +-e_g of a
common time, a precedes b only if end_a + e_g < start_b - e_h. That relation is a part of the
true precedence, so that no error of the clocks can raise a false alarm.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.effects import Completed
from analysis.run import Run
from analysis.stretch import NEVER_NS, Bools, Int64s, Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """What several hosts say together.

    `count` operations are certainly out of order, `pairs` are rows of some of them: of the one
    that completed early, and of the one of a smaller value that was sent after that. `possible`
    operations would be out of order by clocks without error, and errors of `hiding_error_ns` in
    each clock would hide all of that (None: nothing to hide). `error_ns` is the largest error
    that is possible, None where nothing is known of the clocks of the `unknown` hosts.
    """

    count: int
    pairs: tuple[tuple[int, int], ...]
    possible: int
    hiding_error_ns: int | None
    error_ns: int | None
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Timed:
    """Increments and reads sorted by value, an increment before the reads of its value.

    `host` is the position in the run's hosts, `key` numbers the distinct places in the order.
    """

    done: Completed
    key: Int64s
    host: Int64s


def host_rows(run: Run) -> Int64s:
    """Give for each row the position of its host in run.hosts."""
    position = {host: at for at, host in enumerate(run.hosts)}
    parts = [np.zeros(0, dtype=np.int64)]
    for first_row, batch in run.record.batches(("host",)):
        codes, words = Stretch(first_row, batch).words("host")
        of_code = [position.get(word, 0) for word in [*words, ""]]
        parts.append(np.array(of_code, dtype=np.int64)[codes])
    return np.concatenate(parts)


def offsets_and_errors(run: Run) -> tuple[Int64s, Int64s]:
    """Give each host's clock offset and error, nanoseconds; zeros where nothing is known."""
    clocks = [run.clocks.get(host) for host in run.hosts]
    return (
        np.array([clock.offset_ns if clock else 0 for clock in clocks], dtype=np.int64),
        np.array([clock.error_ns if clock else 0 for clock in clocks], dtype=np.int64),
    )


def widened(run: Run, start: Int64s, end: Int64s, host: Int64s) -> tuple[Int64s, Int64s]:
    """Give intervals of the common time that hold those of these hosts' clocks for certain.

    Where nothing is known of a clock, that is all of time.
    """
    offset, error = (of_host[host] for of_host in offsets_and_errors(run))
    known = np.array([name in run.clocks for name in run.hosts], dtype=bool)[host]
    return (
        np.where(known, shifted(start, offset - error), -NEVER_NS),
        np.where(known, shifted(end, offset + error), NEVER_NS),
    )


def find_apart(run: Run, *, limit: int) -> Apart:
    """Find operations that are out of order although several hosts' clocks stamped them."""
    timed = _timed(run)
    unknown = tuple(host for host in run.hosts if host not in run.clocks)
    offset, error = (of_host[timed.host] for of_host in offsets_and_errors(run))
    start, end = shifted(timed.done.start, offset), shifted(timed.done.end, offset)
    own = _latest_on_own_host(timed)
    violating = _violating(timed.done.end, timed.done.start, own)
    wide_start, wide_end = widened(run, timed.done.start, timed.done.end, timed.host)
    across = _latest(timed.key, wide_start)
    late_of = np.where(violating, own, across)
    violating |= _violating(wide_end, wide_start, across)
    level = _latest(timed.key, start)
    possible = _violating(end, start, level)
    at = np.flatnonzero(violating)[:limit]
    return Apart(
        count=int(violating.sum()),
        pairs=tuple(
            zip(timed.done.row[at].tolist(), timed.done.row[late_of[at]].tolist(), strict=True)
        ),
        possible=int(possible.sum()),
        hiding_error_ns=_hiding(start[level[possible]], end[possible]),
        error_ns=None if unknown else int(error.max(initial=0)),
        unknown=unknown,
    )


def shifted(times: Int64s, by: Int64s) -> Int64s:
    """Move times by nanoseconds; those that stand for "always" stay, none leaves 64 bits."""
    room = NEVER_NS - np.abs(by)
    moved = np.clip(times, -room, room) + by
    return np.where(np.abs(times) == NEVER_NS, times, moved)


def answered(run: Run) -> Completed:
    """Give the increments, and then the reads, that returned a value."""
    ups, reads = run.increments, run.reads
    return Completed(*(np.concatenate([getattr(ups, n), getattr(reads, n)]) for n in ups.__slots__))


def _timed(run: Run) -> _Timed:
    done = answered(run)
    is_read = np.arange(len(done)) >= len(run.increments)
    order = np.lexsort((is_read, done.value))
    done = Completed(*(getattr(done, name)[order] for name in done.__slots__))
    is_read = is_read[order]
    fresh = (done.value[1:] != done.value[:-1]) | (is_read[1:] != is_read[:-1])
    key = np.concatenate(([0], np.cumsum(fresh)))[: len(done)]
    return _Timed(done, key, host_rows(run)[done.row])


def _latest(key: Int64s, start: Int64s) -> Int64s:
    """Give, for each position, that of the latest start under strictly smaller keys, or -1."""
    if not len(key):
        return np.zeros(0, dtype=np.int64)
    running = np.maximum.accumulate(start)
    raised = np.concatenate(([True], start[1:] > running[:-1]))
    latest = np.maximum.accumulate(np.where(raised, np.arange(len(key)), 0))
    first_of_key = np.searchsorted(key, key, side="left")
    return np.where(first_of_key > 0, latest[np.maximum(first_of_key - 1, 0)], -1)


def _latest_on_own_host(timed: _Timed) -> Int64s:
    """Give the same among operations of the same host, of however many hosts in one go."""
    order = np.argsort(timed.host, kind="stable")
    host, size = timed.host[order], len(order) + 1
    # One host after the other: later hosts' keys and ranks of start are above those before.
    _, rank = np.unique(timed.done.start, return_inverse=True)
    found = _latest(timed.key[order] + host * size, rank[order] + host * size)
    found = np.where((found >= 0) & (host[found] == host), found, -1)
    latest = np.full(len(order), -1, dtype=np.int64)
    latest[order] = np.where(found >= 0, order[found], -1)
    return latest


def _violating(end: Int64s, start: Int64s, latest: Int64s) -> Bools:
    violating: npt.NDArray[np.bool_] = (latest >= 0) & (end < start[latest])
    return violating


def _hiding(late_start: Int64s, early_end: Int64s) -> int | None:
    """Give the smallest error of each clock that would hide every inversion."""
    if not len(late_start):
        return None
    return (int((late_start - early_end).view(np.uint64).max()) + 1) // 2
