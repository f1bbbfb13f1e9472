"""A run's folder while it is being recorded: its lock, its manifest, the runner's journal."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from history.errors import UserError
from history.journal import SUFFIX, Journal, boot_id, host_name, is_being_written
from history.manifest import ENDED_WELL, KnownValue, Manifest, ProcessRecord
from history.run import RunFolder, locked
from runner import locust, provenance
from runner.options import LoadOptions
from runner.targets import Counter

RUNNER = "runner-0"
SOURCE = "runner"
WRITERS_S = 5.0
POLL_S = 0.01


@contextmanager
def recording(run: RunFolder, manifest: Manifest) -> Iterator[Journal]:
    """Make and hold the run's folder, with a manifest that names every process to come.

    Raises UserError when the folder cannot be made.
    """
    try:
        run.journals.mkdir(parents=True)
        (run.path / "logs").mkdir()
    except OSError as error:
        raise UserError(
            f"{run.path} cannot be made ({error.strerror}): make room or make the folder writable, "
            "then run again"
        ) from error
    with locked(run):
        manifest.write(run.manifest)
        path = run.journals / f"{RUNNER}{SUFFIX}"
        with Journal(path, process=RUNNER, source=SOURCE) as journal:
            yield journal


def discard(run: RunFolder, journal: Journal) -> None:
    """Remove a run whose load never began: one request would only confuse."""
    journal.close()
    shutil.rmtree(run.path, ignore_errors=True)


def await_writers(run: RunFolder, *, patience_s: float = WRITERS_S) -> None:
    """Wait until no process holds a journal any more; sealing says so if one still does.

    A worker of Locust's is not our child: that it has ended is seen by a pipe that it no
    longer holds, and the system may take its journal from it a moment later.
    """
    deadline_s = time.monotonic() + patience_s
    for path in run.journals.glob(f"*{SUFFIX}"):
        while is_being_written(path) and time.monotonic() < deadline_s:
            time.sleep(POLL_S)


def with_exit_states(manifest: Manifest, states: Mapping[str, str]) -> tuple[ProcessRecord, ...]:
    """Give the processes with how each ended; the runner, which is not named, ended well."""
    return tuple(
        _process(record.process, record.source, states.get(record.process, ENDED_WELL))
        for record in manifest.processes
    )


def new_manifest(
    run: RunFolder, counter: Counter, options: LoadOptions, *, commit: str, dirty: bool
) -> Manifest:
    """Give the manifest of a run that has not begun: what it says if nobody lives to say more."""
    unknown = KnownValue(value=None, how="the run ended before it was known")
    names = [f"swarm-{index}" for index in range(options.load.processes)]
    return Manifest(
        run_id=options.run_id or run.path.name,
        started_utc=provenance.utc_now(),
        target=counter.target,
        url=counter.origin_url,
        load=options.load,
        initial=unknown,
        final=unknown,
        returns=counter.returns,
        wall_minus_monotonic_ns=time.time_ns() - time.monotonic_ns(),
        interrupted="ended before its end was recorded: its runner was killed or could not write",
        endpoint_url=counter.endpoint_url,
        engine=counter.engine,
        limits=counter.limits,
        region=counter.region,
        initial_asked=options.initial,
        stack=counter.stack,
        table=counter.table,
        template_sha256=counter.template_sha256,
        integration_timeout_ms=counter.integration_timeout_ms,
        fault="" if counter.fault is None else counter.fault.text,
        seed=options.seed,
        versions=provenance.versions(),
        host=host_name(),
        boot_id=boot_id(),
        cpu_count=len(os.sched_getaffinity(0)),
        commit=commit,
        dirty=dirty,
        processes=(
            *(_process(name, "swarm", "unknown") for name in names),
            *(_process(name, locust.SOURCE, "unknown") for name in locust.names(options.load)),
            _process(RUNNER, SOURCE, "unknown"),
        ),
    )


def _process(name: str, source: str, state: str) -> ProcessRecord:
    return ProcessRecord(
        process=name, source=source, exit_state=state, journal_records=0, closed_records=None
    )
