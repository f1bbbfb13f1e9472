"""The judge as a library: a DataFrame, a table or a file in, the judgement out."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from analysis.judging import judge_run
from analysis.load import load_record, table_record
from analysis.options import SEARCH_BUDGET_S
from analysis.record import Record
from analysis.run import Run
from history.errors import UserError
from history.manifest import ClockBound
from history.operation import INT64_MAX, INT64_MIN, Returns

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from analysis.verdict import Judgement


def judge(
    history: pd.DataFrame | pa.Table | str | Path,
    *,
    initial: int = 0,
    final: int | None = None,
    returns: str = "new",
    allow_unanswered: int = 0,
    effect_window_ms: float | None = None,
    clock_error_ms: float | None = None,
    search_budget_s: float = SEARCH_BUDGET_S,
) -> Judgement:
    """Judge a history: was every number handed out once, without gaps, in real-time order?

    `history` is a DataFrame or Arrow table with the columns of docs/history-format.md, one row
    an operation, or the path of a history file. `initial` is the counter before the first
    increment and `final` after the last (None: not known); `returns` says whether an increment
    answers the value after it ("new") or before it ("old"). `allow_unanswered` missing values
    that unanswered requests can have taken still pass. No request takes effect later than
    `effect_window_ms` after it was sent (None: it may at any time). The clocks of several hosts
    agree within +-`clock_error_ms` (None: nothing is known). `search_budget_s` bounds the search
    for an order of increments and decrements mixed.

    The judgement prints as the command line prints it; `.verdict` is PASS, FAIL or
    INCONCLUSIVE, `.finding("unique")` one check's result, `.to_json()` all of it.

    Raises UserError, with a sentence, when the history cannot be read.
    """
    if returns not in set(Returns):
        raise UserError(f"returns={returns!r}: expected one of {', '.join(Returns)}")
    for name, value in (("initial", initial), ("final", final)):
        if value is not None and not INT64_MIN <= value <= INT64_MAX:
            raise UserError(f"{name}={value}: expected an integer of at most 64 bits")
    record = _record(history)
    run = Run(
        run_id=Path(history).name if isinstance(history, str | Path) else "history",
        record=record,
        initial=initial,
        final=final,
        returns=Returns(returns),
        allow_unanswered=allow_unanswered,
    )
    return judge_run(
        with_options(
            run,
            effect_window_ms=effect_window_ms,
            clock_error_ms=clock_error_ms,
            search_budget_s=search_budget_s,
        )
    )


def with_options(
    run: Run,
    *,
    effect_window_ms: float | None,
    clock_error_ms: float | None,
    search_budget_s: float,
) -> Run:
    """Give the run as it is to be judged; None leaves what the run says itself.

    A window of infinity is none: unanswered requests may act at any time.
    """
    run = dataclasses.replace(run, give_up=budget(search_budget_s))
    if effect_window_ms is not None:
        window_ns = milliseconds(effect_window_ms)
        run = dataclasses.replace(run, window_ns=window_ns, window_of="effect-window-ms")
    error_ns = milliseconds(clock_error_ms)
    if error_ns is not None:
        clocks = {h: ClockBound(host=h, offset_ns=0, error_ns=error_ns) for h in run.hosts}
        run = dataclasses.replace(run, clocks=clocks)
    return run


def milliseconds(length_ms: float | None) -> int | None:
    """Give milliseconds as nanoseconds; None, and what is longer than any time, is None.

    Raises UserError for a length that is less than nothing, or no number.
    """
    if length_ms is None:
        return None
    if not length_ms >= 0:
        raise UserError(f"found {length_ms} milliseconds, expected a number of at least 0")
    return None if length_ms * 1e6 >= INT64_MAX else round(length_ms * 1e6)


def budget(seconds: float) -> Callable[[], bool]:
    """Give what says, when asked, whether so many seconds have passed since the first asking."""
    ends_s: list[float] = []

    def used_up() -> bool:
        now_s = time.monotonic()
        if not ends_s:
            ends_s.append(now_s + seconds)
        return now_s >= ends_s[0]

    return used_up


def _record(history: pd.DataFrame | pa.Table | str | Path) -> Record:
    if isinstance(history, str | Path):
        return load_record(Path(history))
    if isinstance(history, pa.Table):
        return table_record(history, where="table")
    if not hasattr(history, "columns"):
        raise UserError(
            f"found {type(history).__name__}, expected a DataFrame, an Arrow table or the path of "
            "a history file"
        )
    # pandas takes longer to import than a million operations take to be judged.
    from analysis.frame import record_of  # noqa: PLC0415

    return record_of(history)
