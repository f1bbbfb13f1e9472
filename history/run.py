"""Where a run keeps what it leaves behind, and how a run is sealed or recovered."""

import dataclasses
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from history.errors import UserError
from history.health import read_logs, write_health
from history.manifest import ENDED_WELL, Manifest, ProcessRecord, read_manifest
from history.sealing import JournalRecords, operations_table, read_journals, write_operations

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one run: `reports/<run_id>/`."""

    path: Path

    @property
    def manifest(self) -> Path:
        """What was run, against what, and how it ended."""
        return self.path / "manifest.json"

    @property
    def operations(self) -> Path:
        """The sealed history."""
        return self.path / "operations.parquet"

    @property
    def health(self) -> Path:
        """How the generators themselves fared: see history/health.py."""
        return self.path / "health.csv"

    @property
    def journals(self) -> Path:
        """The raw record, until sealed."""
        return self.path / "journal"

    @property
    def verdict(self) -> Path:
        """The judgement, for machines."""
        return self.path / "verdict.json"

    @property
    def report(self) -> Path:
        """The judgement, for people."""
        return self.path / "report.html"

    @property
    def locust_report(self) -> Path:
        """Locust's own report."""
        return self.path / "locust.html"

    @property
    def junit(self) -> Path:
        """The judgement, for CI systems."""
        return self.path / "junit.xml"


def find_run(reports: Path, run: str) -> RunFolder:
    """Find a run by id or path; `latest` is the newest.

    Raises UserError when there is none of that name.
    """
    for candidate in (reports / run, Path(run)):
        if (candidate / "manifest.json").is_file():
            return RunFolder(candidate.resolve())
    stored = sorted(
        p.parent.name for p in reports.glob("*/manifest.json") if p.parent.name != LATEST
    )
    there = (
        f"there are {', '.join(stored[-5:])}" if stored else "there is none yet: run make loadtest"
    )
    raise UserError(f"RUN={run}: no such run in {reports.name}/; {there}")


def point_latest(reports: Path, run: RunFolder) -> None:
    """Make `reports/latest` point at a run; raises OSError where that cannot be."""
    fresh = reports / f".{LATEST}.{os.getpid()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(run.path.name)
    fresh.replace(reports / LATEST)


@contextmanager
def locked(run: RunFolder) -> Iterator[None]:
    """Hold a run's folder: whoever records or seals it does so alone.

    The lock is the system's and goes with the process. Raises UserError when another holds it.
    """
    folder = os.open(run.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"{run.path} is being recorded or sealed by another process: wait for it to end, "
                "then run make verify-atomicity"
            ) from error
        yield
    finally:
        os.close(folder)


def seal(run: RunFolder) -> Manifest:
    """Seal a run's journals into operations.parquet; give the manifest as then written.

    A sealed run is left as it is. Raises UserError when another process is recording or
    sealing it, its journals are gone, or the disk is full.
    """
    manifest = read_manifest(run.manifest)
    if manifest.sealed:
        if run.journals.exists():  # whoever sealed it was killed while removing them
            shutil.rmtree(run.journals, ignore_errors=True)
        return manifest
    with locked(run):
        return seal_locked(run)


def seal_locked(run: RunFolder) -> Manifest:
    """Seal a run whose lock the caller holds; see `seal`.

    The journals are removed only after the Parquet file has been read back and the manifest
    says how many records each process wrote.
    """
    manifest = read_manifest(run.manifest)
    if manifest.sealed:
        return manifest
    journals = read_journals(run.journals)
    if not journals:
        raise UserError(
            f"{run.path} was never sealed and its journals are gone, so nothing can be judged: "
            "run make loadtest again"
        )
    table = operations_table(journals)
    write_operations(table, run.operations)
    stored_rows = pq.read_metadata(run.operations).num_rows
    if stored_rows != table.num_rows:
        raise UserError(
            f"{run.operations} holds {stored_rows} records after writing {table.num_rows}: the "
            "journals are kept; check the disk, then run make verify-atomicity"
        )
    write_health(read_logs(run.journals), run.health)
    manifest = manifest.replace(processes=_account(manifest, journals), sealed=True)
    manifest.write(run.manifest)
    shutil.rmtree(run.journals, ignore_errors=True)
    return manifest


def _account(manifest: Manifest, journals: Sequence[JournalRecords]) -> tuple[ProcessRecord, ...]:
    """Join the processes that were to record with those whose journals were found."""
    expected = {record.process: record for record in manifest.processes}
    found = {journal.header.process: journal for journal in journals}
    unexpected = [
        ProcessRecord(
            process=name,
            source=found[name].header.source,
            exit_state="unknown",
            journal_records=0,
            closed_records=None,
        )
        for name in sorted(found.keys() - expected.keys())
    ]
    return tuple(
        _with_journal(record, found.get(record.process))
        for record in (*manifest.processes, *unexpected)
    )


def _with_journal(record: ProcessRecord, journal: JournalRecords | None) -> ProcessRecord:
    if journal is None:
        return dataclasses.replace(record, problem="left no journal")
    problem = journal.problem
    if not problem and record.exit_state == ENDED_WELL and journal.closed_records is None:
        problem = "ended in good order but left no count of its records"
    return dataclasses.replace(
        record,
        journal_records=len(journal.slots),
        closed_records=journal.closed_records,
        problem=problem,
    )
