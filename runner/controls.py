"""The controls: the same load against counters that are wrong in one known way.

What is expected of each is said here; whether it came so is judged by analysis, from the record.
"""

import dataclasses
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from deploy.cloud import Cloud
from deploy.local.engines.choice import EngineChoice
from deploy.local.lifecycle import private_cloud
from deploy.local.process import LocalCloud
from deploy.removal import remove_stack
from deploy.settings import Settings, Target
from history.errors import UserError
from history.fault import LOST_UPDATE, NONE, RESTORE, parse_fault
from history.journal import host_name
from history.manifest import Manifest, read_manifest
from history.run import RunFolder
from history.series import PREFIX, Control, Series, SeriesFolder, write_series
from runner import provenance
from runner.intermediary import running
from runner.live.figures import Snapshot
from runner.loadtest import Say, loadtest
from runner.options import LoadOptions

MOTO = "moto"
STACK_SUFFIX = "-controls"

CONTROLS: tuple[Control, ...] = (
    Control(
        name="correct",
        meaning="nothing is wrong, nothing stands between",
        fault="",
        expected="PASS",
    ),
    Control(
        name="intermediary",
        meaning="nothing is wrong, an intermediary passes everything on",
        fault=NONE,
        expected="PASS",
    ),
    Control(
        name=LOST_UPDATE,
        meaning="the real API and database, used without atomicity: read, add one, write",
        fault=LOST_UPDATE,
        expected="FAIL",
        check="unique",
    ),
    Control(
        name="moto-engine",
        meaning="the same API on a database whose UpdateItem is not atomic (moto's)",
        fault="",
        engine=MOTO,
        expected="FAIL",
        check="unique",
    ),
    Control(
        name="cache",
        meaning="a cache answers GET for 5 ms",
        fault="cache:5",
        expected="FAIL",
        check="unique",
    ),
    Control(
        name="replica",
        meaning="two independent replicas of the counter share the requests",
        fault="replica:0.5",
        expected="FAIL",
        check="unique",
    ),
    Control(
        name=RESTORE,
        meaning="the counter is put back once to an older snapshot, in the middle of the run",
        fault="restore:500",
        expected="FAIL",
        check="unique",
    ),
    Control(
        name="resend",
        meaning="an intermediary sends one request in a hundred twice",
        fault="resend:0.01",
        expected="FAIL",
        check="gap-free",
    ),
    Control(
        name="blocks",
        meaning="two allocators hand out numbers that they took ahead in blocks of 50",
        fault="blocks:50",
        expected="FAIL",
        check="ordered",
    ),
    Control(
        name="swap",
        meaning="one answer in a hundred changes places with a later one",
        fault="swap:0.01",
        expected="FAIL",
        check="ordered",
    ),
    Control(
        name="drop",
        meaning="one answer in a hundred is lost after the write",
        fault="drop:0.01",
        expected="INCONCLUSIVE",
        check="gap-free",
    ),
    Control(
        name="throttle",
        meaning="one request in ten is refused with 429",
        fault="throttle:0.1",
        expected="PASS",
    ),
    Control(
        name="reorder",
        meaning="requests and answers are delayed at random and overtake each other",
        fault="reorder:20",
        expected="PASS",
    ),
)
"""In the order in which they are run and shown: what is right, what is wrong, what is hard."""


class _Unseen:
    """A view of the load that shows nothing: there are too many to look at."""

    every_s = 5.0

    def show(self, now: Snapshot) -> None:
        """Show nothing."""

    def tell(self, line: str) -> None:
        """Say nothing."""

    def finish(self, last: Snapshot) -> None:
        """Show nothing."""


def controls(options: LoadOptions, settings: Settings, *, reports: Path, say: Say) -> SeriesFolder:
    """Run every control that can be run on the target; give the series' folder, not yet judged.

    Raises UserError for what the user can fix; what was run until then is kept.
    """
    _require_plain(options)
    folder, series = _begin(options, settings, reports)
    say(f"{len(CONTROLS)} controls of {options.load.duration_s} s each, in {folder.path}")
    settings = dataclasses.replace(settings, stack=settings.stack + STACK_SUFFIX)
    with _cloud(settings, options, say) as local:
        for number, control in enumerate(CONTROLS, start=1):
            planned = dataclasses.replace(control, skipped=_why_not(control, settings, options))
            series = dataclasses.replace(series, controls=(*series.controls, planned))
            write_series(folder.series, series)
            told = f"{number:>2} of {len(CONTROLS)}  {control.name:<12}"
            if planned.skipped:
                say(f"{told}  skipped: {planned.skipped}")
                continue
            say(f"{told}  {control.meaning}")
            manifest = _run(control, options, settings, folder=folder, local=local)
            series = _described(series, manifest) if not control.engine else series
            if manifest.interrupted:
                say(f"stopped: {control.name} was {manifest.interrupted}")
                break
        else:
            series = dataclasses.replace(series, ended_utc=provenance.utc_now())
    write_series(folder.series, series)
    return folder


