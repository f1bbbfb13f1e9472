"""What is known to be missing from a recorded run, and what may not be concluded then."""

import dataclasses

from analysis.evidence import plural
from analysis.run import Run
from analysis.verdict import Finding, Verdict
from history.manifest import ENDED_WELL, ProcessRecord

NO_JOURNAL = "left no journal"
_NAMED = 3


def missing_records(run: Run) -> list[str]:
    """Say what is missing from the record, one sentence each; a plain history knows of nothing.

    The rows of each process must be as many as its journal held, and as many as the process
    counted when it ended.
    """
    manifest = run.manifest
    if manifest is None:
        return []
    stored = run.scan.by_process
    missing = [] if manifest.sealed else ["the run was never sealed"]
    for process in manifest.processes:
        missing += _missing_of(process, stored.get(process.process, 0))
    unknown = set(stored) - {"", *(process.process for process in manifest.processes)}
    missing += [f"{name} is not in the manifest" for name in sorted(unknown) if stored[name]]
    if not manifest.processes:
        missing.append("the manifest names no recording process")
    return missing


def unless_missing(run: Run, finding: Finding) -> Finding:
    """Turn a FAIL that says "no request did this" into INCONCLUSIVE where records are missing.

    A request whose record is gone can have done it.
    """
    missing = missing_records(run)
    if not missing or finding.verdict is not Verdict.FAIL:
        return finding
    return dataclasses.replace(
        finding,
        verdict=Verdict.INCONCLUSIVE,
        summary=f"{finding.summary} But records are missing, which may explain it: "
        f"{'; '.join(missing[:_NAMED])}.",
    )


def _missing_of(process: ProcessRecord, rows: int) -> list[str]:
    name, held, counted = process.process, process.journal_records, process.closed_records
    missing = []
    if rows != held:
        missing.append(
            f"{name} recorded {plural(held, 'operation')} but the history holds {rows:,}"
        )
    if process.problem:
        missing.append(f"{name}: {process.problem}")
    elif process.exit_state == NO_JOURNAL:
        missing.append(f"{name} {NO_JOURNAL}")
    elif counted is None and process.exit_state == ENDED_WELL:
        # One that was killed counts nothing: its journal alone tells what it sent.
        missing.append(f"{name} left no {'count' if held else 'journal'}")
    elif counted not in (None, held):
        missing.append(
            f"{name} counted {plural(counted or 0, 'operation')} but its journal held {held:,}"
        )
    return missing
