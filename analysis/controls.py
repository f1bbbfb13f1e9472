"""What controls were expected to show beside what they showed. Pure: no files, no clock.

An alarm that never rang is no alarm: a control is a counter that is wrong in one known way, and
the check that is there for it has to say so. Others may say so, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from analysis.verdict import EXIT_CODES, Verdict
from history.fault import NONE, parse_fault
from history.operation import Outcome
from history.series import Control, Series

SCHEMA_VERSION = 1


class Result(StrEnum):
    """What became of one control; a whole series is as expected, not so, or undecided."""

    AS_EXPECTED = "as expected"
    NOT_AS_EXPECTED = "not as expected"
    UNDECIDED = "undecided"
    SILENT = "alarm did not ring"
    FALSE_ALARM = "false alarm"
    SKIPPED = "skipped"


_WRONG = (Result.SILENT, Result.FALSE_ALARM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the judge and the intermediary say of one control's run.

    `verdict` is the overall one, empty where nothing could be judged (`problem` says why); `checks`
    has that of each check, `operations` counts all of them (`total`) and by outcome. `injected` is
    None where no intermediary counted. `evidence` is the first piece of the named check's, in a
    sentence, of `evidence_total`.
    """

    verdict: str = ""
    checks: dict[str, str] = field(default_factory=dict)
    operations: dict[str, int] = field(default_factory=dict)
    fault: str = ""
    injected: int | None = None
    evidence: str = ""
    evidence_total: int = 0
    problem: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no verdict."""
        for verdict in (*self.checks.values(), *([self.verdict] if self.verdict else [])):
            Verdict(verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One control: what was expected, what was seen, and what that means.

    `problem` says in a clause what is wrong, or why it was skipped; empty where it is as expected.
    """

    control: Control
    seen: Seen
    result: str
    problem: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no result."""
        Result(self.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesResult:
    """All controls of a series; `problem` is what is wrong with the series as a whole."""

    schema_version: int = SCHEMA_VERSION
    series_id: str
    result: str
    problem: str = ""
    controls: tuple[Compared, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no result."""
        Result(self.result)

    @property
    def verdict(self) -> Verdict:
        """The result as a verdict on the alarms."""
        return {Result.AS_EXPECTED: Verdict.PASS, Result.NOT_AS_EXPECTED: Verdict.FAIL}.get(
            Result(self.result), Verdict.INCONCLUSIVE
        )

    @property
    def exit_code(self) -> int:
        """0 all as expected, 1 an alarm did not ring or rang falsely, 3 undecided."""
        return EXIT_CODES[self.verdict]

    @property
    def counted(self) -> tuple[Compared, ...]:
        """Those that were not skipped."""
        return tuple(found for found in self.controls if found.result != Result.SKIPPED)

    def only(self, *results: Result) -> tuple[Compared, ...]:
        """Those with one of these results."""
        return tuple(found for found in self.controls if found.result in results)


def seen_of(
    control: Control, verdict: Mapping[str, Any], *, fault: str, injected: int | None
) -> Seen:
    """Take from a run's verdict.json what a control is held against.

    `fault` and `injected` are what the run's manifest says. Raises KeyError, TypeError or
    ValueError where it is no whole verdict.
    """
    findings = {str(finding["check"]): finding for finding in verdict["checks"]}
    named = findings.get(control.check, {"evidence": [], "evidence_total": 0, "summary": ""})
    operations = verdict["operations"]
    pieces = named["evidence"]
    return Seen(
        verdict=str(verdict["verdict"]),
        checks={name: str(finding["verdict"]) for name, finding in findings.items()},
        operations={name: int(operations[name]) for name in ("total", *map(str, Outcome))},
        fault=fault,
        injected=injected,
        evidence=str(pieces[0]["summary"] if pieces else named["summary"]),
        evidence_total=int(named["evidence_total"]),
    )


