"""The live view's thread: it follows the journals, and nothing that happens to it ends the load."""

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np

from history.gate import LoadWindow
from runner.live.answers import Rows
from runner.live.figures import Figures, Snapshot
from runner.live.online import Found, OnlineCheck
from runner.live.plain import View
from runner.live.tail import Tails

POLL_S = 0.25
END_PATIENCE_S = 10.0


class LiveView:
    """Follow a load in a thread, from begin() until the context is left.

    In a thread because Ctrl-C must not come between reading an answer and counting it, and
    because a terminal may block whoever writes to it (Ctrl-S) for as long as it likes.
    `violation` is the first violation in a sentence, as soon as there is one. Of a `mixed` load
    there is none: with decrements numbers legally come back, in any order that the requests in
    flight allow, and which those are only the whole record says.
    """

    def __init__(
        self,
        journals: Path,
        *,
        base: int,
        view: View,
        say: Callable[[str], None],
        mixed: bool = False,
    ) -> None:
        self.violation = ""
        self._tails = Tails(journals)
        self._check = OnlineCheck(base)
        self._mixed = mixed
        self._figures = Figures()
        self._view = view
        self._say = say
        self._window = LoadWindow(start_ns=0, end_ns=0)
        self._open_ended = False
        self._over_ns = 0
        self._ended = ""
        self._last_answers = threading.Event()
        self._untold: deque[str] = deque()
        self._thread = threading.Thread(target=self._run, name="live view", daemon=True)

    def begin(self, window: LoadWindow, *, open_ended: bool = False) -> None:
        """Show the load from now on; one that is open-ended goes on until somebody ends it."""
        self._window = window
        self._open_ended = open_ended
        self._figures.begin(window.start_ns)
        self._thread.start()

    def over(self, at_ns: int, *, early: bool) -> None:
        """Say that nothing more is sent; answers are still awaited."""
        self._over_ns = at_ns
        self._ended = "stopped early" if early else "over"

    def tell(self, line: str) -> None:
        """Print a line beside the figures, for good. Never waits for the terminal either."""
        self._untold.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Show what it came to, now that the last answer is recorded."""
        self._last_answers.set()
        if self._thread.is_alive():
            self._thread.join(END_PATIENCE_S)  # a terminal that blocks is left behind
        if not self._thread.is_alive():
            self._pass_on(self._say)

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 -- whatever it is, the record comes first
            self._say(
                f"live: the view ended ({type(error).__name__}: {error}); the load goes on, "
                "recorded as before"
            )
        finally:
            self._tails.close()

    def _follow(self) -> None:
        shown_s = time.monotonic()
        while not self._last_answers.wait(POLL_S):
            news = self._read()[1]
            self._pass_on(self._view.tell)
            if news or time.monotonic() >= shown_s + self._view.every_s:
                shown_s = time.monotonic()
                self._view.show(self._snapshot())
        while self._read()[0]:
            pass
        self._pass_on(self._view.tell)
        self._view.finish(self._snapshot())

    def _pass_on(self, tell: Callable[[str], None]) -> None:
        while self._untold:
            tell(self._untold.popleft())

    def _read(self) -> tuple[int, bool]:
        """Take in what was answered; give how much, and whether it held the first violation."""
        answers = self._tails.read()
        now_ns = time.monotonic_ns()
        self._figures.add(answers, self._tails.names, at_ns=now_ns, running=not self._ended)
        if self._mixed:
            return len(answers), False
        found = self._check.add(answers)
        if self.violation or not (len(found.duplicates) or len(found.inversions)):
            return len(answers), False
        self.violation = first_violation(found, self._tails)
        return len(answers), True

    def _snapshot(self) -> Snapshot:
        sources = self._figures.by_source(self._tails.in_flight())
        until_ns = min(self._over_ns or time.monotonic_ns(), self._window.end_ns)
        length_ns = self._window.end_ns - self._window.start_ns
        return Snapshot(
            elapsed_s=max(0, until_ns - self._window.start_ns) / 1e9,
            duration_s=0 if self._open_ended else length_ns / 1e9,
            ended=self._ended,
            sources=sources,
            together=self._figures.together(sources),
            duplicates=self._check.duplicates,
            inversions=self._check.inversions,
            at_least=self._check.unchecked > 0,
            violation=self.violation,
            decrements=self._figures.decrements if self._mixed else None,
        )


def first_violation(found: Found, tails: Tails) -> str:
    """Say in one sentence what was found first: two operations, who made them, their values."""
    duplicate, inversion = _first(found.duplicates), _first(found.inversions)
    if inversion is None or (duplicate is not None and duplicate["end_ns"] <= inversion["end_ns"]):
        if duplicate is None:
            raise AssertionError(found)
        return _duplicate(duplicate, tails)
    at = int(np.argmin(found.inversions["end_ns"]))
    return _inversion(inversion, int(found.passed[at]), int(found.passed_end_ns[at]), tails)


def _first(rows: Rows) -> np.void | None:
    return rows[np.argmin(rows["end_ns"])] if len(rows) else None


def _duplicate(again: np.void, tails: Tails) -> str:
    other = tails.find(int(again["value"]), end_ns=None, but=again)
    if other is None:
        return f"{again['value']} was returned to {_who(again, tails)}, and had been before"
    one, two = sorted((again, other), key=lambda answer: int(answer["start_ns"]))
    return (
        f"{one['value']} was returned twice: to {_who(one, tails)}, and to {_who(two, tails)} "
        f"sent {_ms(int(two['start_ns']) - int(one['start_ns']))} later"
    )


def _inversion(late: np.void, passed: int, passed_end_ns: int, tails: Tails) -> str:
    other = tails.find(passed, end_ns=passed_end_ns, but=late)
    to = f" to {_who(other, tails)}" if other is not None else ""
    return (
        f"{passed} was returned{to} {_ms(int(late['start_ns']) - passed_end_ns)} before "
        f"{_who(late, tails)} sent the request that returned {late['value']}"
    )


def _who(answer: np.void, tails: Tails) -> str:
    """Name a worker as the sealed record does."""
    return f"{tails.names[answer['process']]}/{answer['worker']}"


def _ms(ns: int) -> str:
    return f"{ns / 1e6:,.3f} ms"
