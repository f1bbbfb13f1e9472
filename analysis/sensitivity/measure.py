"""One run measured: was its fault caught, and would a shorter run have caught it? Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.judging import judge_run
from analysis.run import Run
from analysis.sensitivity.model import Observation
from analysis.sensitivity.windows import Cuttable, cuttable, sizes, why_whole, window, windows
from analysis.verdict import Verdict

FROM_BEGIN = frozenset({"replica"})
"""Faults with a state that dates from the run's begin: the numbers of a copy fall behind, so that
what came later says nothing of a run that begins later. Of these only beginnings are cut."""

LEAST_BEGINNING = 10
EXPECTED_IN_WINDOW = 1.0
"""The windows that the model is fitted to are the smallest with as many spoiled requests expected:
of shorter ones hardly any, of longer ones nearly all are caught, and neither tells much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """Windows of so many numbers that were judged: how many, and how many requests they held."""

    numbers: int
    windows: int
    caught: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the windows of a run showed; `observations` are independent of each other.

    `whole_because` says why it was not cut; empty if it was.
    """

    lengths: tuple[Length, ...]
    observations: tuple[Observation, ...]
    whole_because: str = ""


def measure(run: Run, *, fault: str, check: str, rate: float, caught: bool) -> Measured:
    """Judge every window of a run; `caught` is what the judge said of the whole of it."""
    requests = run.record.rows
    of_whole = Observation(rate, 0, requests) if caught else Observation(rate, requests, None)
    if because := why_whole(run):
        return Measured(lengths=(), observations=(of_whole,), whole_because=because)
    cut = cuttable(run)
    if fault in FROM_BEGIN:
        return _beginnings(cut, check=check, rate=rate, caught=caught)
    lengths = []
    observations: list[Observation] = []
    for size in sizes(cut.numbers):
        judged = list(_judged(cut, size, check))
        full = judged[: cut.numbers // size]
        lengths.append(
            Length(
                numbers=size,
                windows=len(full),
                caught=sum(rang for _, rang in full),
                requests=sum(held for held, _ in full),
            )
        )
        if not observations and size * rate >= EXPECTED_IN_WINDOW:
            observations = [
                Observation(rate, 0, held) if rang else Observation(rate, held, None)
                for held, rang in judged
                if held
            ]
    return Measured(lengths=tuple(lengths), observations=tuple(observations or [of_whole]))


def _judged(cut: Cuttable, size: int, check: str) -> Iterator[tuple[int, bool]]:
    """Judge windows; give how many requests each held and whether the check rang."""
    for one in windows(cut, size):
        yield one.record.rows, rings(one, check)


def rings(run: Run, check: str) -> bool:
    """Whether the judge's check of that name says FAIL."""
    return judge_run(run).finding(check).verdict == Verdict.FAIL


def _beginnings(cut: Cuttable, *, check: str, rate: float, caught: bool) -> Measured:
    """Judge ever longer beginnings of a run: the first that is caught says when it was."""
    lengths = []
    missed = 0
    found: int | None = None
    for size in sizes(cut.numbers, least=LEAST_BEGINNING):
        begun = window(cut, cut.run.initial, cut.run.initial + size)
        rang, held = rings(begun, check), begun.record.rows
        lengths.append(Length(numbers=size, windows=1, caught=int(rang), requests=held))
        if found is None and not rang:
            missed = held
        elif found is None:
            found = held
    if found is None:
        requests = cut.run.record.rows
        found, missed = (requests, missed) if caught else (None, requests)
    one = Observation(rate, missed, found)
    return Measured(lengths=tuple(lengths), observations=(one,))
