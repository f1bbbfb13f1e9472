"""What all runs of a measurement of sensitivity say together. Pure: no files, no clock.

Two kinds of figures stand beside each other. Measured: so many of so many runs, or windows of runs,
were caught. Derived: what the model (analysis/sensitivity/model.py), fitted to each fault's
windows, says of the same, and of how many requests would be needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.sensitivity.binomial import CONFIDENCE, interval
from analysis.sensitivity.measure import Measured
from analysis.sensitivity.model import Estimate, chance, estimate, rarest, requests_needed
from analysis.verdict import Verdict
from history.fault import FAULTS, parse_fault
from history.series import Control, Series

SCHEMA_VERSION = 1
INTERRUPTED, COMPLETE, FALSE_ALARM = 3, 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """One run: what the judge said of it, and what the intermediary counted.

    `caught`: the check that is there for the fault says FAIL. `checked` is that check's verdict.
    `injected` is None where it is not known. `whole` says that the load came to its end. `problem`
    says why it could not be judged, `whole_because` why it was not cut; empty otherwise.
    """

    name: str
    fault: str = ""
    rate: float = 0.0
    check: str = ""
    verdict: str = ""
    checked: str = ""
    caught: bool = False
    requests: int = 0
    numbers: int = 0
    injected: int | None = None
    load_s: float = 0.0
    whole: bool = True
    whole_because: str = ""
    problem: str = ""

    @property
    def judged(self) -> bool:
        """Whether there is a verdict."""
        return bool(self.verdict)

    @property
    def is_false_alarm(self) -> bool:
        """Whether the judge said FAIL of a counter that nothing was done to."""
        return self.injected == 0 and self.verdict == Verdict.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Measured: `caught` of `of`, with Clopper and Pearson's 95 % interval of the chance."""

    caught: int
    of: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Detection in runs of one length, measured and by the model (None: it was not fitted).

    `numbers` is the length (0: whole runs), `requests` how many these held on average. `disagrees`:
    the model's figure lies outside the measured interval.
    """

    numbers: int
    requests: float
    measured: Share
    model: float | None
    disagrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Derived: requests, and seconds at the throughput measured, that catch a fault with 95 %.

    `low` and `high` belong to the ends of the chance's interval; None: no number of requests does,
    or the throughput is not known.
    """

    requests: int | None
    requests_low: int | None
    requests_high: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRate:
    """One fault at one rate: whole runs, the shorter runs within them, and what is needed."""

    rate: float
    requests: int
    injected: int
    per_s: float | None
    runs: Compared
    lengths: tuple[Compared, ...]
    needed: Needed


