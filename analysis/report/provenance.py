"""What was run, against what, and how to do it again: from the manifest."""

import shlex
from pathlib import Path

from analysis.report import formats
from analysis.report.tables import Column, Table, numbers, table
from analysis.run import Run
from history.manifest import POISSON, KnownValue, Load, Manifest
from history.shape import BURST, CONSTANT
from history.shape import MEANINGS as SHAPE_MEANINGS

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
    return table(
        "The run",
        (Column("property"), Column("value")),
        [(name, value) for name, value in rows if value],
    )


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
    load = manifest.load
    return [
        ("run", formats.plain(manifest.run_id)),
        ("started", formats.utc(manifest.started_utc)),
        ("ended", formats.utc(manifest.ended_utc)),
        ("interrupted", formats.plain(manifest.interrupted, 400)),
        ("record", "sealed" if manifest.sealed else "not sealed: recovered from the journals"),
        ("target", formats.plain(manifest.target)),
        ("URL", formats.plain(manifest.url, 400)),
        ("endpoint", formats.plain(manifest.endpoint_url, 400)),
        ("engine", formats.plain(manifest.engine, 400)),
        ("limits", formats.plain(manifest.limits)),
        ("CloudFormation stack", formats.plain(manifest.stack)),
        ("table", formats.plain(manifest.table)),
        ("template SHA-256", formats.plain(manifest.template_sha256)),
        ("integration time-out", _milliseconds(manifest.integration_timeout_ms)),
        ("an increment answers", _returned(str(manifest.returns))),
        ("initial value", _known(manifest.initial)),
        ("final value", _known(manifest.final)),
        ("load", f"{_duration(load)}, time-out {load.timeout_s:g}\u00a0s"),
        ("decrements", _decrements(load)),
        ("shape of the load", _shape(load)),
        ("Locust", _locust(load)),
        ("swarm", _swarm(load)),
        ("seed", str(manifest.seed)),
        ("host", _host(manifest)),
        ("versions", _versions(manifest)),
        ("commit", _commit(manifest)),
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


def _host(manifest: Manifest) -> str:
    cores = f" ({formats.counted(manifest.cpu_count, 'core')})" if manifest.cpu_count else ""
    return f"{formats.plain(manifest.host)}{cores}" if manifest.host else ""


def _versions(manifest: Manifest) -> str:
    versions = sorted(manifest.versions.items())
    return ", ".join(f"{formats.plain(name)} {formats.plain(text)}" for name, text in versions)


def _commit(manifest: Manifest) -> str:
    dirty = " with uncommitted changes" if manifest.dirty else ""
    return f"{formats.plain(manifest.commit)}{dirty}" if manifest.commit else ""


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


def commands(run: Run) -> tuple[tuple[str, str], ...]:
    """Give the commands that judge and run this again, each with what it does."""
    if run.manifest is None:
        return (("Judge the same history again, offline:", _verify_history(run)),)
    verify = f"make verify-atomicity RUN={_quoted(run.run_id)}"
    return (
        ("Judge the same record again, offline:", verify + _allowance(run)),
        ("Run the same load again:", _loadtest(run, run.manifest)),
    )


def _verify_history(run: Run) -> str:
    parts = ["python -m analysis verify", _quoted(run.run_id), f"--initial {run.initial}"]
    if run.final is not None:
        parts.append(f"--final {run.final}")
    parts.append(f"--returns {run.returns}")
    if run.allow_unanswered:
        parts.append(f"--allow-unanswered {run.allow_unanswered}")
    return " ".join(parts)


def _quoted(text: str) -> str:
    return formats.plain(shlex.quote(text), 1000)


def _allowance(run: Run) -> str:
    return f" ALLOW_UNANSWERED={run.allow_unanswered}" if run.allow_unanswered else ""


def _loadtest(run: Run, manifest: Manifest) -> str:
    load = manifest.load
    if load.by_page:
        where = " ".join(f"{name}={_quoted(value)}" for name, value in _target(manifest).items())
        settings = _mixed(load) | {"INITIAL": str(manifest.initial_asked)}
        named = " ".join(f"{name}={value}" for name, value in settings.items())
        return f"make locust-ui {where} {named}{_allowance(run)}"
    settings = {
        **_target(manifest),
        "DURATION": f"{load.duration_s}s",
        "SHAPE": load.shape,
        "USERS": str(load.users),
        "SPAWN_RATE": str(load.spawn_rate_per_s),
        "LOCUST_PROCESSES": str(load.locust_processes),
        "CONNECTIONS": str(load.connections),
        "TRANSPORT": load.transport,
        "RATE": f"{load.rate_per_s:g}",
        **_open_loop(load),
        **_mixed(load),
        "PROCESSES": str(load.processes),
        "TIMEOUT": f"{load.timeout_s:g}",
        "INITIAL": str(manifest.initial_asked),
        "SEED": str(manifest.seed),
    }
    named = " ".join(f"{name}={_quoted(value)}" for name, value in settings.items())
    return f"make loadtest {named}{_allowance(run)}"


def _open_loop(load: Load) -> dict[str, str]:
    if not load.rate_per_s:
        return {}
    most = max(load.connections, load.connections_max)
    return {"ARRIVALS": load.arrivals, "CONNECTIONS_MAX": str(most)}


def _mixed(load: Load) -> dict[str, str]:
    # repr, not :g: a share of many digits must draw the same requests again.
    return {"DECREMENTS": repr(load.decrements)} if load.decrements else {}


def _target(manifest: Manifest) -> dict[str, str]:
    """Give the variables that lead to the same counter."""
    if manifest.target == "url":
        return {"URL": manifest.url}
    where = (
        {"ENDPOINT_URL": manifest.endpoint_url}
        if manifest.endpoint_url
        else {"TARGET": manifest.target}
    )
    if manifest.engine not in ("", "ministack"):
        where["ENGINE"] = manifest.engine
    if manifest.limits not in ("", "none"):
        where["LIMITS"] = manifest.limits
    named = {"STACK": manifest.stack, "REGION": manifest.region, "RETURNS": str(manifest.returns)}
    return where | {name: value for name, value in named.items() if value}


def files(run: Run, folder: Path) -> tuple[tuple[str, str], ...]:
    """Give the files beside the report, with what they hold; Locust's only if it is there."""
    expected = _RUN_FILES[:_ALWAYS] if run.manifest else ()
    found = [entry for entry in _RUN_FILES if (folder / entry[0]).is_file()]
    return tuple(entry for entry in _RUN_FILES if entry in expected or entry in found)
