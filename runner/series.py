"""A series of runs, one after the other, on one stack of its own.

It conducts what a plan lists; what each run is expected to show is the plan's, what it showed is
analysis'.
"""

import dataclasses
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from deploy.cloud import Cloud
from deploy.local.engines.choice import EngineChoice
from deploy.local.lifecycle import private_cloud
from deploy.local.process import LocalCloud
from deploy.removal import remove_stack
from deploy.settings import Settings, Target
from history.errors import UserError
from history.fault import LOST_UPDATE, parse_fault
from history.journal import host_name
from history.manifest import Manifest, read_manifest
from history.operation import INT64_MAX
from history.run import RunFolder
from history.series import Control, Series, SeriesFolder, write_series
from runner import provenance
from runner.intermediary import running
from runner.live.figures import Snapshot
from runner.loadtest import Say, loadtest
from runner.options import LoadOptions
from runner.targets import alone, cost_warning

MOTO = "moto"
STACK_SUFFIX = "-controls"
AROUND_A_LOAD_S = 4.0
"""What starting, sealing and stopping take beside the load itself, until it has been measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run, in this order.

    `command` is how a user asks for it, `what` the runs are called; `kind` and `prefix` say where
    they are kept.
    """

    command: str
    what: str
    prefix: str
    kind: type[SeriesFolder]
    controls: Sequence[Control]


class _Unseen:
    """A view of the load that shows nothing: there are too many to look at."""

    every_s = 5.0

    def show(self, now: Snapshot) -> None:
        """Show nothing."""

    def tell(self, line: str) -> None:
        """Say nothing."""

    def finish(self, last: Snapshot) -> None:
        """Show nothing."""


class _Pace:
    """How long the runs that are left will take, by those that were made."""

    def __init__(self, runs: int, load_s: float) -> None:
        self.runs = self._left = runs
        self._made = 0
        self._guess_s = load_s + AROUND_A_LOAD_S
        self._began_s = time.monotonic()

    def made(self) -> None:
        """Hear that a run was made."""
        self._made += 1
        self._left -= 1

    @property
    def left(self) -> str:
        """The time left, in words."""
        mean_s = (time.monotonic() - self._began_s) / self._made if self._made else self._guess_s
        left_s = self._left * mean_s
        return f"{left_s:.0f} s" if left_s < 100 else f"{left_s / 60:.0f} min"  # noqa: PLR2004


def conduct(
    plan: Plan, options: LoadOptions, settings: Settings, *, reports: Path, say: Say
) -> SeriesFolder:
    """Make every run of a plan that can be made on the target; give their folder, not yet judged.

    Raises UserError for what the user can fix; what was run until then is kept. Ctrl-C ends the
    series, and keeps it if a run was made.
    """
    _require_plain(plan, options)
    folder, series = _begin(plan, options, settings, reports)
    settings = dataclasses.replace(settings, stack=settings.stack + STACK_SUFFIX)
    planned = [
        dataclasses.replace(control, skipped=_why_not(control, settings, options))
        for control in plan.controls
    ]
    pace = _Pace(sum(not one.skipped for one in planned), options.load.duration_s)
    say(
        f"{len(planned)} {plan.what} of {options.load.duration_s} s each, about {pace.left} in "
        f"all, in {folder.path}"
    )
    if settings.target is Target.AWS and not options.url:
        _tell_cost(options, pace.runs, say)
    try:
        with _cloud(settings, options, say) as local:

            def run(control: Control, own: LoadOptions) -> Manifest:
                return _run(control, own, settings, folder=folder, local=local)

            series = _make(planned, series, options, run=run, folder=folder, pace=pace, say=say)
            write_series(folder.series, series)
    except BaseException:
        _leave_in_order(plan, folder, say)
        raise
    return folder


def _tell_cost(options: LoadOptions, runs: int, say: Say) -> None:
    """Say what all loads together cost, at most."""
    together = dataclasses.replace(options.load, duration_s=options.load.duration_s * runs)
    say(cost_warning(dataclasses.replace(options, load=together)))
    say("cost: an update that is lost on purpose is two requests, a read and a write")


