"""The local cloud's process: starts, is found, stops, and never outlives its parent."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import process
from deploy.local.__main__ import main as local_cloud
from deploy.local.holding import held, hold, is_held
from deploy.local.lifecycle import (
    TEMPORARY,
    Condition,
    background,
    private_cloud,
    running_cloud,
    start_background,
    stop_background,
    temporary_cloud,
)
from deploy.local.options import CloudOptions, Limits
from deploy.local.process import ROOT, LocalCloud
from history.errors import UserError
from tests.deploy.support import request
from tests.inline import called
from tests.patience import PATIENCE_S, run_together


def test_it_listens_on_one_port_of_loopback_only(local: LocalCloud) -> None:
    table = Path(f"/proc/{local.pid}/net/tcp").read_text().splitlines()[1:]
    table += Path(f"/proc/{local.pid}/net/tcp6").read_text().splitlines()[1:]
    inodes = set()
    for descriptor in Path(f"/proc/{local.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(str(descriptor.readlink()).removeprefix("socket:[").rstrip("]"))
    listening = [
        columns[1]
        for columns in map(str.split, table)
        if columns[3] == "0A" and columns[9] in inodes
    ]
    port = int(local.endpoint_url.rpartition(":")[2])
    assert listening == [f"0100007F:{port:04X}"]


def test_a_temporary_cloud_is_gone_after_its_block(tmp_path: Path) -> None:
    with temporary_cloud(tmp_path / "cloud.log") as cloud:
        assert cloud.alive()
        assert request("GET", cloud.endpoint_url + "/_gapless/health").status == 200
        process = cloud.process
    assert process is not None
    assert process.returncode == 0
    assert not cloud.alive()
    with pytest.raises(ConnectionRefusedError):
        request("GET", cloud.endpoint_url + "/")


def test_a_killed_cloud_is_not_alive(tmp_path: Path) -> None:
    with temporary_cloud(tmp_path / "cloud.log") as cloud:
        os.kill(cloud.pid, signal.SIGKILL)
        assert cloud.process is not None
        cloud.process.wait()
        assert not cloud.alive()


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expected = f"port {port} on 127.0.0.1 is taken by another program; choose another one with"
        with (
            pytest.raises(UserError, match=expected),
            temporary_cloud(tmp_path / "cloud.log", port),
        ):
            pass
        with pytest.raises(UserError, match=expected):
            start_background(tmp_path, port=port)
        foreground = subprocess.run(
            [sys.executable, "-m", "deploy.local", "--port", str(port), f"--state-dir={tmp_path}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert foreground.returncode == 2
    assert foreground.stderr.startswith(f"gapless: port {port} on 127.0.0.1 is taken")
    assert len(foreground.stderr.splitlines()) == 1


def test_a_failure_at_the_start_shows_the_end_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINISTACK_WORKER_THREADS", "many")
    with (
        pytest.raises(UserError, match=r"the local cloud did not start.*invalid literal for int"),
        temporary_cloud(tmp_path / "cloud.log"),
    ):
        pass


PARENT = """
import sys
from pathlib import Path
from deploy.local.lifecycle import temporary_cloud
with temporary_cloud(Path(sys.argv[1])) as cloud:
    print(cloud.pid, flush=True)
    sys.stdin.read()
"""


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "cloud.log")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        poll = select.poll()
        poll.register(child, select.POLLIN)
        assert poll.poll(PATIENCE_S * 1000), "the cloud outlived its parent"
    finally:
        os.close(child)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@contextlib.contextmanager
def background_cloud(folder: Path) -> Iterator[LocalCloud]:
    cloud = start_background(folder, port=0)
    try:
        yield cloud
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(cloud.pid, signal.SIGCONT)
        try:
            stop_background(folder)
        finally:
            assert cloud.process is not None
            cloud.process.kill()
            cloud.process.wait()


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[LocalCloud]:
    """A background cloud whose state is in tmp_path."""
    with background_cloud(tmp_path) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A background cloud for all that leave it running."""
    with background_cloud(tmp_path_factory.mktemp("common")) as cloud:
        yield cloud


@pytest.fixture
def described(common: LocalCloud) -> Iterator[Path]:
    """The file in which that cloud described itself, put back after the test."""
    path = common.log_path.with_name("cloud.json")
    text = path.read_text()
    yield path
    assert common.alive()
    path.write_text(text)


def test_the_background_cloud_is_found_and_stopped(tmp_path: Path, standing: LocalCloud) -> None:
    found = running_cloud(tmp_path)
    assert found is not None
    assert (found.pid, found.endpoint_url) == (standing.pid, standing.endpoint_url)
    assert start_background(tmp_path, port=0).pid == standing.pid
    with pytest.raises(UserError, match=r"has LIMITS=none, asked for is LIMITS=aws: make destroy"):
        start_background(tmp_path, port=0, options=CloudOptions(limits=Limits.AWS))
    assert stop_background(tmp_path) is True
    assert not standing.alive()
    assert files_in(tmp_path) == []
    assert background(tmp_path).condition is Condition.ABSENT
    assert stop_background(tmp_path) is False


