"""One experiment from the first request to the sealed record."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.settings import Settings
from history.classify import Answer
from history.errors import UserError
from history.journal import SUFFIX, Journal, boot_id, host_name
from history.manifest import KnownValue, Load, Manifest, ProcessRecord
from history.operation import Outcome, Returns
from history.run import RunFolder, point_latest, seal
from runner import provenance
from runner.generators import (
    ENDED_WELL,
    Generator,
    commands,
    generator_environment,
    run_load,
    start,
)
from runner.options import LoadOptions
from runner.requests import PUT_ABSENT, recorded_increment, set_counter
from runner.targets import Counter, open_counter

RUNNER = "runner-0"
SOURCE = "runner"
Say = Callable[[str], None]
HTTP_OK = 200
LAST_TRIES = 3


def loadtest(options: LoadOptions, settings: Settings, *, reports: Path, say: Say) -> RunFolder:
    """Load a counter and leave a sealed run behind; give its folder.

    Raises UserError for what the user can fix. Once the load has begun, whatever happens,
    what was recorded is kept.
    """
    commit, dirty = provenance.commit()
    run = RunFolder(reports / (options.run_id or provenance.new_run_id(commit)))
    if run.path.exists():
        raise UserError(
            f"RUN={run.path.name}: {reports.name}/ already holds a run of that name; choose "
            "another, or leave RUN out"
        )
    with _restored_interrupts(), open_counter(settings, options, say) as counter:
        initial = _initialise(counter, options, say)
        manifest = _new_manifest(run, counter, options, commit=commit, dirty=dirty)
        with _recording(run, manifest) as journal:
            manifest = _experiment(
                run, counter, options, journal, manifest=manifest, initial=initial, say=say
            )
        manifest.write(run.manifest)
        sealed = seal(run)
    point_latest(reports, run)
    records = sum(process.journal_records for process in sealed.processes)
    say(f"sealed: {records:,} operations of {len(sealed.processes)} processes")
    return run


@contextmanager
def _restored_interrupts() -> Iterator[None]:
    """Put back the handlers that run_load replaces while a record is being sealed."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _initialise(counter: Counter, options: LoadOptions, say: Say) -> KnownValue | None:
    """PUT the counter to INITIAL; None where the server has no PUT, or we cannot believe it."""
    status = set_counter(counter.destination, options.initial, timeout_s=options.load.timeout_s)
    if counter.target == "url":
        if status != HTTP_OK and status not in PUT_ABSENT:
            raise UserError(
                f"PUT {counter.url} answered {status}: expected 200, or 404, 405 or 501 from a "
                "server without PUT; nothing was loaded"
            )
        # Whatever a foreign server does with PUT, its first GET says where it stands.
        say(f"PUT {counter.url}: {status}{'' if status == HTTP_OK else ' (it has no PUT)'}")
        return None
    if status != HTTP_OK:
        raise UserError(
            f"PUT {counter.url} answered {status}, expected 200: the counter could not be "
            "initialised; see make inspect"
        )
    say(f"PUT {counter.url}: the counter is {options.initial}")
    return KnownValue(value=options.initial, how=f"PUT answered 200 to INITIAL={options.initial}")


@contextmanager
def _recording(run: RunFolder, manifest: Manifest) -> Iterator[Journal]:
    """Make the run's folder with a manifest that already names this process, and a journal."""
    try:
        run.journals.mkdir(parents=True)
        (run.path / "logs").mkdir()
    except OSError as error:
        raise UserError(
            f"{run.path} cannot be made ({error.strerror}): make room or make the folder writable, "
            "then run again"
        ) from error
    manifest.write(run.manifest)
    with Journal(run.journals / f"{RUNNER}{SUFFIX}", process=RUNNER, source=SOURCE) as journal:
        yield journal


def _experiment(
    run: RunFolder,
    counter: Counter,
    options: LoadOptions,
    journal: Journal,
    *,
    manifest: Manifest,
    initial: KnownValue | None,
    say: Say,
) -> Manifest:
    """Bracket the load with one recorded increment on each side; give the manifest so far."""
    try:
        first = _first_increment(counter, journal, timeout_s=options.load.timeout_s)
        say(f"GET {counter.url}: {first.seen.value}")
        manifest = manifest.replace(initial=initial or _before(first, counter.returns))
        manifest.write(run.manifest)
        generators = _start(run, counter, options)
    except BaseException:
        journal.close()
        shutil.rmtree(run.path)  # no load, no run: one request would only confuse
        raise
    say(_announcement(options.load))
    result = run_load(generators, options, alive=counter.alive)
    if result.interrupted:
        say(f"load: {result.interrupted}; what was recorded is judged")
    last = _last_increment(counter, journal, timeout_s=options.load.timeout_s)
    final = _final(counter, last)
    say(f"final value: {final.value} ({final.how})")
    return manifest.replace(
        final=final,
        ended_utc=provenance.utc_now(),
        load_started_ns=result.window.start_ns,
        load_ended_ns=result.ended_ns,
        interrupted=result.interrupted,
        processes=tuple(
            _process(
                record.process,
                record.source,
                result.exit_states.get(record.process, ENDED_WELL),  # this one is the runner
            )
            for record in manifest.processes
        ),
    )


