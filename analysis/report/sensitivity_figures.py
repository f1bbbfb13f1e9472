"""The figures of a measurement of sensitivity: measured points beside the model's lines. Pure."""

import math

import numpy as np

from analysis.report import formats, plots
from analysis.report.plots import Axis, Line, Marks, Plot
from analysis.report.timeline import Float64s
from analysis.sensitivity.model import chance
from analysis.sensitivity.result import AtRate, Compared, OfFault, Sensitivity

MARKERS = ("o", "s", "D", "^", "v", "P")
_POINTS = 200
_TICKS = 8
_APART = 0.05
"""Faults measured at the same rate stand so many decades beside each other."""
_SHARES = tuple((float(percent), str(percent)) for percent in (0, 25, 50, 75, 100))
_DETECTION = Axis(label="probability of detection, %", low=-3, high=103, ticks=_SHARES)


def shown(result: Sensitivity) -> tuple[OfFault, ...]:
    """Give the faults that something was measured of."""
    return tuple(fault for fault in result.faults if fault.rates and fault.seen)


def by_rate(result: Sensitivity) -> Plot:
    """Show detection in one whole run against the rate of the fault."""
    faults = shown(result)
    rates = [one.rate for fault in faults for one in fault.rates]
    low, high = min(rates) / 4, min(max(rates) * 4, 1.0)
    lines, marks = [], []
    for order, fault in enumerate(faults):
        beside = 10 ** (_APART * (order - (len(faults) - 1) / 2))
        requests = _mean_requests(fault)
        x = np.geomspace(low, high, _POINTS)
        y = np.array([chance(_seen(fault), min(rate, 1 - 1e-9), requests) for rate in x])
        lines.append(_line(order, f"{fault.fault}: model", x, y))
        measured = [(one.rate * beside, one.runs) for one in fault.rates if one.runs.measured.of]
        lines += [_interval(order, at, one) for at, one in measured]
        marks.append(_marks(order, f"{fault.fault}: measured", measured))
    runs = sum(one.runs.measured.of for fault in faults for one in fault.rates)
    return Plot(
        title=f"Detection in one run of {result.duration_s} s "
        f"(n = {formats.counted(runs, 'run')}; bars: 95 %)",
        x=Axis(
            label="one spoiled request in so many (log; rarer to the left)",
            low=low,
            high=high,
            log=True,
            ticks=_rate_ticks(sorted(set(rates))),
        ),
        y=_DETECTION,
        lines=lines,
        marks=marks,
    )


def _rate_ticks(rates: list[float]) -> tuple[tuple[float, str], ...]:
    every = math.ceil(len(rates) / _TICKS)
    return tuple((rate, f"{round(1 / rate):,}") for rate in rates[::every])


def has_shorter(result: Sensitivity) -> bool:
    """Whether there is anything to show of shorter runs."""
    return any(_shorter(fault) for fault in shown(result))


def by_expected(result: Sensitivity) -> Plot:
    """Show detection in shorter runs against how many spoiled requests they were to hold."""
    faults = shown(result)
    lines, marks = [], []
    held = [
        (order, fault, found) for order, fault in enumerate(faults) if (found := _shorter(fault))
    ]
    points = [at for _, _, measured in held for at, _ in measured]
    x = np.geomspace(min(points) / 2, max(*points, 10.0), _POINTS)
    for order, fault, measured in held:
        lines.append(_line(order, f"{fault.fault}: model", x, -np.expm1(-_seen(fault) * x)))
        lines += [_interval(order, at, one) for at, one in measured]
        marks.append(_marks(order, f"{fault.fault}: measured", measured))
    windows = sum(one.measured.of for _, _, measured in held for _, one in measured)
    return Plot(
        title=f"Detection in shorter runs (n = {formats.counted(windows, 'window')}; bars: 95 %)",
        x=Axis(
            label="spoiled requests expected: requests times rate (log)",
            low=float(x[0]),
            high=float(x[-1]),
            log=True,
            ticks=_decades(float(x[0]), float(x[-1])),
        ),
        y=_DETECTION,
        lines=lines,
        marks=marks,
    )


def _shorter(fault: OfFault) -> list[tuple[float, Compared]]:
    return [
        (rate.rate * one.requests, one)
        for rate in fault.rates
        for one in rate.lengths
        if one.measured.of >= LEAST_WINDOWS and rate.rate * one.requests <= _ALL_CAUGHT
    ]


LEAST_WINDOWS = 10
"""Of fewer windows so little is known that their bars would hide the others."""

_ALL_CAUGHT = 30.0
"""Where more spoiled requests are expected than this, all is caught and nothing to be seen."""


def _decades(low: float, high: float) -> tuple[tuple[float, str], ...]:
    powers = range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    return tuple((10.0**power, f"{10.0**power:g}") for power in powers)


def _seen(fault: OfFault) -> float:
    return fault.seen.value if fault.seen else 0.0


def _mean_requests(fault: OfFault) -> float:
    """Give how many requests a whole run of this fault held on average, or any run if none was."""
    whole: list[AtRate] = [one for one in fault.rates if one.runs.measured.of]
    runs = sum(one.runs.measured.of for one in whole)
    if not runs:
        return float(max(one.requests for one in fault.rates))
    return sum(one.runs.requests * one.runs.measured.of for one in whole) / runs


def _line(order: int, label: str, x: Float64s, y: Float64s) -> Line:
    return Line(
        label=label,
        x=x,
        y=100 * y,
        colour=plots.COLOURS[order % len(plots.COLOURS)],
        dashes=plots.DASHES[order % len(plots.DASHES)],
        steps=False,
    )


def _interval(order: int, at: float, one: Compared) -> Line:
    """Give the bar of a measured share; a label that begins so is in no legend."""
    return Line(
        label="_interval",
        x=np.array([at, at]),
        y=np.array([100 * one.measured.low, 100 * one.measured.high]),
        colour=plots.COLOURS[order % len(plots.COLOURS)],
        width=0.8,
        steps=False,
    )


def _marks(order: int, label: str, measured: list[tuple[float, Compared]]) -> Marks:
    return Marks(
        label=label,
        x=np.array([at for at, _ in measured]),
        y=np.array([100 * one.measured.caught / one.measured.of for _, one in measured]),
        colour=plots.COLOURS[order % len(plots.COLOURS)],
        marker=MARKERS[order % len(MARKERS)],
        size=4.5,
        hollow=True,
    )
