"""Where a run keeps what it leaves behind, and how a run is sealed or recovered."""

import dataclasses
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from history.errors import UserError
from history.manifest import Manifest, ProcessRecord, read_manifest
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
    """Make `reports/latest` point at a run."""
    link = reports / LATEST
    fresh = reports / f".{LATEST}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(run.path.name)
    fresh.replace(link)


def seal(run: RunFolder) -> Manifest:
    """Seal a run's journals into operations.parquet; give the manifest as then written.

    The journals are removed only after the Parquet file has been read back and the manifest
    says how many records each process wrote. A sealed run is left as it is. Raises UserError
    when a journal is still being written or the disk is full.
    """
    manifest = read_manifest(run.manifest)
    if manifest.sealed:
        shutil.rmtree(run.journals, ignore_errors=True)
        return manifest
    journals = read_journals(run.journals)
    table = operations_table(journals)
    write_operations(table, run.operations)
    stored_rows = pq.read_metadata(run.operations).num_rows
    if stored_rows != table.num_rows:
        raise UserError(
            f"{run.operations} holds {stored_rows} records after writing {table.num_rows}: the "
            "journals are kept; check the disk, then run make verify-atomicity"
        )
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
        dataclasses.replace(
            record,
            journal_records=len(found[record.process].slots) if record.process in found else 0,
            closed_records=found[record.process].closed_records
            if record.process in found
            else None,
        )
        for record in (*manifest.processes, *unexpected)
    )
