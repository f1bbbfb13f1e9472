"""Is the record whole, and does no row contradict itself?"""

from analysis.completeness import missing_records
from analysis.evidence import Operation, pieces, plural
from analysis.run import Run
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict

NAME = "well-formed"


def check(run: Run) -> Finding:
    """Judge the record itself: INCONCLUSIVE when rows contradict themselves or are missing.

    A row contradicts itself when it ends before it starts, is ok without a value or an end,
    or has a value without being ok.
    """
    bad = run.scan.inconsistent
    missing = missing_records(run)
    contradictions = pieces(
        run,
        [[row] for row in bad.first],
        lambda _, shown: f"row {shown[0]['row'] + 1}: {_contradiction(shown[0])}",
    )
    evidence = [*(Evidence(summary=sentence) for sentence in missing), *contradictions]
    total = bad.count + len(missing)
    counts = {
        "records": run.scan.rows,
        "inconsistent": bad.count,
        "incomplete_processes": len(missing),
    }
    if total:
        parts = []
        if bad.count:
            contradict = "contradicts itself" if bad.count == 1 else "contradict themselves"
            parts.append(
                f"{plural(bad.count, 'record')} {contradict} ({contradictions[0].summary})"
            )
        parts += missing[:3]
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary=f"Of {plural(run.scan.rows, 'record')}: " + "; ".join(parts) + ".",
            counts=counts,
            evidence=tuple(evidence[:EVIDENCE_CAP]),
            evidence_total=total,
        )
    processes = len(run.manifest.processes) if run.manifest else 0
    of_processes = f" of {plural(processes, 'process', 'processes')}" if processes else ""
    return Finding(
        check=NAME,
        verdict=Verdict.PASS,
        summary=f"{plural(run.scan.rows, 'record')}{of_processes} read, each consistent.",
        counts=counts,
    )


def _contradiction(operation: Operation) -> str:
    if operation["outcome"] == "ok" and operation["value"] is None:
        return "ok without a value"
    if operation["outcome"] == "ok" and operation["end_ns"] is None:
        return "ok without an end"
    if operation["outcome"] != "ok" and operation["value"] is not None:
        return f"{operation['outcome']} with a value"
    return f"it ends ({operation['end_ns']}) before it starts ({operation['start_ns']})"