def _require_plain(options: LoadOptions) -> None:
    """Refuse what changes what the controls are expected to show."""
    asked = {
        "FAULT": options.fault is not None,
        "DECREMENTS": options.load.decrements > 0,
        "FAIL_FAST": options.fail_fast,
        "ALLOW_UNANSWERED": options.allow_unanswered > 0,
    }
    for name, given in asked.items():
        if given:
            raise UserError(
                f"{name}: each control has its own fault and expectation; leave {name} out with "
                "make controls, or use it with make loadtest"
            )


def _begin(options: LoadOptions, settings: Settings, reports: Path) -> tuple[SeriesFolder, Series]:
    commit, dirty = provenance.commit()
    folder = SeriesFolder(reports / (PREFIX + provenance.new_run_id(commit)))
    try:
        folder.path.mkdir()
    except OSError as error:
        raise UserError(
            f"{folder.path} cannot be made ({error.strerror}): make room or make the folder "
            "writable, then run again"
        ) from error
    series = Series(
        series_id=folder.path.name,
        started_utc=provenance.utc_now(),
        target="url" if options.url else settings.target.value,
        url=options.url,
        stack="" if options.url else settings.stack,
        load=options.load,
        seed=options.seed,
        host=host_name(),
        cpu_count=len(os.sched_getaffinity(0)),
        commit=commit,
        dirty=dirty,
    )
    return folder, series


def _described(series: Series, manifest: Manifest) -> Series:
    """Say of the stack what a run on it says; but for its name, which is the controls' own."""
    return dataclasses.replace(
        series,
        target=manifest.target,
        endpoint_url=manifest.endpoint_url,
        engine=manifest.engine,
        limits=manifest.limits,
        region=manifest.region,
        template_sha256=manifest.template_sha256,
        returns=str(manifest.returns),
    )


@contextmanager
def _cloud(settings: Settings, options: LoadOptions, say: Say) -> Iterator[LocalCloud | None]:
    """Run one local cloud for all controls, where it is the target; else take the stack down."""
    if options.url:
        yield None
        return
    if settings.target is Target.LOCAL:
        with private_cloud(options=settings.cloud_options) as local:
            say(f"local cloud: started at {local.endpoint_url} (it is stopped at the end)")
            yield local
        return
    try:
        yield None
    finally:
        cloud = Cloud(region=settings.region, endpoint_url=settings.endpoint_url)
        say(f"stack {settings.stack} of the controls is removed")
        remove_stack(cloud, settings.stack, say)


def _why_not(control: Control, settings: Settings, options: LoadOptions) -> str:
    """Say why a control cannot be run on this target; empty if it can."""
    if control.name == LOST_UPDATE and options.url:
        return "a server named by URL has no methods that read and write without atomicity"
    if control.engine and (options.url or settings.target is not Target.LOCAL):
        return "the database can be exchanged on the local target only"
    return ""


def _run(
    control: Control,
    options: LoadOptions,
    settings: Settings,
    *,
    folder: SeriesFolder,
    local: LocalCloud | None,
) -> Manifest:
    """Run one control, and leave its run in the series' folder."""
    own = dataclasses.replace(
        options,
        run_id=control.name,
        fault=parse_fault(control.fault) if control.fault else None,
    )
    log = folder.path / f"{control.name}.log"
    engine = _moto() if control.engine == MOTO else nullcontext("")
    with log.open("w", encoding="utf-8") as said, engine as url:
        if url:
            settings = dataclasses.replace(settings, engine=EngineChoice(name=url))
        with private_cloud(options=settings.cloud_options) if url else nullcontext(local) as cloud:
            run = loadtest(
                own,
                settings,
                reports=folder.path,
                say=lambda line: print(line, file=said, flush=True),
                view=_Unseen(),
                local=cloud,
                controls=True,
            )
    _keep_log(log, run)
    return read_manifest(run.manifest)


def _keep_log(log: Path, run: RunFolder) -> None:
    """Put what the run said beside what its generators said."""
    log.replace(run.path / "logs" / "runner.log")


@contextmanager
def _moto() -> Iterator[str]:
    command = [sys.executable, "-m", "faults.moto_engine"]
    with running(command, "moto's DynamoDB") as (_, url):
        yield url