def test_started_twice_at_once_it_is_one(tmp_path: Path) -> None:
    pids: list[int] = []
    run_together(
        threading.Thread(target=lambda: pids.append(start_background(tmp_path, port=0).pid))
        for _ in range(2)
    )
    assert stop_background(tmp_path) is True
    assert len(pids) == 2
    assert len(set(pids)) == 1


def test_killed_it_is_lost_and_started_anew(tmp_path: Path, standing: LocalCloud) -> None:
    os.kill(standing.pid, signal.SIGKILL)
    assert standing.process is not None
    standing.process.wait()
    lost = background(tmp_path)
    assert lost.condition is Condition.LOST
    assert lost.sentence() == (
        f"the local cloud at {standing.endpoint_url} has ended without `make destroy` (its log: "
        f"{tmp_path / 'cloud.log'}); its stack and counter are gone with it"
    )
    port = int(standing.endpoint_url.rpartition(":")[2])
    again = start_background(tmp_path, port=port)
    assert again.endpoint_url == standing.endpoint_url
    assert again.pid != standing.pid
    assert (tmp_path / "cloud.log").read_text().count(f"serving on {again.endpoint_url}") == 2


def test_stopped_by_its_own_user_it_is_absent(tmp_path: Path, standing: LocalCloud) -> None:
    assert standing.process is not None
    standing.process.terminate()
    standing.process.wait()
    assert background(tmp_path).condition is Condition.ABSENT
    assert "stopped" in (tmp_path / "cloud.log").read_text()


def test_silent_it_is_said_so_and_can_be_stopped(
    tmp_path: Path, standing: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "HEALTH_TIMEOUT_S", 0.2)
    gone, asked = process.gone, []

    def deaf_to_sigterm(pid: int) -> bool:
        """Do not wait for what a process that stands still will not do; wait for SIGKILL's end."""
        asked.append(pid)
        return len(asked) > 1 and gone(pid)

    monkeypatch.setattr(process, "gone", deaf_to_sigterm)
    os.kill(standing.pid, signal.SIGSTOP)
    assert background(tmp_path).condition is Condition.SILENT
    expected = (
        rf"the local cloud at {standing.endpoint_url} \(process {standing.pid}\) is there but does "
        "not answer: `make destroy` ends it"
    )
    with pytest.raises(UserError, match=expected):
        start_background(tmp_path, port=0)
    assert stop_background(tmp_path) is True
    assert asked == [standing.pid] * 2
    assert not is_held(tmp_path / "state")
    assert files_in(tmp_path) == []


def test_a_state_file_that_is_gone_leaves_the_cloud_to_a_person(
    described: Path, common: LocalCloud
) -> None:
    described.unlink()
    with pytest.raises(UserError, match=rf"knows nothing of: .*kill {common.pid}`; nothing was"):
        stop_background(described.parent)
    assert common.alive()


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("not JSON", id="not JSON"),
        pytest.param("{}", id="empty"),
        pytest.param({"pid": None}, id="no process"),
        pytest.param({}, id="another cloud's, word for word"),
        pytest.param({"pid": os.getpid()}, id="our own process"),
    ],
)
def test_a_stale_state_file_harms_nobody(
    tmp_path: Path, local: LocalCloud, wrong: str | dict[str, object]
) -> None:
    state = {"pid": local.pid, "endpoint_url": local.endpoint_url, "instance": local.instance}
    text = wrong if isinstance(wrong, str) else json.dumps(state | wrong)
    (tmp_path / "cloud.json").write_text(text)
    (tmp_path / "state").mkdir()
    assert running_cloud(tmp_path) is None
    assert background(tmp_path).condition is Condition.LOST
    assert stop_background(tmp_path) is False
    assert local.alive()
    assert files_in(tmp_path) == []


def test_another_program_on_its_port_is_not_taken_for_it(
    described: Path, local: LocalCloud
) -> None:
    state = json.loads(described.read_text())
    described.write_text(json.dumps(state | {"endpoint_url": local.endpoint_url}))
    assert background(described.parent).condition is Condition.SILENT
    described.write_text(json.dumps(state))
    assert background(described.parent).condition is Condition.SERVING


