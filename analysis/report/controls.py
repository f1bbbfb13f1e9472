"""One control, and all of them, in the words that the grid, a report and the command line share."""

from dataclasses import dataclass

from analysis.controls import Compared, Result, SeriesResult, does_harm
from analysis.report import formats
from history.series import Control

_SHOWN = 600
_COUNTED = (
    (Result.SILENT, "alarm did not ring", "alarms did not ring"),
    (Result.FALSE_ALARM, "false alarm", "false alarms"),
    (Result.UNDECIDED, "undecided", "undecided"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One control as a page shows it: all text safe to read, `got` empty where nothing was."""

    name: str
    meaning: str
    expected: str
    check: str
    got: str
    result: str
    good: bool
    skipped: bool
    problem: str


def row_of(found: Compared) -> Row:
    """Give a control's row."""
    control = found.control
    return Row(
        name=formats.plain(control.name),
        meaning=formats.plain(control.meaning, _SHOWN),
        expected=formats.plain(control.expected),
        check=formats.plain(control.check),
        got=found.seen.verdict,
        result=found.result,
        good=found.result == Result.AS_EXPECTED,
        skipped=found.result == Result.SKIPPED,
        problem=formats.plain(found.problem, _SHOWN),
    )


def summary(result: SeriesResult) -> str:
    """Say in a sentence how many controls showed what was expected of them, and what others did."""
    counted = result.counted
    good = len(result.only(Result.AS_EXPECTED))
    if not counted:
        return "No control was run."
    if good == len(counted):
        only = "The one control" if good == 1 else f"All {good} controls"
        return f"{only} showed what was expected."
    others = [
        formats.counted(count, one, more)
        for kind, one, more in _COUNTED
        if (count := len(result.only(kind)))
    ]
    of = formats.counted(len(counted), "control")
    return f"{good} of {of} showed what was expected: {', '.join(others)}."


def expectation(control: Control) -> str:
    """Give the verdict that is expected of a control, and of which check."""
    expected, check = formats.plain(control.expected), formats.plain(control.check)
    return f"{expected} in {check}" if check else expected


def injected(found: Compared, blank: str = formats.BLANK) -> str:
    """Write how often a control's fault was injected; `blank` where none was to be, or no run."""
    if not found.seen.verdict or not does_harm(found.control.fault):
        return blank
    return formats.integer(found.seen.injected)
