"""What judging produces: findings of single checks and the judgement over all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1
EVIDENCE_CAP = 20
"""At most so many pieces of evidence are kept in a finding; `evidence_total` says how many
there are."""


class Verdict(StrEnum):
    """The answer of one check, or of all: worse ones win."""

    PASS = "PASS"  # noqa: S105 -- not a password
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"


_BY_BADNESS = tuple(Verdict)
EXIT_CODES: Mapping[Verdict, int] = {
    Verdict.PASS: 0,
    Verdict.FAIL: 1,
    Verdict.INCONCLUSIVE: 3,
}
"""Exit codes of the command line; 2 is bad usage or unreadable input."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the worst verdict; of none at all it is INCONCLUSIVE: no data is never a PASS."""
    return max(verdicts, key=_BY_BADNESS.index, default=Verdict.INCONCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One thing that proves a finding: a sentence, and the whole operations it speaks of.

    Each operation is a mapping of the history's columns (schema.COLUMNS) plus `row`, the
    operation's position in the history; blanks are None.
    """

    summary: str
    operations: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"summary": self.summary, "operations": [dict(op) for op in self.operations]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check: its verdict, one sentence with numbers, and the evidence.

    `decides` is False for a check that informs without changing the overall verdict.
    """

    check: str
    verdict: Verdict
    summary: str
    counts: Mapping[str, int | float | None] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    evidence_total: int = 0
    decides: bool = True

    def to_json(self) -> dict[str, Any]:
        """Give the JSON form of DESIGN.md 4."""
        return {
            "check": self.check,
            "verdict": str(self.verdict),
            "summary": self.summary,
            "counts": dict(self.counts),
            "evidence": [piece.to_json() for piece in self.evidence],
            "evidence_total": self.evidence_total,
            "decides": self.decides,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict over one history, with all findings in the order of the checks.

    `operations` counts by outcome and by source; `values` are as the counter answered them.
    """

    run_id: str
    verdict: Verdict
    operations: Mapping[str, Any]
    values: Mapping[str, int | None]
    findings: tuple[Finding, ...]

    def finding(self, check: str) -> Finding:
        """Give the finding of the check of that name; raises KeyError when it was not run."""
        for finding in self.findings:
            if finding.check == check:
                return finding
        raise KeyError(check)

    def to_json(self) -> dict[str, Any]:
        """Give `verdict.json` (DESIGN.md 4)."""
        return {
            "schema_version": SCHEMA_VERSION,
            "run_id": self.run_id,
            "verdict": str(self.verdict),
            "operations": dict(self.operations),
            "values": dict(self.values),
            "checks": [finding.to_json() for finding in self.findings],
        }
