"""The sensitivity: the same load against faults that are rarer and rarer.

What is to be run is said here; how much of it was caught is judged by analysis, from the record.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.settings import Settings
from history.fault import FAULTS, LOST_UPDATE
from history.series import SENSITIVITY_PREFIX, Control, SensitivityFolder, SeriesFolder
from runner.loadtest import Say
from runner.options import LoadOptions, Reader
from runner.series import Plan, conduct

CHECKS: Mapping[str, str] = {
    LOST_UPDATE: "unique",
    "repeat": "unique",
    "resend": "gap-free",
    "swap": "ordered",
    "replica": "unique",
}
"""Faults whose amount is the share of the requests, and the check that is there for each."""

ONE_IN = (10, 100, 1_000, 10_000, 100_000)
MAX_ONE_IN = 1_000_000_000
MAX_RUNS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What is to be measured: each fault at one in so many requests, so often."""

    faults: tuple[str, ...]
    one_in: tuple[int, ...]
    runs: int


def read_measurement(variables: Mapping[str, str]) -> Measurement:
    """Read RUNS, FAULTS and RATES.

    Raises UserError naming the variable, what was found and what was expected.
    """
    read = Reader(variables)
    return Measurement(
        faults=read.parsed("FAULTS", " ".join(CHECKS), _parse_faults),
        one_in=read.parsed("RATES", " ".join(map(str, ONE_IN)), _parse_one_in),
        runs=read.integer("RUNS", 1, low=1, high=MAX_RUNS),
    )


def _parse_faults(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_words(text)))
    if not names or not set(names) <= set(CHECKS):
        raise ValueError(f"names of {', '.join(CHECKS)}")
    return names


def _parse_one_in(text: str) -> tuple[int, ...]:
    words = _words(text)
    if not words or not all(re.fullmatch(r"[0-9]{1,10}", word) for word in words):
        raise ValueError(_RATES_EXPECTED)
    numbers = tuple(sorted(set(map(int, words))))
    if not 2 <= numbers[0] <= numbers[-1] <= MAX_ONE_IN:  # noqa: PLR2004 -- one in two
        raise ValueError(_RATES_EXPECTED)
    return numbers


_RATES_EXPECTED = f"whole numbers from 2 to {MAX_ONE_IN:,}: 100 is one in a hundred requests"


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def sensitivity(
    asked: Measurement, options: LoadOptions, settings: Settings, *, reports: Path, say: Say
) -> SeriesFolder:
    """Make every run of a measurement; give their folder, not yet judged.

    Raises UserError for what the user can fix; what was run until then is kept.
    """
    plan = Plan(
        command="make sensitivity",
        what="runs",
        prefix=SENSITIVITY_PREFIX,
        kind=SensitivityFolder,
        controls=planned(asked),
    )
    return conduct(plan, options, settings, reports=reports, say=say)


def planned(asked: Measurement) -> tuple[Control, ...]:
    """List the runs: all faults at all rates before any is repeated."""
    return tuple(
        Control(
            name=f"{fault}-1in{one_in}-{repetition}",
            meaning=f"1 in {one_in:,} requests: {FAULTS[fault].meaning}",
            fault=f"{fault}:{1 / one_in:.12g}",
            expected="FAIL",
            check=CHECKS[fault],
        )
        for repetition in range(1, asked.runs + 1)
        for fault in asked.faults
        for one_in in asked.one_in
    )
