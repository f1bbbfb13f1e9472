"""Is the record whole, and does no row contradict itself?"""

import numpy as np

from analysis.completeness import missing_records
from analysis.evidence import about, plural
from analysis.run import Run
from analysis.verdict import EVIDENCE_CAP, Evidence, Finding, Verdict

NAME = "well-formed"


def check(run: Run) -> Finding:
    """Judge the record itself: INCONCLUSIVE when rows contradict themselves or are missing.

    A row contradicts itself when it ends before it starts, is ok without a value or an end,
    or has a value without being ok.
    """
    bad_rows = np.flatnonzero(run.inconsistent)
    missing = missing_records(run)
    evidence = [
        *(Evidence(summary=sentence) for sentence in missing),
        *(
            about(run, f"row {row + 1} contradicts itself: {_contradiction(run, int(row))}", [row])
            for row in bad_rows[:EVIDENCE_CAP]
        ),
    ]
    total = len(bad_rows) + len(missing)
    counts = {
        "records": len(run.frame),
        "inconsistent": len(bad_rows),
        "incomplete_processes": len(missing),
    }
    if total:
        parts = []
        if len(bad_rows):
            contradict = "contradicts itself" if len(bad_rows) == 1 else "contradict themselves"
            first = int(bad_rows[0])
            parts.append(
                f"{plural(len(bad_rows), 'record')} {contradict} (row {first + 1}: "
                f"{_contradiction(run, first)})"
            )
        parts += missing[:3]
        return Finding(
            check=NAME,
            verdict=Verdict.INCONCLUSIVE,
            summary=f"Of {plural(len(run.frame), 'record')}: " + "; ".join(parts) + ".",
            counts=counts,
            evidence=tuple(evidence[:EVIDENCE_CAP]),
            evidence_total=total,
        )
    processes = len(run.manifest.processes) if run.manifest else 0
    of_processes = f" of {plural(processes, 'process', 'processes')}" if processes else ""
    return Finding(
        check=NAME,
        verdict=Verdict.PASS,
        summary=f"{plural(len(run.frame), 'record')}{of_processes} read, each consistent.",
        counts=counts,
    )


def _contradiction(run: Run, row: int) -> str:
    operation = run.frame.iloc[row]
    if operation["outcome"] == "ok" and operation[["value"]].isna().any():
        return "ok without a value"
    if operation["outcome"] == "ok" and operation[["end_ns"]].isna().any():
        return "ok without an end"
    if operation["outcome"] != "ok" and operation[["value"]].notna().any():
        return f"{operation['outcome']} with a value"
    return f"it ends ({operation['end_ns']}) before it starts ({operation['start_ns']})"
