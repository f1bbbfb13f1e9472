"""Does every value lie between what the counter held before and after?"""

import numpy as np

from analysis.evidence import about, plural
from analysis.run import Int64s, Run
from analysis.verdict import EVIDENCE_CAP, Finding, Verdict

NAME = "bounded"


def check(run: Run) -> Finding:
    """FAIL when a value lies outside (initial, final], or beyond 64 bits.

    With decrements the values that could be reached at all take the place of the interval.
    A read may also return the initial value itself. Without a final value only the lower
    bound is known.
    """
    low, high = _limits(run)
    outside = _outside(run, low, high)
    beyond = np.flatnonzero(run.beyond_64_bits)
    rows = np.concatenate([outside, beyond])
    checked = len(run.increments) + len(run.decrements) + len(run.reads)
    counts = {
        "checked": checked,
        "outside": len(outside),
        "beyond_64_bits": len(beyond),
        "low": low,
        "high": high,
    }
    bracket = "[" if run.has_decrements else "("
    interval = f"{bracket}{low:,}, {'unknown' if high is None else f'{high:,}'}]"
    if len(rows):
        return Finding(
            check=NAME,
            verdict=Verdict.FAIL,
            summary=f"{plural(len(rows), 'value')} outside {interval}.",
            counts=counts,
            evidence=tuple(
                about(run, f"value {_value(run, int(row))} lies outside {interval}", [row])
                for row in rows[:EVIDENCE_CAP]
            ),
            evidence_total=len(rows),
        )
    if not checked:
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary="No operation returned a value, so nothing could be compared.",
            counts=counts,
        )
    return Finding(
        check=NAME,
        verdict=Verdict.PASS,
        summary=f"{plural(checked, 'value')}, all within {interval}.",
        counts=counts,
    )


def _limits(run: Run) -> tuple[int, int | None]:
    if not run.has_decrements:
        return run.initial, run.final
    # Numbers come and go: the extremes are all decrements first, or all increments first.
    down = len(run.decrements) + run.uncertain_decrements
    up = len(run.increments) + len(run.uncertain_starts)
    return run.initial - down, run.initial + up


def _outside(run: Run, low: int, high: int | None) -> Int64s:
    changes_low = low if run.has_decrements else low + 1
    picked = [
        _beyond(run.increments.value, run.increments.row, changes_low, high),
        _beyond(run.decrements.value, run.decrements.row, low, high),
        _beyond(run.reads.value, run.reads.row, low, high),
    ]
    return np.sort(np.concatenate(picked))


def _beyond(values: Int64s, rows: Int64s, low: int, high: int | None) -> Int64s:
    outside = values < low
    if high is not None:
        outside |= values > high
    return rows[outside]


def _value(run: Run, row: int) -> str:
    value = run.frame["value"].iloc[[row]].to_list()[0]
    return f"{value:,}" if isinstance(value, int) else "of more than 64 bits"
