"""The section on controls in an ordinary run's report: were the alarms seen to ring?"""

import dataclasses
from dataclasses import dataclass

from analysis.alarms import Heard
from analysis.report import formats, provenance, reproduce
from analysis.report.controls import Row, expectation, row_of, summary
from history.manifest import Load, Manifest
from history.series import Series

_VARIABLES = {
    "duration_s": "DURATION",
    "users": "USERS",
    "spawn_rate_per_s": "SPAWN_RATE",
    "connections": "CONNECTIONS",
    "rate_per_s": "RATE",
    "processes": "PROCESSES",
    "timeout_s": "TIMEOUT",
    "transport": "TRANSPORT",
    "arrivals": "ARRIVALS",
    "shape": "SHAPE",
    "connections_max": "CONNECTIONS_MAX",
    "locust_processes": "LOCUST_PROCESSES",
    "decrements": "DECREMENTS",
}


_NONE = (
    "No controls were run on this kind of stack: whether these checks find a fault in it when "
    "there is one was not tried here. This tries it, each control for the duration:"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What is told of the controls: words, a command to run them, each of them, their page."""

    words: tuple[str, ...]
    command: str = ""
    rows: tuple[Row, ...] = ()
    link: str = ""


def section(manifest: Manifest | None, heard: Heard | None) -> Section | None:
    """Tell what controls say of this run; None for a history file, which knows no stack."""
    if manifest is None:
        return None
    if heard is None:
        return Section(words=(_NONE,), command=reproduce.controls_command(manifest))
    if heard.own:
        return Section(words=(_own(heard),), link=heard.link)
    return Section(
        words=(
            _told(heard),
            f"{_loads(manifest, heard.series)} {_commits(manifest, heard.series)}",
        ),
        rows=tuple(row_of(found) for found in heard.result.controls) if heard.result else (),
        link=heard.link,
    )


def _own(heard: Heard) -> str:
    series = formats.plain(heard.series.series_id)
    for control in heard.series.controls:
        if control.name == heard.own:
            return (
                f"This run is itself a control, “{formats.plain(control.name)}” of the series "
                f"{series}: {formats.plain(control.meaning, 400)}. Expected of it: "
                f"{expectation(control)}."
            )
    return f"This run lies among the controls of the series {series}, and is none of them."


def _told(heard: Heard) -> str:
    when = formats.utc(heard.series.ended_utc)
    begin = (
        "A load like this one was given to counters that are wrong, or right, in one known way "
        f"each, on the same kind of stack; the newest such series ended {when}."
    )
    if heard.result is None:
        name = formats.plain(heard.series.series_id)
        return f"{begin} It was not judged yet: python -m analysis controls {name} does that."
    return f"{begin} {summary(heard.result)}"


def _loads(manifest: Manifest, series: Series) -> str:
    """Say whether the controls were loaded as this run was, and how not."""
    if manifest.load.by_page:
        return (
            "This run's load was made in Locust's page, so that it cannot be compared with theirs."
        )
    different = [
        f"{_VARIABLES[field.name]} {_value(series.load, field.name)} "
        f"(this run: {_value(manifest.load, field.name)})"
        for field in dataclasses.fields(Load)
        if getattr(series.load, field.name) != getattr(manifest.load, field.name)
    ]
    if series.returns != str(manifest.returns):
        different.append(f"RETURNS {formats.plain(series.returns)} (this run: {manifest.returns})")
    if not different:
        return "Their load had the same settings as this run's."
    return f"Their load had the same settings as this run's but for {', '.join(different)}."


def _value(load: Load, name: str) -> str:
    value = getattr(load, name)
    if isinstance(value, str):
        return formats.plain(value)
    return f"{value:,g}\u00a0s" if name.endswith("_s") and "per_s" not in name else f"{value:,g}"


def _commits(manifest: Manifest, series: Series) -> str:
    theirs, ours = (provenance.commit(told) or formats.UNKNOWN for told in (series, manifest))
    if theirs == ours and series.commit:
        return f"Gapless was at the same commit: {ours}."
    return f"Gapless was at commit {theirs} then, and at {ours} for this run."