def _first_increment(counter: Counter, journal: Journal, *, timeout_s: float) -> Answer:
    first = recorded_increment(counter.destination, journal, timeout_s=timeout_s)
    if first.seen.value is None:
        raise UserError(
            f"GET {counter.url} {_describe(first)}, expected 200 and one integer; nothing was "
            "loaded"
        )
    return first


def _last_increment(counter: Counter, journal: Journal, *, timeout_s: float) -> Answer:
    """Take one more number after the load; a lost answer is no answer, so a few times.

    Each try is an operation of its own in the record, none is a re-send of another.
    """
    for _ in range(LAST_TRIES):
        last = recorded_increment(counter.destination, journal, timeout_s=timeout_s)
        if last.seen.outcome is not Outcome.INDETERMINATE:
            break
    return last


def _start(run: RunFolder, counter: Counter, options: LoadOptions) -> list[Generator]:
    return start(
        commands(
            options,
            url=counter.url,
            allowed_hosts=counter.allowed_hosts,
            journals=run.journals,
            locust_report=run.locust_report,
        ),
        environment=generator_environment(
            options, journals=run.journals, allowed_hosts=counter.allowed_hosts
        ),
        logs=run.path / "logs",
    )


def _announcement(load: Load) -> str:
    rate = f"open loop at {load.rate_per_s:g}/s" if load.rate_per_s else "closed loop"
    processes = "1 process" if load.processes == 1 else f"{load.processes} processes"
    return (
        f"load: {load.duration_s} s of {load.users} Locust users and {load.connections} swarm "
        f"connections ({rate}, {processes}); Ctrl-C stops early and judges what was recorded"
    )


def _before(first: Answer, returns: Returns) -> KnownValue:
    value = first.seen.value
    if value is None:
        raise AssertionError(first)
    before = value - 1 if returns is Returns.NEW else value
    return KnownValue(value=before, how=f"the first GET answered {value}")


def _final(counter: Counter, last: Answer) -> KnownValue:
    """Read the final value: from the table where there is one, else from the last GET."""
    trouble = ""
    if counter.read_final is not None:
        try:
            return KnownValue(
                value=counter.read_final(),
                how=f"strongly consistent read of table {counter.table}",
            )
        except UserError as error:
            trouble = f"the table could not be read: {error}; "
    if last.seen.value is None:
        return KnownValue(value=None, how=f"{trouble}the last GET {_describe(last)}")
    shift = 0 if counter.returns is Returns.NEW else 1
    return KnownValue(
        value=last.seen.value + shift, how=f"{trouble}the last GET answered {last.seen.value}"
    )


def _describe(answer: Answer) -> str:
    if answer.status:
        return f"answered {answer.status} ({answer.seen.reason.label})"
    return f"got no answer ({answer.seen.reason.label})"


def _new_manifest(
    run: RunFolder, counter: Counter, options: LoadOptions, *, commit: str, dirty: bool
) -> Manifest:
    unknown = KnownValue(value=None, how="the run ended before it was known")
    names = [f"swarm-{index}" for index in range(options.load.processes)]
    return Manifest(
        run_id=run.path.name,
        started_utc=provenance.utc_now(),
        target=counter.target,
        url=counter.url,
        load=options.load,
        initial=unknown,
        final=unknown,
        returns=counter.returns,
        wall_minus_monotonic_ns=time.time_ns() - time.monotonic_ns(),
        interrupted="ended before its end was recorded: its runner was killed",
        endpoint_url=counter.endpoint_url,
        region=counter.region,
        initial_asked=options.initial,
        stack=counter.stack,
        table=counter.table,
        template_sha256=counter.template_sha256,
        seed=options.seed,
        versions=provenance.versions(),
        host=host_name(),
        boot_id=boot_id(),
        cpu_count=len(os.sched_getaffinity(0)),
        commit=commit,
        dirty=dirty,
        processes=(
            *(_process(name, "swarm", "unknown") for name in names),
            _process("locust-0", "locust", "unknown"),
            _process(RUNNER, SOURCE, "unknown"),
        ),
    )


def _process(name: str, source: str, state: str) -> ProcessRecord:
    return ProcessRecord(
        process=name, source=source, exit_state=state, journal_records=0, closed_records=None
    )