def test_a_stale_process_id_is_not_killed_for_the_cloud_of_another(
    described: Path, common: LocalCloud
) -> None:
    with subprocess.Popen(["sleep", "600"]) as innocent:
        stale = json.loads(described.read_text()) | {"pid": innocent.pid}
        described.write_text(json.dumps(stale))
        with pytest.raises(UserError, match=rf"process {common.pid} runs a local cloud"):
            stop_background(described.parent)
        with pytest.raises(UserError, match=rf"process {common.pid} runs a local cloud"):
            start_background(described.parent, port=0)
        assert innocent.poll() is None
        innocent.kill()
    assert common.alive()


def test_many_that_look_do_not_take_one_another_for_a_cloud(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    seen: list[Condition] = []
    run_together(
        threading.Thread(
            target=lambda: seen.extend(background(tmp_path).condition for _ in range(500))
        )
        for _ in range(3)
    )
    assert seen == [Condition.ABSENT] * 1500


def file_as_folder(folder: Path) -> None:
    folder.write_text("not a folder")


def dangling_link(folder: Path) -> None:
    folder.symlink_to(folder.parent / "nowhere" / "at" / "all")


def folder_as_log(folder: Path) -> None:
    (folder / "cloud.log").mkdir(parents=True)


def file_as_state(folder: Path) -> None:
    folder.mkdir()
    (folder / "state").write_text("not a folder")


@pytest.mark.parametrize("make", [file_as_folder, dangling_link, folder_as_log])
def test_a_folder_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    folder = tmp_path / "state-folder"
    make(folder)
    with pytest.raises(UserError, match=r"keeps its state in .*state-folder, which cannot be used"):
        start_background(folder, port=0)


def test_what_the_process_itself_cannot_use_is_told_as_well(tmp_path: Path) -> None:
    file_as_state(tmp_path / "made")
    with (
        pytest.raises(UserError, match=r"keeps its state in .*state, which cannot be used"),
        temporary_cloud(tmp_path / "made" / "cloud.log"),
    ):
        pass


@pytest.mark.parametrize("port", ["70000", "-1", "x"])
def test_no_port_is_a_usage_error(port: str) -> None:
    done = called(local_cloud, f"--port={port}")
    assert done.returncode == 2
    assert f"argument --port: {port} is no port: expected 0 (any free) to 65535" in done.stderr


def test_a_private_cloud_leaves_no_folder_and_sweeps_dead_ones(tmp_path: Path) -> None:
    dead, living = tmp_path / f"{TEMPORARY}dead", tmp_path / f"{TEMPORARY}living"
    (dead / "state").mkdir(parents=True)
    with held(living), private_cloud(tmp_path) as cloud:
        assert cloud.alive()
        assert not dead.exists()
    assert files_in(tmp_path) == [living.name]


def test_one_folder_is_one_cloud_s(tmp_path: Path) -> None:
    descriptor = hold(tmp_path / "state")
    assert descriptor is not None
    with (
        pytest.raises(UserError, match=r"another local cloud keeps its state in .*: stop it first"),
        temporary_cloud(tmp_path / "cloud.log"),
    ):
        pass
    os.close(descriptor)
    with temporary_cloud(tmp_path / "cloud.log") as cloud:
        assert cloud.alive()


HOLDER = """
import sys
from pathlib import Path
from deploy.local import process
from deploy.local.__main__ import main as local_cloud
from deploy.local.holding import hold
assert hold(Path(sys.argv[1])) is not None
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_goes_with_its_holder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_held(tmp_path)
        assert hold(tmp_path, wait_s=0.05) is None
        holder.kill()
    assert not is_held(tmp_path)


def test_waiting_for_another_command_ends(tmp_path: Path) -> None:
    expected = r"another command has been busy with .* for 0.05 s: let it end"
    with (
        held(tmp_path),
        pytest.raises(UserError, match=expected),
        held(tmp_path, wait_s=0.05),
    ):
        pass
    with held(tmp_path, wait_s=0.05):
        assert is_held(tmp_path)


CYCLES = int(os.environ.get("GAPLESS_CYCLES", "2"))


def test_deploy_and_destroy_again_and_again_leave_nothing(tmp_path: Path) -> None:
    """`GAPLESS_CYCLES=20 pytest -k again_and_again` does as many."""
    script = (
        "import sys; from pathlib import Path; import deploy.__main__ as commands;"
        f"commands.STATE_DIR = Path({str(tmp_path)!r}); sys.exit(commands.main())"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "LOCAL_PORT": str(port), "TARGET": "local", "ENDPOINT_URL": ""}
    for _ in range(CYCLES):
        pids = []
        for command in ("deploy", "destroy"):
            done = subprocess.run(
                [sys.executable, "-c", script, command],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, "")
            if command == "deploy":
                pids.append(json.loads((tmp_path / "cloud.json").read_text())["pid"])
        assert done.stdout.endswith("is gone\nlocal cloud stopped\n")
        assert files_in(tmp_path) == []
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
