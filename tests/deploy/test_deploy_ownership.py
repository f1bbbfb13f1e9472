"""A table that another cloud may still use is left alone; one that a dead cloud left is taken."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.engines import ownership
from deploy.local.engines.ownership import UNKNOWN, Owner
from tests.deploy.test_deploy_mirror import HERE, US, Tables, mirror_of, reconcile

NO_PROCESS = 4_194_305
"""Above the kernel's limit."""
UNSURE = "made by another local cloud of this machine, of which cannot be told from here"


def tags_of(owner: Owner, **changed: str | None) -> dict[str, str]:
    tags = {tag["Key"]: tag["Value"] for tag in owner.tags()} | changed
    return {key: value for key, value in tags.items() if value is not None}


@pytest.fixture
def other() -> Iterator[Owner]:
    """Another process that runs here, as a cloud would name itself."""
    program = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        us = Owner.this_process()
        yield replace(us, pid=process.pid, started=ownership.start_of(process.pid))
        process.kill()


def test_a_cloud_that_runs_here_keeps_its_table_and_one_that_is_gone_does_not(
    other: Owner,
) -> None:
    us = Owner.this_process()
    assert other.started.isdigit()
    assert us.objection(tags_of(other)) == (
        f"which another local cloud (process {other.pid}) is using"
    )
    # The number is another process's now, or nobody's, or our own.
    assert us.objection(tags_of(replace(other, started="1"))) is None
    assert us.objection(tags_of(replace(other, pid=NO_PROCESS))) is None
    assert us.objection(tags_of(replace(us, started="1"))) is None
    assert us.objection(tags_of(us)) is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param({"made-by": None}, "which was not made by gapless", id="someone else's"),
        pytest.param(
            {"gapless-host": "that boot"},
            "made by gapless on that boot, which may still use it",
            id="of another machine",
        ),
        pytest.param({"gapless-namespace": "1"}, UNSURE, id="of another pid namespace"),
        pytest.param({"gapless-namespace": None}, UNSURE, id="of an older version"),
        pytest.param({"gapless-started": None}, UNSURE, id="without a start"),
        pytest.param({"gapless-started": UNKNOWN}, UNSURE, id="of a start that nobody knew"),
        pytest.param({"gapless-pid": "x"}, UNSURE, id="without a process"),
    ],
)
def test_whoever_is_unsure_leaves_it_alone(changed: dict[str, str | None], sentence: str) -> None:
    us = Owner.this_process()
    dead = replace(us, pid=NO_PROCESS)
    said = us.objection(tags_of(dead, **changed))
    assert said is not None
    assert said.startswith(sentence)


def test_without_proc_nothing_is_known_to_be_dead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ownership, "PROC", tmp_path)
    us = Owner.this_process()
    said = us.objection(tags_of(replace(us, pid=NO_PROCESS)))
    assert said is not None
    assert said.startswith(UNSURE)


def test_the_proc_of_another_namespace_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ns").mkdir()
    (tmp_path / "ns" / "pid").touch()
    monkeypatch.setattr(ownership, "PROC", tmp_path)
    (tmp_path / str(os.getpid())).symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(str(os.getpid()))
    assert ownership.own_namespace() != UNKNOWN
    (tmp_path / "self").unlink()
    (tmp_path / "self").symlink_to(tmp_path)
    assert ownership.own_namespace() == UNKNOWN


def test_a_start_is_read_after_a_name_with_anything_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ownership, "PROC", tmp_path)
    (tmp_path / "9").mkdir()
    (tmp_path / "9" / "stat").write_text(f"9 (a) b (c)) S {' '.join(map(str, range(4, 53)))}\n")
    assert ownership.start_of(9) == "22"


def test_a_table_that_is_there_already_is_left_alone() -> None:
    control, data = Tables(), Tables()
    tags = replace(US, where="that boot").tags()
    data.make(HERE, "t", Tags=tags)
    control.make(HERE, "t")
    (said,) = reconcile(mirror_of(control, data))
    assert "a table of that name already, made by gapless on that boot, which may" in said
    assert "it is left alone" in said
    assert data.tables[HERE, "t"]["Tags"] == tags


def test_a_table_that_a_dead_cloud_left_is_taken_over() -> None:
    control, data = Tables(), Tables()
    data.make(HERE, "t", Tags=replace(US, pid=NO_PROCESS).tags())
    control.make(HERE, "t")
    assert reconcile(mirror_of(control, data)) == []
    assert data.tables[HERE, "t"]["Tags"] == US.tags()