@dataclass(frozen=True, slots=True, kw_only=True)
class OfFault:
    """One fault: the chance that one request spoiled by it is seen, and its rates.

    `rarest` is the lowest rate that one whole run catches with 95 %, by the model. `skipped` says
    why it was not run; empty if it was.
    """

    fault: str
    check: str
    meaning: str
    skipped: str = ""
    seen: Estimate | None = None
    rarest: float | None = None
    rates: tuple[AtRate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The whole measurement; `problem` says what is missing from it."""

    schema_version: int = SCHEMA_VERSION
    series_id: str
    confidence: float = CONFIDENCE
    duration_s: int
    problem: str
    false_alarms: tuple[str, ...]
    faults: tuple[OfFault, ...]
    runs: tuple[RunSeen, ...]

    @property
    def compared(self) -> tuple[Compared, ...]:
        """Every figure of the model that stands beside a measured one."""
        return tuple(
            one
            for fault in self.faults
            for rate in fault.rates
            for one in (rate.runs, *rate.lengths)
            if one.model is not None and one.measured.of
        )

    @property
    def exit_code(self) -> int:
        """0 measured, 1 a false alarm, 3 something is missing."""
        if self.false_alarms:
            return FALSE_ALARM
        return INTERRUPTED if self.problem else COMPLETE


def combine(
    series: Series, seen: Sequence[RunSeen], measured: Mapping[str, Measured]
) -> Sensitivity:
    """Put the runs of a series together; `measured` has what their windows showed, by name."""
    by_fault: dict[str, list[Control]] = {}
    for control in series.controls:
        by_fault.setdefault(parse_fault(control.fault).name, []).append(control)
    faults = tuple(
        _of_fault(name, controls, [one for one in seen if one.fault == name], measured)
        for name, controls in by_fault.items()
    )
    return Sensitivity(
        series_id=series.series_id,
        duration_s=series.load.duration_s,
        problem=_problem(series, seen),
        false_alarms=tuple(one.name for one in seen if one.is_false_alarm),
        faults=faults,
        runs=tuple(seen),
    )


def _problem(series: Series, seen: Sequence[RunSeen]) -> str:
    problems = [] if series.ended_utc else ["the series was cut off before its end"]
    problems += [f"{one.name}: {one.problem}" for one in seen if one.problem]
    if not any(one.judged for one in seen):
        problems.append("no run could be judged")
    return "; ".join(problems)


def _of_fault(
    name: str,
    controls: Sequence[Control],
    seen: Sequence[RunSeen],
    measured: Mapping[str, Measured],
) -> OfFault:
    judged = [one for one in seen if one.judged]
    observations = [each for one in judged for each in measured[one.name].observations]
    found = estimate(observations)
    rates = tuple(
        _at_rate(rate, [one for one in judged if one.rate == rate], measured, found)
        for rate in sorted({one.rate for one in judged}, reverse=True)
    )
    whole = [one.requests for one in judged if one.whole]
    mean = sum(whole) / len(whole) if whole else 0.0
    return OfFault(
        fault=name,
        check=controls[0].check,
        meaning=FAULTS[name].meaning,
        skipped=controls[0].skipped,
        seen=found,
        rarest=rarest(found.value, mean) if found else None,
        rates=rates,
    )


def _at_rate(
    rate: float,
    seen: Sequence[RunSeen],
    measured: Mapping[str, Measured],
    found: Estimate | None,
) -> AtRate:
    """Put the runs at one rate together; those that were interrupted have windows all the same."""
    requests, load_s = sum(one.requests for one in seen), sum(one.load_s for one in seen)
    per_s = requests / load_s if load_s else None
    whole = [one for one in seen if one.whole]
    caught = sum(one.caught for one in whole)
    held = sum(one.requests for one in whole)
    lengths: dict[int, list[tuple[int, int, int]]] = {}
    for one in seen:
        for length in measured[one.name].lengths:
            counts = (length.caught, length.windows, length.requests)
            lengths.setdefault(length.numbers, []).append(counts)
    return AtRate(
        rate=rate,
        requests=requests,
        injected=sum(one.injected or 0 for one in seen),
        per_s=per_s,
        runs=_compared(0, (caught, len(whole), held), rate, found),
        lengths=tuple(
            _compared(numbers, _summed(lengths[numbers]), rate, found)
            for numbers in sorted(lengths)
        ),
        needed=_needed(rate, found, per_s),
    )


def _summed(counts: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    caught, windows, requests = (sum(column) for column in zip(*counts, strict=True))
    return caught, windows, requests


def _compared(
    numbers: int, counts: tuple[int, int, int], rate: float, found: Estimate | None
) -> Compared:
    caught, windows, requests = counts
    low, high = interval(caught, windows)
    mean = requests / windows if windows else 0.0
    model = chance(found.value, rate, mean) if found and windows else None
    return Compared(
        numbers=numbers,
        requests=mean,
        measured=Share(caught=caught, of=windows, low=low, high=high),
        model=model,
        disagrees=model is not None and not low <= model <= high,
    )


def _needed(rate: float, found: Estimate | None, per_s: float | None) -> Needed:
    if found is None:
        return Needed(requests=None, requests_low=None, requests_high=None, seconds=None)
    requests = requests_needed(found.value, rate)
    return Needed(
        requests=requests,
        requests_low=requests_needed(found.high, rate),
        requests_high=requests_needed(found.low, rate),
        seconds=requests / per_s if requests is not None and per_s else None,
    )
