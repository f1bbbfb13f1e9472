"""Databases that run beside the local cloud: what they need, and what if it is not there."""

import asyncio
import json
import logging
import re
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.engines import child, dynalite_program, dynamodb_local
from deploy.local.engines.child import Program, running
from history.errors import UserError
from tests.patience import PATIENCE_S

LOCK = json.loads((dynalite_program.HOME / "package-lock.json").read_text())
PACKAGE = json.loads((dynalite_program.HOME / "package.json").read_text())
PRINTS_A_PORT = "print('banner'); print('{\"port\": 4}', flush=True); "


def python(code: str) -> Program:
    return Program(name="it", command=(sys.executable, "-c", code), environment={})


def test_dynalite_is_pinned_with_all_that_it_brings_and_no_registry_is_named() -> None:
    assert PACKAGE["dependencies"] == LOCK["packages"][""]["dependencies"] == {"dynalite": "4.0.0"}
    brought = {name: found for name, found in LOCK["packages"].items() if name}
    assert brought["node_modules/dynalite"]["license"] == "Apache-2.0"
    for name, found in brought.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", found["version"]), name
        assert found["integrity"].startswith("sha512-"), name
        assert "resolved" not in found, name
        assert not found.get("hasInstallScript") or name == "node_modules/classic-level", name
    assert "registry" not in json.dumps(LOCK)


def test_dynalite_that_is_not_installed_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"which is not installed: make dynalite$"):
        dynalite_program.require_installed(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"needs Node.js, which is not there: apt-get install"):
        dynalite_program.require_installed()


def a_jar(path: Path, manifest: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(dynamodb_local.MANIFEST, manifest)
    return path


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(None, "expected the folder that DynamoDBLocal.jar was unpacked in", id="none"),
        pytest.param("no jar", "is no jar that can be run: File is not a zip file", id="no zip"),
        pytest.param("Created-By: us\n", "it names no main class", id="no main class"),
        pytest.param("Main-Class: a.B\n", "needs a JDK, which is not there", id="no JDK"),
    ],
)
def test_dynamodb_local_that_cannot_start_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, sentence: str
) -> None:
    jar = tmp_path / dynamodb_local.JAR
    if content == "no jar":
        jar.write_text(content)
    elif content is not None:
        a_jar(jar, content)
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(UserError, match=sentence),
        dynamodb_local.program(tmp_path, tmp_path / "state"),
    ):
        pass


def test_dynamodb_local_by_its_folder_or_its_jar(tmp_path: Path) -> None:
    jar = a_jar(tmp_path / dynamodb_local.JAR, "Manifest-Version: 1.0\r\nMain-Class: a.B\r\n")
    assert dynamodb_local.jar_in(tmp_path) == dynamodb_local.jar_in(jar) == jar
    assert dynamodb_local.main_class_of(jar) == "a.B"


def test_dynamodb_local_leaves_what_it_writes_in_its_own_folder_and_tells_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS's pages "DynamoDB local usage notes" and "Telemetry in DynamoDB local"."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dynamodb_local, "compile_launcher", lambda _classes: None)
    a_jar(tmp_path / dynamodb_local.JAR, "Main-Class: a.B\n")
    with dynamodb_local.program(Path(), Path("state")) as found:
        assert found.directory is not None
        assert found.directory.parent == tmp_path / "state"
        assert str(found.directory / "data") in found.command
        classpath = found.command[found.command.index("-cp") + 1].split(":")
        assert classpath == [
            str(found.directory / "classes"),
            str(tmp_path / dynamodb_local.JAR),
        ]
        assert "-disableTelemetry" in found.command
        assert found.environment["DDB_LOCAL_TELEMETRY"] == "0"
    assert list((tmp_path / "state").iterdir()) == []


def test_a_program_runs_in_its_directory(tmp_path: Path) -> None:
    code = "open('left', 'w').close(); " + PRINTS_A_PORT + "input()"

    async def run() -> None:
        async with running(replace(python(code), directory=tmp_path)):
            pass

    asyncio.run(run())
    assert (tmp_path / "left").exists()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        pytest.param("raise SystemExit(3)", "it did not start: it ended with exit code 3", id="3"),
        pytest.param("print('{}')", "it did not start: it ended with exit code 0", id="no port"),
    ],
)
def test_a_program_that_does_not_get_there_is_said(code: str, sentence: str) -> None:
    async def start() -> None:
        async with running(python(code)):
            pass

    with pytest.raises(RuntimeError, match=sentence):
        asyncio.run(start())


def test_a_program_that_keeps_ending_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async def watch() -> str:
        async with running(python(PRINTS_A_PORT + "raise SystemExit(7)")) as program:
            assert program._watcher is not None
            await asyncio.wait_for(asyncio.shield(program._watcher), PATIENCE_S)
            return program.url()

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(watch()) == "http://127.0.0.1:4"
    ends = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert len(ends) == child.RESTARTS_MAX + 1
    assert ends[0] == "it ended with exit code 7: it is started again, on its data"
    assert ends[-1] == "it ended with exit code 7, again: it is not started any more"


def test_a_program_that_does_not_obey_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "STOP_TIMEOUT_S", 0.1)

    async def run() -> int | None:
        async with running(python(PRINTS_A_PORT + "import time; time.sleep(600)")) as program:
            process = program._process
        assert process is not None
        return process.returncode

    assert asyncio.run(run()) == -9
