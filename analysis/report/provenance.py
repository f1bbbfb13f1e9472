"""What was run, and against what: from the manifest, and for controls from their series."""

from pathlib import Path

from analysis.report import faults, formats
from analysis.report.tables import Column, Table, numbers, table
from analysis.run import Run
from history.manifest import POISSON, KnownValue, Load, Manifest
from history.series import Series
from history.shape import BURST, CONSTANT
from history.shape import MEANINGS as SHAPE_MEANINGS

Described = Manifest | Series
"""What knows a stack, a load and a machine."""

_RUN_FILES = (
    ("operations.parquet", "every recorded operation, one row each"),
    ("verdict.json", "the verdict and all findings, for machines"),
    ("junit.xml", "one test case a check, for continuous integration"),
    ("manifest.json", "what this section says, for machines"),
    ("health.csv", "how each generator process fared, every half second"),
    ("locust.html", "Locust's own report of its share of the load"),
)
_ALWAYS = len(_RUN_FILES) - 2


def facts(run: Run) -> Table:
    """List everything the manifest knows (without one, what was told on the command line)."""
    rows = _manifest_rows(run.manifest) if run.manifest else _plain_rows(run)
    return _table_of("The run", rows)


def _plain_rows(run: Run) -> list[tuple[str, str]]:
    final = "not given" if run.final is None else formats.integer(run.final)
    return [
        ("history", formats.plain(run.run_id)),
        ("manifest", "none: this is a plain history file"),
        ("initial value", f"{formats.integer(run.initial)} (given)"),
        ("final value", f"{final}" + ("" if run.final is None else " (given)")),
        ("an increment answers", _returns(run)),
        ("explained holes allowed", formats.integer(run.allow_unanswered)),
    ]


def _manifest_rows(manifest: Manifest) -> list[tuple[str, str]]:
    return [
        ("run", formats.plain(manifest.run_id)),
        ("started", formats.utc(manifest.started_utc)),
        ("ended", formats.utc(manifest.ended_utc)),
        ("interrupted", formats.plain(manifest.interrupted, 400)),
        ("record", "sealed" if manifest.sealed else "not sealed: recovered from the journals"),
        *_stack_rows(manifest),
        ("table", formats.plain(manifest.table)),
        ("integration time-out", _milliseconds(manifest.integration_timeout_ms)),
        *faults.rows(manifest),
        ("initial value", _known(manifest.initial)),
        ("final value", _known(manifest.final)),
        *_load_rows(manifest.load),
        ("seed", str(manifest.seed)),
        ("host", _host(manifest)),
        ("versions", _versions(manifest)),
        ("commit", commit(manifest)),
    ]


def series_facts(series: Series) -> Table:
    """List what a series of controls knows of its stack and its load."""
    rows = [
        ("series", formats.plain(series.series_id)),
        ("started", formats.utc(series.started_utc)),
        ("ended", formats.utc(series.ended_utc)),
        *_stack_rows(series),
        *_load_rows(series.load),
        ("seed", str(series.seed)),
        ("host", _host(series)),
        ("commit", commit(series)),
    ]
    return _table_of("The series", rows)


def _table_of(caption: str, rows: list[tuple[str, str]]) -> Table:
    known = [(name, value) for name, value in rows if value]
    return table(caption, (Column("property"), Column("value")), known)


def _stack_rows(told: Described) -> list[tuple[str, str]]:
    return [
        ("target", formats.plain(told.target)),
        ("URL", formats.plain(told.url, 400)),
        ("endpoint", formats.plain(told.endpoint_url, 400)),
        ("engine", formats.plain(told.engine, 400)),
        ("limits", formats.plain(told.limits)),
        ("CloudFormation stack", formats.plain(told.stack)),
        ("template SHA-256", formats.plain(told.template_sha256)),
        ("an increment answers", _returned(str(told.returns))),
    ]


def _load_rows(load: Load) -> list[tuple[str, str]]:
    return [
        ("load", f"{_duration(load)}, time-out {load.timeout_s:g}\u00a0s"),
        ("decrements", _decrements(load)),
        ("shape of the load", _shape(load)),
        ("Locust", _locust(load)),
        ("swarm", _swarm(load)),
    ]


