"""What is judged: a history, what is known of the counter, and how it was recorded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis import effects
from analysis.effects import Completed, Effects, Moved
from analysis.record import Record
from analysis.scan import Scan, scan
from analysis.sent import Activity, activity
from analysis.stretch import Bools, Stretch
from history.health import HealthSample
from history.manifest import ClockBound, Manifest
from history.operation import Kind, Outcome, Reason, Returns

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Run:
    """A history ready to be judged.

    `record` holds the operations. `initial` and `final` are as the counter holds them, before
    the first increment and after the last; `final` is None when unknown. `window_ns` bounds how
    long after it was sent an unanswered request can still take effect (None: for ever), and
    `window_of` says where that is from. `clocks` bounds the hosts' clocks, as far as anything
    is known of them.
    `give_up` says, when asked, that a search has used up its budget. `manifest` is None for a
    plain history file; `health` is how the generators fared, empty there and for runs of before
    it was recorded.
    """

    run_id: str
    record: Record
    initial: int
    final: int | None
    returns: Returns = Returns.NEW
    allow_unanswered: int = 0
    window_ns: int | None = None
    window_of: str = ""
    clocks: Mapping[str, ClockBound] = field(default_factory=dict)
    give_up: Callable[[], bool] = field(default=lambda: False)
    manifest: Manifest | None = None
    health: Sequence[HealthSample] = ()

    @property
    def shift(self) -> int:
        """What to add to an answered value to get the value after the increment."""
        return 1 if self.returns is Returns.OLD else 0

    @cached_property
    def hosts(self) -> list[str]:
        """The distinct hosts whose clocks stamped this history; all blanks are one more."""
        if "host" not in self.record.names:
            return [""] if self.record.rows else []
        found: set[str] = set()
        for first_row, batch in self.record.batches(("host",)):
            codes, words = Stretch(first_row, batch).words("host")
            named = [*words, ""]
            found |= {named[code] for code in np.unique(codes).tolist()}
        return sorted(found)

    @cached_property
    def scan(self) -> Scan:
        """What one pass over the record found.

        Raises UserError when the record cannot be read.
        """
        return scan(
            self.record,
            initial=self.initial,
            shift=self.shift,
            window_ns=self.window_ns,
        )

    @cached_property
    def activity(self) -> Activity:
        """What the processes of a recorded run sent, counted."""
        timeout_s = self.manifest.load.timeout_s if self.manifest else 0
        return activity(self.record, timeout_ns=int(min(timeout_s, 1e9) * 1e9))

    @property
    def is_mixed(self) -> bool:
        """Whether numbers may legally come back, or be jumped over, or are not told."""
        # Those that decremented may be the ones whose records are missing.
        asked_for = self.manifest is not None and self.manifest.load.decrements > 0
        return asked_for or self.scan.is_mixed

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """The whole record in memory: every column of schema.COLUMNS.

        int64 for start_ns, Int64 (nullable) for the other numbers, category for text.
        """
        # pandas takes longer to import than a million operations take to be judged.
        from analysis.frame import frame_of  # noqa: PLC0415

        return frame_of(self.record)

    @cached_property
    def increments(self) -> Completed:
        """Every ok increment, sorted by value, then by start."""
        return self._completed(Kind.INCREMENT)

    @cached_property
    def decrements(self) -> Completed:
        """Every ok decrement; `value` is the value after it."""
        return self._completed(Kind.DECREMENT)

    @cached_property
    def reads(self) -> Completed:
        """Every ok read."""
        return self._completed(Kind.READ)

    def unseen(self, kind: Kind) -> Effects:
        """Give the operations of a kind that perhaps happened."""
        parts = [
            effects.uncertain(stretch, kind, shift=self.shift, window_ns=self.window_ns)
            for stretch in self._stretches()
        ]
        return effects.joined(Effects, parts)

    @cached_property
    def untold(self) -> Moved:
        """Operations that happened and told what they added, but not the counter's value."""
        return effects.joined(Moved, [effects.untold(each) for each in self._stretches()])

    @cached_property
    def inconsistent(self) -> Bools:
        """Rows that contradict themselves (`well-formed` names them); boolean, one a row."""
        return self._rows(lambda stretch: stretch.inconsistent)

    def mask(
        self,
        *,
        kind: Kind | None = None,
        outcome: Outcome | None = None,
        reason: Reason | None = None,
    ) -> Bools:
        """Select rows by kind, outcome and reason; boolean, one a row."""

        def selected(stretch: Stretch) -> Bools:
            rows = np.ones(len(stretch), dtype=bool)
            if kind is not None:
                rows &= stretch.is_kind(kind)
            if outcome is not None:
                rows &= stretch.is_outcome(outcome)
            if reason is not None:
                rows &= stretch.is_reason(reason)
            return rows

        return self._rows(selected)

    def _completed(self, kind: Kind) -> Completed:
        parts = [effects.completed(each, kind, shift=self.shift) for each in self._stretches()]
        found = effects.joined(Completed, parts)
        order = np.lexsort((found.start, found.value))
        return Completed(*(getattr(found, name)[order] for name in Completed.__slots__))

    def _rows(self, of: Callable[[Stretch], Bools]) -> Bools:
        return np.concatenate([np.zeros(0, dtype=bool), *(of(s) for s in self._stretches())])

    def _stretches(self) -> list[Stretch]:
        return [
            Stretch(first_row, batch) for first_row, batch in self.record.batches(effects.COLUMNS)
        ]
