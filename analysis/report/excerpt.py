"""What of a very long run is drawn: a stretch of it, around the first evidence. Pure.

The checks look at all of it; a figure of a hundred million operations shows no more than one of two
million, and would take longer than they do.
"""

import dataclasses

from analysis.record import Excerpt
from analysis.run import Run
from analysis.verdict import Judgement, Verdict

DRAWN_ROWS = 2_000_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A run as it is drawn: `first_row` is where it begins in the whole; `note` says so."""

    run: Run
    first_row: int
    note: str

    @property
    def is_whole(self) -> bool:
        """Whether all of it is drawn."""
        return not self.note


def drawn(run: Run, judgement: Judgement, *, rows: int = DRAWN_ROWS) -> Drawn:
    """Choose what is drawn of a run: all of it if it has no more than so many operations."""
    total = run.record.rows
    if total <= rows:
        return Drawn(run=run, first_row=0, note="")
    focus = _first_evidence(judgement)
    first = 0 if focus is None else max(0, min(focus - rows // 2, total - rows))
    around = "the first ones" if focus is None else "around the first evidence"
    note = (
        f"Drawn and counted below are {rows:,} of {total:,} operations, {around} (rows "
        f"{first + 1:,} to {first + rows:,}). The checks looked at all of them."
    )
    excerpt = Excerpt(run.record, first, rows)
    return Drawn(run=dataclasses.replace(run, record=excerpt), first_row=first, note=note)


def _first_evidence(judgement: Judgement) -> int | None:
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        for finding in judgement.findings:
            if finding.verdict is verdict:
                for piece in finding.evidence:
                    for operation in piece.operations:
                        return int(operation["row"])
    return None
