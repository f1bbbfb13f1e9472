"""Runs of the real command line, with whatever may happen to them half-way."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest import mock

import numpy as np
import pytest

from analysis.__main__ import main as analyse
from history.journal import HEADER_BYTES
from history.run import RunFolder
from history.sealing import SLOT_DTYPE
from runner import __main__ as commands
from runner.options import LoadOptions
from tests.inline import called
from tests.patience import PATIENCE_S, until
from tests.runs import REPOSITORY

PAUSE_S = 0.01
"""What our own server pauses before each answer: LIGHT is then some hundred requests a second."""
LIGHT = {"USERS": "4", "CONNECTIONS": "8"}
"""A load that leaves room on the machine for others; what a test does not set is as here."""
LENGTHS = ("3s", "8s", "20s", "50s")
"""How long to load where the judge must call a run exercised: a slow machine needs longer."""
_STARVED = re.compile(
    r"Only [\d,]+ operations? completed, fewer than "
    r"|Only [\d,]+ operations? overlapped the one numbered next to it"
    r"|\S+ fell silent after "
    r"|\S+ sent nothing"
    r"|The \S+ generator got no answer at all"
    r"|Only [\d,]+ of [\d,]+ (Locust users|swarm connections) sent a request"
    r"|Only [\d,]+ of [\d,]+ requests of the schedule were sent"
    r"|\S+ was too slow to be a witness"
    r"|How \S+ fared was not recorded"
)


@dataclass
class Recorded:
    """What a runner left in its reports folder."""

    reports: Path

    def folder(self) -> Path:
        """The one run's folder."""
        (folder,) = (path.parent for path in self.reports.glob("2*/manifest.json"))
        return folder

    def verdict(self) -> dict[str, Any]:
        """What the run's verdict.json says."""
        found: dict[str, Any] = json.loads((self.folder() / "verdict.json").read_text())
        return found

    def manifest(self) -> dict[str, Any]:
        """What the run's manifest.json says."""
        found: dict[str, Any] = json.loads((self.folder() / "manifest.json").read_text())
        return found


@dataclass
class Running(Recorded):
    """A `python -m runner` that is under way."""

    process: subprocess.Popen[str]

    def until_line(self, start: str) -> str:
        """Read its output up to the line that begins so."""
        assert self.process.stdout is not None
        stuck = threading.Timer(PATIENCE_S, self.process.kill)  # which ends its output
        stuck.start()
        try:
            for line in self.process.stdout:
                if line.startswith(start):
                    return line
        finally:
            stuck.cancel()
        raise AssertionError(f"ended without a line {start!r}: {self.finish()}")

    def recorded(self, process: str) -> int:
        """Count the answered requests in a generator's journal."""
        answered = 0
        for path in self.reports.glob(f"2*/journal/{process}.journal"):
            if path.stat().st_size > HEADER_BYTES:  # else only just begun
                slots = np.fromfile(path, dtype=SLOT_DTYPE, offset=HEADER_BYTES)
                answered += int((slots["answered"] == 1).sum())
        return answered

    def until_recorded(self, process: str, count: int) -> None:
        """Wait until a generator's journal holds so many answered requests."""
        until(lambda: self.recorded(process) >= count, f"{process} recorded {count} requests")

    def finish(self) -> tuple[int, str, str]:
        """Wait for its end; give exit code, output and errors."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err


class Runner:
    """Runs `python -m runner` with its own reports folder."""

    def __init__(self, reports: Path, started: list[Running]) -> None:
        self.reports = reports
        self.started = started

    def afresh(self) -> "Runner":
        """Give one with an empty folder of its own, whose processes end with this one's."""
        return Runner(Path(mkdtemp(dir=self.reports.parent)), self.started)

    def start(
        self, command: str = "loadtest", *, stdout: int = subprocess.PIPE, **variables: str
    ) -> Running:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_")
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "--reports", str(self.reports), command],
            cwd=REPOSITORY,
            env={**environment, **LIGHT, **variables},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(Running(self.reports, process))
        return self.started[-1]

    def run(self, command: str = "loadtest", **variables: str) -> tuple[Running, int, str, str]:
        running = self.start(command, **variables)
        return running, *running.finish()

    def run_here(
        self, command: str = "loadtest", **variables: str
    ) -> tuple[Recorded, int, str, str]:
        """Run it within this process, and the judge too: it saves two interpreters."""
        command_line = partial(commands.main, ["--reports", str(self.reports), command])
        with mock.patch.object(commands, "_judge", _judge_here):
            ended = called(command_line, **{**LIGHT, **variables})
        return Recorded(self.reports), ended.returncode, ended.stdout, ended.stderr


def _judge_here(run: RunFolder, load: LoadOptions) -> int:
    """Call what the runner starts as a process."""
    return analyse(commands.judge_arguments(run, load))


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A runner whose processes are all gone afterwards."""
    started: list[Running] = []
    yield Runner(tmp_path / "reports", started)
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()


def verdicts(verdict: dict[str, Any]) -> dict[str, str]:
    """Each check's verdict by its name."""
    return {check["check"]: check["verdict"] for check in verdict["checks"]}


def starved(verdict: dict[str, Any]) -> bool:
    """Whether all that was wrong with the load is what a machine that is too slow does to it."""
    (found,) = (check for check in verdict["checks"] if check["check"] == "exercised")
    return found["verdict"] == "INCONCLUSIVE" and all(
        _STARVED.match(piece["summary"]) for piece in found["evidence"]
    )
