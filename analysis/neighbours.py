"""What the answers' order says of how hard the run tried: intervals of close numbers. Pure.

All by value, from the slots: nothing here depends on the order of the record.
"""

import numpy as np

from analysis.slots import Answers, Segment, Slots
from analysis.stretch import Bools, Int64s
from history.operation import INT64_MAX

VISIBLE_SHARE = 0.95
SAMPLED = 1 << 16
"""So many values at most are looked at: the share is then known within 0.3 %."""

_FEW = 1 << 15
"""Slots that stay in the processor's cache while they are worked on."""


def contended(answers: Answers) -> int:
    """Count the increments whose interval overlaps that of the number next to theirs.

    Those that share a number, which must not be, count as well: they did meet.

    Only these can have gone wrong by a race. Whoever read the counter before another's update
    and wrote it after did so around the effect next to its own, and so overlaps that neighbour;
    merely to overlap something is not enough, as one request that hangs overlaps all others.
    """
    count = 0
    last, met = None, False
    for slots in answers.chunks(at_most=_FEW):
        known = slots if last is None else _joined(last, slots)
        overlaps = _overlapping(known)
        meets = np.concatenate(([met], overlaps)) | (known.returned > 1)
        count += int(known.returned[:-1][meets[:-1] | overlaps].sum())
        last, met = _picked(known, slice(-1, None)), bool(meets[-1])
    return count + int(last.returned[0]) if last and met else count


def _overlapping(slots: Slots) -> Bools:
    """Say of each slot but the last whether it and that of the next number overlap."""
    both = (slots.returned[:-1] > 0) & (slots.returned[1:] > 0)
    next_to = slots.value[1:] - slots.value[:-1] == 1
    overlaps: Bools = both & next_to & (slots.earliest_end[:-1] >= slots.latest_start[1:])
    return overlaps


def order_resolution(answers: Answers) -> int | None:
    """Give by how many numbers an answer must be too old for 95 % of such inversions to show.

    The smallest power of two k such that of 95 % of the values v the operation that returned v
    had completed before the one that returned v + k was sent: exchanged, the two would contradict
    real time. Values of which v + k was not returned say nothing. At most half the number of
    values; None where not even that will do: nothing like an order was to be seen.
    """
    sample = _sample(answers)
    most = answers.distinct // 2
    for distance in (*(1 << bit for bit in range(max(0, most - 1).bit_length())), most):
        if distance and _visible_share(answers, sample, distance) >= VISIBLE_SHARE:
            return distance
    return None


def _sample(answers: Answers) -> Slots:
    """Give all slots that increments returned, or as many as are enough.

    At random, for a load may come in volleys as regular as any steps; the same every time.
    """
    total = sum(len(segment.returned) for segment in answers.segments)
    chosen = np.arange(total) if total <= SAMPLED else _drawn(total)
    sample = Slots(*(np.zeros(0, dtype=np.int64) for _ in range(4)))
    for segment in answers.segments:
        here = chosen[chosen < len(segment.returned)]
        whole = _at(segment, here)
        sample = _joined(sample, _picked(whole, whole.returned > 0))
        chosen = chosen[len(here) :] - len(segment.returned)
    return sample


def _drawn(total: int) -> Int64s:
    return np.sort(np.random.default_rng(0).integers(0, total, SAMPLED))


def _visible_share(answers: Answers, sample: Slots, distance: int) -> float:
    """Give the share of values v for which v and v + distance are in order by time."""
    sample = _picked(sample, sample.value <= INT64_MAX - distance)
    known = visible = 0
    for segment in answers.segments:
        at, found = _positions(segment, sample.value + distance)
        later = _at(segment, at[found])
        both = later.returned > 0
        known += int(np.count_nonzero(both))
        visible += int(np.count_nonzero(both & (sample.earliest_end[found] < later.latest_start)))
    return visible / known if known else 0.0


def _positions(segment: Segment, value: Int64s) -> tuple[Int64s, Bools]:
    """Give where values stand in a segment, and which of them do."""
    if segment.values is None:
        last = segment.first + len(segment.returned) - 1
        return value - segment.first, (value >= segment.first) & (value <= last)
    at = np.searchsorted(segment.values, value)
    inside = at < len(segment.values)
    found: Bools = inside & (segment.values[np.where(inside, at, 0)] == value)
    return at, found


def _at(segment: Segment, at: Int64s) -> Slots:
    value = segment.first + at if segment.values is None else segment.values[at]
    return Slots(value, segment.latest_start[at], segment.earliest_end[at], segment.returned[at])


def _picked(slots: Slots, which: Bools | slice) -> Slots:
    return Slots(
        slots.value[which],
        slots.latest_start[which],
        slots.earliest_end[which],
        slots.returned[which],
    )


def _joined(before: Slots, after: Slots) -> Slots:
    return Slots(
        np.concatenate((before.value, after.value)),
        np.concatenate((before.latest_start, after.latest_start)),
        np.concatenate((before.earliest_end, after.earliest_end)),
        np.concatenate((before.returned, after.returned)),
    )
