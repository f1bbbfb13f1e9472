"""How to judge and to run it again: the commands, with every variable that was set."""

import shlex
from collections.abc import Mapping

from analysis.controls import does_harm
from analysis.report import formats
from analysis.run import Run
from history.fault import parse_fault
from history.manifest import Load, Manifest
from history.series import Series


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
        settings = _target(manifest) | _mixed(load) | {"INITIAL": str(manifest.initial_asked)}
        return f"make locust-ui {_named(settings)}{_allowance(run)}"
    settings = {
        **_target(manifest),
        **load_variables(load),
        "INITIAL": str(manifest.initial_asked),
        "SEED": str(manifest.seed),
        **({"FAULT": manifest.fault} if manifest.fault else {}),
    }
    return f"make loadtest {_named(settings)}{_allowance(run)}"


def controls_command(told: Manifest | Series) -> str:
    """Give the command that runs the controls on a stack, with the same load."""
    by_page = told.load.by_page
    return f"make controls {_named(_target(told) | ({} if by_page else load_variables(told.load)))}"


def series_commands(series: Series) -> tuple[tuple[str, str], ...]:
    """Give the commands that judge and run a series again, and one of its faults."""
    settings = {**_target(series), **load_variables(series.load), "SEED": str(series.seed)}
    commands = [
        (
            "Judge the same records again, offline:",
            f".venv/bin/python -m analysis controls {_quoted(series.series_id)}",
        ),
        ("Run the same controls again:", f"make controls {_named(settings)}"),
    ]
    faults = [one.fault for one in series.controls if does_harm(one.fault) and not one.skipped]
    if faults:
        only = f"make loadtest {_named(settings | {'FAULT': faults[0]})}"
        commands.append(
            ("Run one of them alone, as an ordinary run (FAULT as in the table):", only)
        )
    return tuple(commands)


def sensitivity_commands(series: Series) -> tuple[tuple[str, str], ...]:
    """Give the commands that judge a measurement of sensitivity again, and measure again."""
    specs = [parse_fault(one.fault) for one in series.controls]
    asked = {
        "RUNS": str(max((sum(one == spec for one in specs) for spec in specs), default=1)),
        "FAULTS": " ".join(dict.fromkeys(spec.name for spec in specs)),
        "RATES": " ".join(dict.fromkeys(str(round(1 / spec.amount)) for spec in specs)),
    }
    settings = {**_target(series), **load_variables(series.load), "SEED": str(series.seed)}
    return (
        (
            "Judge the same records again, offline:",
            f".venv/bin/python -m analysis sensitivity {_quoted(series.series_id)}",
        ),
        ("Measure again:", f"make sensitivity {_named(asked | settings)}"),
    )


def _named(settings: Mapping[str, str]) -> str:
    return " ".join(f"{name}={_quoted(value)}" for name, value in settings.items())


def load_variables(load: Load) -> dict[str, str]:
    """Give the variables that ask for a load again."""
    return {
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
    }


def _open_loop(load: Load) -> dict[str, str]:
    if not load.rate_per_s:
        return {}
    most = max(load.connections, load.connections_max)
    return {"ARRIVALS": load.arrivals, "CONNECTIONS_MAX": str(most)}


def _mixed(load: Load) -> dict[str, str]:
    # repr, not :g: a share of many digits must draw the same requests again.
    return {"DECREMENTS": repr(load.decrements)} if load.decrements else {}


def _target(told: Manifest | Series) -> dict[str, str]:
    """Give the variables that lead to the same counter."""
    if told.target == "url":
        return {"URL": told.url}
    where = {"ENDPOINT_URL": told.endpoint_url} if told.endpoint_url else {"TARGET": told.target}
    if told.engine not in ("", "ministack"):
        where["ENGINE"] = told.engine
    if told.limits not in ("", "none"):
        where["LIMITS"] = told.limits
    named = {"STACK": told.stack, "REGION": told.region, "RETURNS": str(told.returns)}
    return where | {name: value for name, value in named.items() if value}