def compare_series(series: Series, seen: Mapping[str, Seen]) -> SeriesResult:
    """Compare every control of a series with what was seen of it, by name."""
    found = tuple(
        compare(control, seen.get(control.name, Seen(problem="it left no run")))
        for control in series.controls
    )
    result, problem = _altogether(series, found)
    return SeriesResult(
        series_id=series.series_id, result=str(result), problem=problem, controls=found
    )


def _altogether(series: Series, found: Sequence[Compared]) -> tuple[Result, str]:
    results = {one.result for one in found} - {Result.SKIPPED}
    problem = ""
    if series.ended_utc is None:
        problem = "the series was cut off before its end"
    elif not results:
        problem = "no control was run"
    if results & set(_WRONG):
        return Result.NOT_AS_EXPECTED, problem
    return (
        Result.UNDECIDED if problem or Result.UNDECIDED in results else Result.AS_EXPECTED
    ), problem


def compare(control: Control, seen: Seen) -> Compared:
    """Say whether a control showed what it was expected to show; nothing seen is never that."""
    if control.skipped:
        result, problem = Result.SKIPPED, control.skipped
    elif not seen.verdict:
        result, problem = Result.UNDECIDED, seen.problem or "there is no verdict"
    elif spelled(seen.fault) != spelled(control.fault):
        result = Result.UNDECIDED
        had, asked = (fault or "no fault" for fault in (seen.fault, control.fault))
        problem = f"its run had {had} where {asked} was asked for"
    elif seen.verdict == Verdict.FAIL and control.expected != Verdict.FAIL:
        result, problem = Result.FALSE_ALARM, f"expected {control.expected}, got FAIL{_those(seen)}"
    elif does_harm(control.fault) and not seen.injected:
        times = "0 times" if seen.injected == 0 else "an unknown number of times"
        result, problem = Result.UNDECIDED, f"the fault was injected {times}"
    else:
        result, problem = _verdicts(control, seen)
    return Compared(control=control, seen=seen, result=str(result), problem=problem)


def _verdicts(control: Control, seen: Seen) -> tuple[Result, str]:
    """Compare the verdicts of a run in which the fault was there."""
    expected, got = control.expected, seen.verdict
    named = seen.checks.get(control.check) if control.check else expected
    if got != expected:
        silent = got == Verdict.PASS
        where = f" in {control.check}" if control.check else ""
        told = f"expected {expected}{where}, got {got}{_those(seen)}"
        return (Result.SILENT if silent else Result.UNDECIDED), told
    if named is None:
        return Result.UNDECIDED, f"the check {control.check} was not made of this run"
    if named == expected:
        return Result.AS_EXPECTED, ""
    told = f"expected {expected} in {control.check}, which says {named}{_those(seen, 'instead')}"
    if expected == Verdict.PASS:
        return Result.UNDECIDED, told
    return (Result.FALSE_ALARM if named == Verdict.FAIL else Result.SILENT), told


def _those(seen: Seen, more: str = "") -> str:
    """Name the checks that made the verdict, where it is no PASS."""
    if seen.verdict == Verdict.PASS:
        return ""
    names = [name for name, verdict in seen.checks.items() if verdict == seen.verdict]
    if not names:
        return ""
    listed = ", ".join(names)
    return f" ({seen.verdict} in {listed} {more})" if more else f" in {listed}"


def does_harm(fault: str) -> bool:
    """Whether a fault is one that has to be injected, neither empty nor `none`."""
    return bool(fault) and fault.partition(":")[0] != NONE


def spelled(fault: str) -> str:
    """Spell a fault in one way, whether its amount was given or left out."""
    try:
        return parse_fault(fault).text
    except ValueError:  # none stands there, or one that this program does not know
        return fault


def check_names(found: Sequence[Compared], usual: Sequence[str]) -> tuple[str, ...]:
    """Give the checks that were made, in the order of reports; the usual ones if none was."""
    made = dict.fromkeys(name for one in found for name in one.seen.checks)
    return tuple(made) or tuple(usual)
