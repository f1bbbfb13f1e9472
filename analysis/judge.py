"""All checks over one run, and the verdict over all checks."""

import traceback
from collections.abc import Mapping
from typing import Any

from analysis.checks import Check, checks_for
from analysis.run import Run
from analysis.verdict import Evidence, Finding, Judgement, Verdict, worst
from history.operation import Outcome


def judge_run(run: Run, checks: Mapping[str, Check] | None = None) -> Judgement:
    """Run every check and give the worst of the deciding ones as the verdict.

    `checks` are those of the history's kind unless given. A check that raises is
    INCONCLUSIVE with its traceback as evidence (as Jepsen's check-safe): never a PASS.
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
    by_outcome = run.frame["outcome"].value_counts()
    sources = run.frame["source"]
    by_source: dict[str, dict[str, int]] = {}
    for name in sorted(sources.dropna().unique()) + ([""] if sources.isna().any() else []):
        selected = (sources == name).to_numpy() if name else sources.isna().to_numpy()
        counts = {str(kind): int((run.mask(outcome=kind) & selected).sum()) for kind in Outcome}
        by_source[str(name)] = {"total": int(selected.sum())} | counts
    return {
        "total": len(run.frame),
        **{str(outcome): int(by_outcome.get(str(outcome), 0)) for outcome in Outcome},
        "by_source": by_source,
    }


def _values(run: Run) -> dict[str, int | None]:
    """Give the values as the counter answered them (not normalised)."""
    values = run.increments.value
    return {
        "initial": run.initial,
        "final": run.final,
        "first": int(values[0]) - run.shift if len(values) else None,
        "last": int(values[-1]) - run.shift if len(values) else None,
        "distinct": int(1 + (values[1:] != values[:-1]).sum()) if len(values) else 0,
    }
