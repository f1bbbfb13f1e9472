"""What judging produces: findings of single checks and the judgement over all of them."""

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from analysis.power import bound_words
from history.operation import Outcome

SCHEMA_VERSION = 1
EVIDENCE_CAP = 20
"""At most so many pieces of evidence are kept in a finding; `evidence_total` says how many
there are."""

_WIDTH = 13
_NAMED = 10


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

    def __str__(self) -> str:
        """Give the line that a run prints."""
        verdict = str(self.verdict) + ("" if self.decides else " (informs)")
        return f"  {self.check:<12} {verdict:<{_WIDTH}} {self.summary}"

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

    @property
    def bound_one_in(self) -> int | None:
        """The N of "faults in one request of N would have shown with 95 %", as a result.

        Only a PASS has one, of a run that could have failed, and in which nothing is missing: an
        explained hole may be a number that a fault skipped.
        """
        by_name = {finding.check: finding for finding in self.findings}
        tried, gaps = by_name.get("exercised"), by_name.get("gap-free")
        if self.verdict is not Verdict.PASS or not tried or tried.verdict is not Verdict.PASS:
            return None
        if not gaps or gaps.counts.get("missing") or tried.counts.get("faults_injected"):
            return None
        one_in = tried.counts.get("detectable_one_in")
        return one_in if isinstance(one_in, int) else None

    def __str__(self) -> str:
        """Give the block that a run prints: the verdict, the counts, one line a check."""
        operations, values = self.operations, self.values
        named = sorted(operations["by_source"].items())
        sources = ", ".join(
            f"{source or 'unnamed'} {counts['total']:,}" for source, counts in named[:_NAMED]
        )
        if len(named) > _NAMED:
            sources += f" and {len(named) - _NAMED:,} more sources"
        outcomes = ", ".join(f"{operations[str(outcome)]:,} {outcome}" for outcome in Outcome)
        heading = (
            f"{self.verdict}  {self.run_id}\n"
            f"  {operations['total']:,} operations ({sources}): {outcomes}\n"
            f"  values {_number(values['first'])} to {_number(values['last'])}, "
            f"{_number(values['distinct'])} distinct; counter {_number(values['initial'])} before, "
            f"{_number(values['final'])} after"
        )
        bound = self.bound_one_in
        told = [f"  no fault was found; {bound_words(bound)}"] if bound else []
        return "\n".join([heading, *told, *map(str, self.findings)])

    def _repr_html_(self) -> str:
        """Give what a notebook shows."""
        rows = "".join(
            f"<tr><td>{html.escape(finding.check)}</td><td><b>{finding.verdict}</b></td>"
            f'<td style="text-align:left">{html.escape(finding.summary)}</td></tr>'
            for finding in self.findings
        )
        heading = html.escape("\n".join(str(self).split("\n")[:3]))
        return f"<pre>{heading}</pre><table>{rows}</table>"

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


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
