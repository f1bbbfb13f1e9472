"""All checks over one run, and the verdict over all checks."""

import traceback
from collections.abc import Mapping
from typing import Any

from analysis.checks import Check, checks_for
from analysis.run import Run
from analysis.verdict import Evidence, Finding, Judgement, Verdict, worst
from history.operation import Kind, Outcome


def judge_run(run: Run, checks: Mapping[str, Check] | None = None) -> Judgement:
    """Run every check and give the worst of the deciding ones as the verdict.

    `checks` are those of the history's kind unless given. A check that raises is
    INCONCLUSIVE with its traceback as evidence (as Jepsen's check-safe): never a PASS. Raises
    UserError when the record cannot be read.
    """
    chosen = checks_for(run) if checks is None else checks
    findings = tuple(_safely(name, check, run) for name, check in chosen.items())
    return Judgement(
        run_id=run.run_id,
        verdict=worst(finding.verdict for finding in findings if finding.decides),
        operations=_count_operations(run),
        values=_values(run),
        findings=findings,
    )


def _safely(name: str, check: Check, run: Run) -> Finding:
    try:
        return check(run)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it must not become a PASS
        return Finding(
            check=name,
            verdict=Verdict.INCONCLUSIVE,
            summary=f"The check itself broke: {type(error).__name__}: {error}.",
            evidence=(Evidence(summary=traceback.format_exc()),),
            evidence_total=1,
        )


def _count_operations(run: Run) -> dict[str, Any]:
    found = run.scan
    outcomes = found.outcomes()
    return {
        "total": found.rows,
        **{str(outcome): outcomes[outcome] for outcome in Outcome},
        "by_source": {
            source: {"total": sum(counts.values())}
            | {str(outcome): counts[outcome] for outcome in Outcome}
            for source, counts in sorted(
                found.by_source.items(), key=lambda item: (not item[0], item)
            )
        },
    }


def _values(run: Run) -> dict[str, int | None]:
    """Give the values as the counter answered them (not normalised)."""
    found = run.scan
    ups = found.extents[Kind.INCREMENT]
    return {
        "initial": run.initial,
        "final": run.final,
        "first": None if ups.low is None else ups.low - run.shift,
        "last": None if ups.high is None else ups.high - run.shift,
        "distinct": found.answers.distinct,
    }
