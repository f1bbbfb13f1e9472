"""A series of controls: which were run against what, and what each was expected to show.

One folder `reports/controls-<UTC time>-<commit>/` with `series.json` in it, and a run's folder for
every control that was run, named as the control is. A measurement of sensitivity is kept alike, in
`reports/sensitivity-<UTC time>-<commit>/`: its runs are controls that may go unnoticed.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from history.documents import read_document, write_document
from history.errors import UserError
from history.manifest import Load, Manifest

SCHEMA_VERSION = 1
F = TypeVar("F", bound="SeriesFolder")
PREFIX = "controls-"
SENSITIVITY_PREFIX = "sensitivity-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One counter that is wrong, or right, in one known way.

    `fault` is what an intermediary does (history/fault.py; empty: none stands there), `engine` the
    database if it is another one. `expected` is the overall verdict, `check` the one that must have
    it (empty where all must pass). `skipped` says why it was not run; empty if it was.
    """

    name: str
    meaning: str
    fault: str
    expected: str
    check: str = ""
    engine: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Controls that were run one after the other, with the same load, on one kind of stack.

    The stack is described as a run's manifest describes it; `stack` names the one that `make
    loadtest` loads with the same variables, beside which the controls had one of their own.
    `ended_utc` is None until all were run.
    """

    schema_version: int = SCHEMA_VERSION
    series_id: str
    started_utc: str
    ended_utc: str | None = None
    target: str
    url: str = ""
    endpoint_url: str = ""
    engine: str = ""
    limits: str = ""
    region: str = ""
    stack: str = ""
    template_sha256: str = ""
    returns: str = "new"
    load: Load
    seed: int = 0
    host: str = ""
    cpu_count: int = 0
    commit: str = ""
    dirty: bool = False
    controls: tuple[Control, ...] = ()

    def is_of_same_stack(self, manifest: Manifest) -> bool:
        """Whether a run loaded the same stack, on the same machine, as these controls."""
        told = ("target", "endpoint_url", "engine", "limits", "region", "stack", "host")
        # A deployed stack's URL is another one whenever it is made anew.
        same = [*told, "template_sha256", *(["url"] if manifest.target == "url" else [])]
        return all(getattr(self, name) == getattr(manifest, name) for name in same)


@dataclass(frozen=True, slots=True)
class SeriesFolder:
    """The files of one series."""

    path: Path

    @property
    def series(self) -> Path:
        """What was run and what was expected."""
        return self.path / "series.json"

    @property
    def grid(self) -> Path:
        """What was expected and what was found, for people."""
        return self.path / "controls.html"

    @property
    def result(self) -> Path:
        """The same for machines."""
        return self.path / "controls.json"

    def run(self, control: Control) -> Path:
        """Where a control's run is."""
        return self.path / control.name


class SensitivityFolder(SeriesFolder):
    """The files of one measurement of sensitivity."""

    __slots__ = ()

    @property
    def series(self) -> Path:
        """What was run; another name, since nothing was expected of a single run."""
        return self.path / "runs.json"

    @property
    def grid(self) -> Path:
        """What was found, for people."""
        return self.path / "sensitivity.html"

    @property
    def result(self) -> Path:
        """The same for machines."""
        return self.path / "sensitivity.json"


def refuse_bad_names(path: Path, series: Series, command: str) -> None:
    """Refuse names that lead out of a series' folder or stand twice; raises UserError."""
    names: set[str] = set()
    for control in series.controls:
        name = control.name
        if name in names or name in ("", ".", "..") or "/" in name or not name.isprintable():
            raise UserError(
                f"{path}: {name!r} names a control, expected the name of one folder, once: "
                f"{command} writes it"
            )
        names.add(name)


def find_folder(
    kind: type[F], reports: Path, name: str, *, prefix: str, what: str, command: str
) -> F:
    """Find a series by its folder or by its name below `reports`.

    Raises UserError when there is none of that name.
    """
    for candidate in (kind(reports / name), kind(Path(name))):
        if candidate.series.is_file():
            return kind(candidate.path.resolve())
    file = kind(reports).series.name
    stored = sorted(path.parent.name for path in reports.glob(f"{prefix}*/{file}"))
    there = f"there are {', '.join(stored[-5:])}" if stored else "there is none yet"
    raise UserError(
        f"{name} holds no {what} (no {file}), and {there} in {reports.name}/: {command} makes one"
    )


def write_series(path: Path, series: Series) -> None:
    """Write a series; raises UserError when the disk is full or the folder is read-only."""
    write_document(path, dataclasses.asdict(series))


def read_series(path: Path) -> Series:
    """Read a series.

    Raises UserError when it is missing, malformed or newer than this program.
    """
    return read_document(
        path,
        Series,
        version=SCHEMA_VERSION,
        name="series of controls",
        absent="this folder holds no series of controls; make controls makes one",
    )