def _duration(load: Load) -> str:
    if load.by_page:
        return "as long as was chosen in Locust's page"
    return formats.counted(load.duration_s, "second")


def _decrements(load: Load) -> str:
    if not load.decrements:
        return ""
    return f"{100 * load.decrements:g}\u00a0% of all requests, at random by the seed"


def _milliseconds(known: int | None) -> str:
    return "" if known is None else f"{known:,d}\u00a0ms"


def _shape(load: Load) -> str:
    meaning = SHAPE_MEANINGS.get(load.shape, "level at each share of the duration")
    return "" if load.shape == CONSTANT else f"{formats.plain(load.shape, 400)}: {meaning}"


def _locust(load: Load) -> str:
    if load.by_page:
        return "users as they were chosen in Locust's page, each in a closed loop"
    workers = formats.counted(load.locust_processes, "process", "processes")
    started = (
        f"{load.spawn_rate_per_s:,d} started a second"
        if load.shape == CONSTANT
        else "started and stopped by the shape"
    )
    return f"{formats.counted(load.users, 'user')} in {workers}, closed loop, {started}"


def _swarm(load: Load) -> str:
    if load.by_page:
        return "none"
    more = ""
    loop = "closed loop"
    if load.shape == BURST:
        average = f", {load.rate_per_s:,g} requests/s on average" if load.rate_per_s else ""
        loop = f"in volleys: all at the same instant, again when all are answered{average}"
    elif load.rate_per_s:
        arrivals = "at random (poisson)" if load.arrivals == POISSON else "evenly spaced (uniform)"
        loop = f"open loop at {load.rate_per_s:,g} requests/s, {arrivals}"
        if load.connections_max > load.connections:
            more = f", up to {load.connections_max:,d} when all are busy,"
    processes = formats.counted(load.processes, "process", "processes")
    return (
        f"{formats.counted(load.connections, 'connection')}{more} in {processes} by "
        f"{formats.plain(load.transport)}, {loop}"
    )


def _host(told: Described) -> str:
    cores = f" ({formats.counted(told.cpu_count, 'core')})" if told.cpu_count else ""
    return f"{formats.plain(told.host)}{cores}" if told.host else ""


def _versions(manifest: Manifest) -> str:
    versions = sorted(manifest.versions.items())
    return ", ".join(f"{formats.plain(name)} {formats.plain(text)}" for name, text in versions)


def commit(told: Described) -> str:
    """Give the commit of the program that ran it; empty where that is not known."""
    dirty = " with uncommitted changes" if told.dirty else ""
    return f"{formats.plain(told.commit)}{dirty}" if told.commit else ""


def _known(known: KnownValue) -> str:
    return f"{formats.integer(known.value)} ({formats.plain(known.how, 200)})"


def _returns(run: Run) -> str:
    return _returned(str(run.returns))


def _returned(returns: str) -> str:
    """Say which value an increment answers with."""
    words = {"new": "the value after it (UPDATED_NEW)", "old": "the value before it (UPDATED_OLD)"}
    return words.get(returns, returns)


def processes(run: Run) -> Table | None:
    """List the recording processes: how each ended, and whether its records are whole."""
    if run.manifest is None or not run.manifest.processes:
        return None
    return table(
        "Recording processes",
        (
            Column("process"),
            Column("generator"),
            Column("exit state"),
            *numbers("records found", "records it counted"),
        ),
        [
            (
                formats.plain(process.process),
                formats.plain(process.source),
                formats.plain(process.exit_state, 200),
                formats.integer(process.journal_records),
                "not closed"
                if process.closed_records is None
                else formats.integer(process.closed_records),
            )
            for process in run.manifest.processes
        ],
    )


def files(run: Run, folder: Path) -> tuple[tuple[str, str], ...]:
    """Give the files beside the report, with what they hold; Locust's only if it is there."""
    expected = _RUN_FILES[:_ALWAYS] if run.manifest else ()
    found = [entry for entry in _RUN_FILES if (folder / entry[0]).is_file()]
    return tuple(entry for entry in _RUN_FILES if entry in expected or entry in found)
