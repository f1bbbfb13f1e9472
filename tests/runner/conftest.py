"""Runs of the real command line, with whatever may happen to them half-way."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from history.journal import HEADER_BYTES
from history.sealing import SLOT_DTYPE
from tests.runs import REPOSITORY

PATIENCE_S = 60


@dataclass
class Running:
    """A `python -m runner` that is under way."""

    process: subprocess.Popen[str]
    reports: Path

    def until_line(self, start: str) -> str:
        """Read its output up to the line that begins so."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(start):
                return line
        raise AssertionError(f"ended without a line {start!r}: {self.finish()}")

    def until_recorded(self, process: str, count: int) -> None:
        """Wait until a generator's journal holds so many answered requests."""
        deadline = time.monotonic() + PATIENCE_S
        pause = threading.Event()
        while time.monotonic() < deadline:
            for path in self.reports.glob(f"2*/journal/{process}.journal"):
                if path.stat().st_size <= HEADER_BYTES:
                    continue  # only just begun
                slots = np.fromfile(path, dtype=SLOT_DTYPE, offset=HEADER_BYTES)
                if (slots["answered"] == 1).sum() >= count:
                    return
            pause.wait(0.02)
        raise AssertionError(f"{process} did not record {count} requests")

    def finish(self) -> tuple[int, str, str]:
        """Wait for its end; give exit code, output and errors."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err

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


class Runner:
    """Starts `python -m runner` with its own reports folder."""

    def __init__(self, reports: Path) -> None:
        self.reports = reports
        self.started: list[Running] = []

    def start(
        self, command: str = "loadtest", *, stdout: int = subprocess.PIPE, **variables: str
    ) -> Running:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_")
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "--reports", str(self.reports), command],
            cwd=REPOSITORY,
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(Running(process, self.reports))
        return self.started[-1]

    def run(self, command: str = "loadtest", **variables: str) -> tuple[Running, int, str, str]:
        running = self.start(command, **variables)
        return running, *running.finish()


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A runner whose processes are all gone afterwards."""
    runner = Runner(tmp_path / "reports")
    yield runner
    for running in runner.started:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()


def verdicts(verdict: dict[str, Any]) -> dict[str, str]:
    """Each check's verdict by its name."""
    return {check["check"]: check["verdict"] for check in verdict["checks"]}
