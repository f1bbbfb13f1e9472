"""The tables of a measurement of sensitivity, and how its figures are said. Pure."""

import math

from analysis.report import formats
from analysis.report.tables import Column, RowGroup, Table, numbers, table
from analysis.sensitivity.result import AtRate, Compared, OfFault, Sensitivity, Share

MARK = "*"
"""Stands beside a figure of the model that lies outside the measured interval."""

_UNITS = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"))
_AT_LEAST_OF_A_UNIT = 1.5


def time_words(seconds: float | None) -> str:
    """Write a length of time with the unit that suits it."""
    if seconds is None:
        return formats.UNKNOWN
    for unit_s, unit in _UNITS:
        if seconds >= _AT_LEAST_OF_A_UNIT * unit_s:
            return f"{_figures(seconds / unit_s)} {unit}"
    return f"{_figures(seconds)} s" if seconds >= 1 else "under 1 s"


def _figures(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"  # noqa: PLR2004


def one_in(rate: float) -> str:
    """Write a rate as one in so many."""
    return f"1 in {round(1 / rate):,}"


def about_one_in(rate: float) -> str:
    """Write a rate that was derived, to two figures; never rarer than it is."""
    number = 1 / rate
    unit = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return f"1 in {math.floor(number / unit) * unit:,}"


def percent(part: float) -> str:
    """Write a probability; next to nothing and nearly certain are not rounded to it."""
    if 0 < part < 0.001:  # noqa: PLR2004 -- three digits are shown
        return "< 0.1 %"
    if 0.999 < part < 1:  # noqa: PLR2004
        return "> 99.9 %"
    return f"{100 * part:.3g} %"


def span(share: Share) -> str:
    """Write the interval of a measured share."""
    return f"{percent(share.low)} to {percent(share.high)}"


def model(one: Compared) -> str:
    """Write the model's figure, marked where it disagrees with what was measured."""
    if one.model is None:
        return formats.BLANK
    return percent(one.model) + (f" {MARK}" if one.disagrees else "")


def detection(result: Sensitivity) -> Table:
    """Set every fault at every rate: measured, the model's, and what would be needed."""
    columns = (
        *(Column("fault"), Column("rate")),
        *numbers("requests a run", "injected", "caught", "measured, 95 %", "model"),
        *numbers("requests for 95 %", "at most", "at requests/s", "time for 95 %"),
    )
    rows = [_row(fault, one) for fault in result.faults for one in fault.rates]
    return table(f"Detection in runs of {result.duration_s} s", columns, rows)


def _row(fault: OfFault, one: AtRate) -> tuple[str, ...]:
    needed = one.needed
    return (
        fault.fault,
        one_in(one.rate),
        formats.integer(round(one.runs.requests)) if one.runs.measured.of else formats.BLANK,
        formats.integer(one.injected),
        f"{one.runs.measured.caught} of {one.runs.measured.of}",
        span(one.runs.measured),
        model(one.runs),
        formats.integer(needed.requests),
        formats.integer(needed.requests_high),
        formats.UNKNOWN if one.per_s is None else f"{one.per_s:,.0f}",
        time_words(needed.seconds),
    )


def chances(result: Sensitivity) -> Table:
    """Set for each fault how likely one spoiled request is seen, and the rarest rate caught."""
    columns = (
        *(Column("fault"), Column("check")),
        *numbers("one spoiled request is seen", "95 % interval", "rarest caught in a run, 95 %"),
    )
    rows = []
    for fault in result.faults:
        seen = fault.seen
        rows.append(
            (
                fault.fault,
                fault.check,
                percent(seen.value) if seen else f"skipped: {fault.skipped}",
                f"{percent(seen.low)} to {percent(seen.high)}" if seen else formats.BLANK,
                about_one_in(fault.rarest) if fault.rarest else formats.BLANK,
            )
        )
    return table("By the model, fitted to the windows of each fault's runs", columns, rows)


def lengths(result: Sensitivity) -> Table:
    """Set what shorter runs would have caught."""
    groups = tuple(
        RowGroup(
            heading=f"{fault.fault}, {one_in(rate.rate)}",
            rows=tuple(
                (
                    formats.integer(one.numbers),
                    formats.integer(round(one.requests)),
                    f"{one.measured.caught:,} of {one.measured.of:,}",
                    percent(one.measured.caught / one.measured.of),
                    span(one.measured),
                    model(one),
                )
                for one in rate.lengths
                if one.measured.of
            ),
        )
        for fault in result.faults
        for rate in fault.rates
    )
    columns = numbers("numbers", "requests, mean", "caught", "share", "measured, 95 %", "model")
    return Table(caption="Shorter runs: windows", columns=columns, groups=groups, compact=True)


def runs(result: Sensitivity) -> Table:
    """Set every run."""
    columns = (
        *(Column("run"), Column("verdict"), Column("check"), Column("says")),
        *numbers("requests", "numbers", "injected"),
        Column("remark"),
    )
    rows = [
        (
            formats.plain(one.name),
            one.verdict or formats.BLANK,
            formats.plain(one.check),
            one.checked or formats.BLANK,
            formats.integer(one.requests),
            formats.integer(one.numbers),
            formats.integer(one.injected),
            formats.plain(_remark(one.problem, one.whole_because, whole=one.whole), 300),
        )
        for one in result.runs
    ]
    return table("Each run", columns, rows)


def _remark(problem: str, whole_because: str, *, whole: bool) -> str:
    if problem:
        return problem
    told = [] if whole else ["interrupted: only its windows count"]
    told += [f"not cut: {whole_because}"] if whole_because else []
    return "; ".join(told)