def _leave_in_order(plan: Plan, folder: SeriesFolder, say: Say) -> None:
    """Name what was run before the series broke off; leave nothing where nothing was."""
    if any(folder.path.glob("*/manifest.json")):
        command = plan.command.removeprefix("make ")
        say(f"what was run until then can be judged: python -m analysis {command} {folder.path}")
    else:
        shutil.rmtree(folder.path, ignore_errors=True)


def _make(
    planned: Sequence[Control],
    series: Series,
    options: LoadOptions,
    *,
    run: Callable[[Control, LoadOptions], Manifest],
    folder: SeriesFolder,
    pace: _Pace,
    say: Say,
) -> Series:
    """Make one run after the other; give the series with those that were made or skipped."""
    for number, control in enumerate(planned):
        begun = dataclasses.replace(series, controls=(*series.controls, control))
        write_series(folder.series, begun)
        _announce(number, planned, pace, say)
        if control.skipped:
            series = begun
            continue
        # Equal seeds would spoil the same requests in every repetition.
        own = dataclasses.replace(options, seed=(options.seed + number) % (INT64_MAX + 1))
        try:
            manifest = run(control, own)
        except KeyboardInterrupt:
            if all(one.skipped for one in series.controls):
                raise
            say(f"stopped before the load of {control.name} began")
            return series
        pace.made()
        series = begun if control.engine else _described(begun, manifest)
        if manifest.interrupted:
            say(f"stopped: {control.name} was {manifest.interrupted}")
            return series
    return dataclasses.replace(series, ended_utc=provenance.utc_now())


def _announce(number: int, planned: Sequence[Control], pace: _Pace, say: Say) -> None:
    control, count = planned[number], str(len(planned))
    width = max(len(one.name) for one in planned)
    told = f"{number + 1:>{len(count)}} of {count}  {control.name:<{width}}"
    if control.skipped:
        say(f"{told}  skipped: {control.skipped}")
    else:
        say(f"{told}  {control.meaning} (about {pace.left} left)")


def _require_plain(plan: Plan, options: LoadOptions) -> None:
    """Refuse what changes what the runs are expected to show."""
    asked = {
        "FAULT": options.fault is not None,
        "DECREMENTS": options.load.decrements > 0,
        "FAIL_FAST": options.fail_fast,
        "ALLOW_UNANSWERED": options.allow_unanswered > 0,
        "EFFECT_WINDOW_MS": bool(options.effect_window_ms),
        "SEARCH_BUDGET_S": options.search_budget_s is not None,
    }
    for name, given in asked.items():
        if given:
            raise UserError(
                f"{name}: each of the {plan.what} has its own fault and expectation; leave {name} "
                f"out with {plan.command}, or use it with make loadtest"
            )


def _begin(
    plan: Plan, options: LoadOptions, settings: Settings, reports: Path
) -> tuple[SeriesFolder, Series]:
    commit, dirty = provenance.commit()
    folder = plan.kind(reports / (plan.prefix + provenance.new_run_id(commit)))
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
    """Say of the stack what a run on it says; but for its name, which is the series' own."""
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
    """Run one local cloud for all runs, where it is the target; else take the stack down."""
    if options.url:
        yield None
        return
    if settings.target is Target.LOCAL:
        with private_cloud(options=settings.cloud_options) as local:
            say(f"local cloud: started at {local.endpoint_url} (it is stopped at the end)")
            yield local
        return
    cloud = Cloud(region=settings.region, endpoint_url=settings.endpoint_url)
    where = f"stack {settings.stack} in {cloud.place}"
    with alone(where, f"another series is using {where} now: wait for it to end, or use STACK"):
        try:
            yield None
        finally:
            say(f"{where} is removed")
            _remove(cloud, settings.stack, say)


def _remove(cloud: Cloud, stack: str, say: Say) -> None:
    try:
        remove_stack(cloud, stack, say)
    except KeyboardInterrupt:
        raise UserError(
            f"interrupted: stack {stack} may still be there; make destroy STACK={stack} removes it"
        ) from None


def _why_not(control: Control, settings: Settings, options: LoadOptions) -> str:
    """Say why a control cannot be run on this target; empty if it can."""
    if control.fault.partition(":")[0] == LOST_UPDATE and options.url:
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
        run_id=f"{folder.path.name}/{control.name}",
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
                reports=folder.path.parent,
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
