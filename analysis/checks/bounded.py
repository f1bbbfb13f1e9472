"""Does every value lie between what the counter held before and after?"""

import numpy as np

from analysis import effects
from analysis.completeness import unless_missing
from analysis.evidence import pieces, plural
from analysis.run import Run
from analysis.scan import Rows
from analysis.stretch import Stretch
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict
from history.operation import Kind

NAME = "bounded"


def check(run: Run) -> Finding:
    """FAIL when a value lies outside (initial, final], or beyond 64 bits, or final < initial.

    With decrements the values that could be reached at all take the place of the interval, and
    records that are missing make the verdict INCONCLUSIVE.
    A read may also return the initial value itself. Without a final value only the lower
    bound is known.
    """
    found = run.scan
    low, high = _limits(run)
    outside = _outside(run, low, high)
    checked = sum(extent.count for extent in found.extents.values())
    total = outside.count + found.beyond_64_bits.count
    counts = {
        "checked": checked,
        "outside": outside.count,
        "beyond_64_bits": found.beyond_64_bits.count,
        "low": low,
        "high": high,
    }
    bracket = "[" if run.is_mixed else "("
    interval = f"{bracket}{low:,}, {'unknown' if high is None else f'{high:,}'}]"
    if total:
        rows = [*outside.first, *found.beyond_64_bits.first][:EVIDENCE_CAP]
        failed = Finding(
            check=NAME,
            verdict=Verdict.FAIL,
            summary=f"{plural(total, 'value')} outside {interval}.",
            counts=counts,
            evidence=pieces(
                run,
                [[row] for row in rows],
                lambda _, shown: f"value {_said(shown[0]['value'])} lies outside {interval}",
            ),
            evidence_total=total,
        )
        # How far decrements and increments can lead depends on how many there were.
        return unless_missing(run, failed) if run.is_mixed else failed
    if high is not None and high < low:
        fell = f"The counter fell from {low:,} to {high:,}, and nothing decremented it"
        return Finding(
            check=NAME,
            verdict=Verdict.FAIL,
            summary=f"{fell}.",
            counts=counts,
            evidence=(Evidence(summary=fell),),
            evidence_total=1,
        )
    if not checked:
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary="No operation returned a value, so nothing could be compared: a history with "
            "answered operations would decide it.",
            counts=counts,
        )
    return Finding(
        check=NAME,
        verdict=Verdict.PASS,
        summary=f"{plural(checked, 'value')}, all within {interval}.",
        counts=counts,
    )


def _limits(run: Run) -> tuple[int, int | None]:
    if not run.is_mixed:
        return run.initial, run.final
    # Numbers come and go: the extremes are all decrements first, or all increments first.
    found = run.scan
    (ups, downs), (perhaps_up, perhaps_down) = found.certainly, found.perhaps
    return run.initial - downs - perhaps_down, run.initial + ups + perhaps_up


def _outside(run: Run, low: int, high: int | None) -> Rows:
    """Find the operations whose values lie outside; the record is only read again if there are."""
    lowest = dict.fromkeys(Kind, low)
    if not run.is_mixed:
        lowest[Kind.INCREMENT] = low + 1
    rows = Rows()
    inside = all(
        extent.low is None
        or (extent.low >= lowest[kind] and (high is None or (extent.high or 0) <= high))
        for kind, extent in run.scan.extents.items()
    )
    for first_row, batch in () if inside else run.record.batches(effects.COLUMNS):
        stretch = Stretch(first_row, batch)
        wrong = np.zeros(len(stretch), dtype=bool)
        for kind in Kind:
            done = effects.completed(stretch, kind, shift=run.shift)
            beyond = done.value < lowest[kind]
            if high is not None:
                beyond |= done.value > high
            wrong[done.row[beyond] - first_row] = True
        rows.take(stretch, wrong)
    return rows


def _said(value: int | None) -> str:
    return "of more than 64 bits" if value is None else f"{value:,}"
