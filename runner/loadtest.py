"""One experiment from the first request to the sealed record."""

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.process import LocalCloud
from deploy.settings import Settings
from history.errors import UserError
from history.journal import Journal
from history.manifest import KnownValue, Load, Manifest
from history.run import RunFolder, point_latest, seal_locked
from history.shape import BURST
from runner import locust, provenance
from runner.bracket import before, final, first_increment, initialise, last_increment
from runner.generators import INTERRUPTS, commands, generator_environment, run_load
from runner.live.plain import View
from runner.live.watch import LiveView
from runner.options import LoadOptions
from runner.page import kept_port
from runner.processes import Generator, start
from runner.record import await_writers, discard, new_manifest, recording, with_exit_states
from runner.targets import Counter, open_counter, sole_use

Say = Callable[[str], None]


def loadtest(
    options: LoadOptions,
    settings: Settings,
    *,
    reports: Path,
    say: Say,
    view: View,
    local: LocalCloud | None = None,
    controls: bool = False,
) -> RunFolder:
    """Load a counter and leave a sealed run behind; give its folder. `view` shows the load.

    `local` and `controls` as open_counter has them.

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
    with (
        _restored_interrupts(),
        kept_port(options.page),
        open_counter(settings, options, say, local=local, controls=controls) as counter,
        sole_use(counter.origin),
    ):
        initial = initialise(counter, options, say)
        manifest = new_manifest(run, counter, options, commit=commit, dirty=dirty)
        with recording(run, manifest) as journal:
            manifest, generators = _begin(
                run, counter, options, journal, manifest=manifest, initial=initial, say=say
            )
            live = LiveView(
                run.journals,
                base=manifest.initial.value or 0,
                view=view,
                say=say,
                mixed=bool(options.load.decrements),
            )
            manifest = _conduct(
                counter,
                options,
                journal,
                manifest=manifest,
                generators=generators,
                live=live,
                say=say,
            )
            record_end(manifest, run)
            _keep_log(run, counter, say)
            journal.close()
            await_writers(run)
            sealed = seal_locked(run)
    records = sum(process.journal_records for process in sealed.processes)
    say(f"sealed: {records:,} operations of {len(sealed.processes)} processes")
    return run


@contextmanager
def _restored_interrupts() -> Iterator[None]:
    """Put back the handlers that run_load replaces while a record is being sealed."""
    handlers = {number: signal.getsignal(number) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _begin(
    run: RunFolder,
    counter: Counter,
    options: LoadOptions,
    journal: Journal,
    *,
    manifest: Manifest,
    initial: KnownValue | None,
    say: Say,
) -> tuple[Manifest, list[Generator]]:
    """Take one number, and bring every generator to its start; else leave nothing behind."""
    try:
        first = first_increment(counter, journal, timeout_s=options.load.timeout_s)
        say(f"GET {counter.url}: {first.seen.value}")
        manifest = manifest.replace(initial=initial or before(first, counter.returns))
        manifest.write(run.manifest)
        say(_announcement(options))
        generators = _start(run, counter, options)
        try:
            # Before the load: a run that is cut off must be the one that is judged next.
            point_latest(run.path.parent, run)
        except OSError as error:
            say(f"reports/latest cannot be set ({error.strerror}): judge with RUN={run.path.name}")
    except BaseException:
        discard(run, journal)
        raise
    return manifest, generators


def _conduct(
    counter: Counter,
    options: LoadOptions,
    journal: Journal,
    *,
    manifest: Manifest,
    generators: list[Generator],
    live: LiveView,
    say: Say,
) -> Manifest:
    """Run the load, and take one more number after it; give the manifest as it then is."""
    with live:
        result = run_load(generators, options, alive=counter.alive, live=live)
    if counter.origin_alive() and not counter.alive():
        say("the intermediary died")
    if result.interrupted:
        say(f"load: {result.interrupted}; what was recorded is judged")
    last = last_increment(counter, journal, timeout_s=options.load.timeout_s)
    known = final(counter, last)
    say(f"final value: {'unknown' if known.value is None else known.value} ({known.how})")
    return manifest.replace(
        final=known,
        ended_utc=provenance.utc_now(),
        load_started_ns=result.window.start_ns,
        load_ended_ns=result.ended_ns,
        fault_counts=counter.fault_counts(),
        interrupted=result.interrupted,
        processes=with_exit_states(manifest, result.exit_states),
    )


def record_end(manifest: Manifest, run: RunFolder) -> None:
    """Write down how the load ended; raises UserError saying that the load itself is kept."""
    try:
        manifest.write(run.manifest)
    except UserError as error:
        raise UserError(
            f"{error}; the load itself is recorded, and make verify-atomicity seals and judges it"
        ) from error


def _keep_log(run: RunFolder, counter: Counter, say: Say) -> None:
    """Keep the local target's log with the run: the target's own folder goes when it is stopped."""
    if counter.log_path is None:
        return
    kept = run.path / "logs" / "local-cloud.log"
    try:
        shutil.copyfile(counter.log_path, kept)
    except OSError as error:
        say(f"the log {counter.log_path} could not be kept ({error.strerror})")
        return
    if not counter.origin_alive():
        say(f"the local cloud died; its log: {kept}")


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
        workers=locust.workers(options.load),
    )


def _announcement(options: LoadOptions) -> str:
    load, page = options.load, options.page
    if page is not None:
        return (
            f"Locust's page: http://{page.host}:{page.port}/ (in a moment); start and stop tests "
            f"there as often as you like{_mix(load)}; Ctrl-C ends and judges what was recorded"
        )
    return (
        f"load: {load.duration_s} s of {load.users} Locust users and {load.connections} swarm "
        f"connections ({_manner(load)}){_mix(load)}; Ctrl-C stops early and judges what was "
        "recorded"
    )


def _mix(load: Load) -> str:
    return f", {100 * load.decrements:g} % of all requests decrements" if load.decrements else ""


def _manner(load: Load) -> str:
    """Say how the swarm sends: what decides when, over which transport, from where."""
    if load.shape == BURST:
        manner = "burst: in volleys" + (
            f", {load.rate_per_s:g}/s on average" if load.rate_per_s else ""
        )
    elif load.rate_per_s:
        manner = f"open loop at {load.rate_per_s:g}/s, {load.arrivals} arrivals"
    else:
        manner = "closed loop"
    shape = "" if load.shape in {BURST, "constant"} else f", shape {load.shape}"
    processes = "1 process" if load.processes == 1 else f"{load.processes} processes"
    return f"{manner}{shape}, {load.transport}, {processes}"
