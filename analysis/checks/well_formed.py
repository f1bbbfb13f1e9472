"""Is the record whole, and does no row contradict itself?"""

from collections.abc import Mapping
from typing import Any

from analysis.completeness import missing_records
from analysis.evidence import operations_of, plural
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
    bad_rows = operations_of(run, bad.first)
    evidence = [
        *(Evidence(summary=sentence) for sentence in missing),
        *(
            Evidence(
                summary=f"row {row['row'] + 1} contradicts itself: {_contradiction(row)}",
                operations=(row,),
            )
            for row in bad_rows
        ),
    ]
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
            first = bad_rows[0]
            parts.append(
                f"{plural(bad.count, 'record')} {contradict} (row {first['row'] + 1}: "
                f"{_contradiction(first)})"
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


def _contradiction(operation: Mapping[str, Any]) -> str:
    if operation["outcome"] == "ok" and operation["value"] is None:
        return "ok without a value"
    if operation["outcome"] == "ok" and operation["end_ns"] is None:
        return "ok without an end"
    if operation["outcome"] != "ok" and operation["value"] is not None:
        return f"{operation['outcome']} with a value"
    return f"it ends ({operation['end_ns']}) before it starts ({operation['start_ns']})"
