"""The local cloud's process: starts, is found, stops, and never outlives its parent."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deploy.local import lifecycle
from deploy.local.lifecycle import (
    ROOT,
    LocalCloud,
    running_cloud,
    start_background,
    stop_background,
    temporary_cloud,
)
from deploy.local.options import CloudOptions, Limits
from history.errors import UserError
from tests.deploy.support import request


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
            [sys.executable, "-m", "deploy.local", "--port", str(port)],
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
        poll = lifecycle.select.poll()
        poll.register(child, lifecycle.select.POLLIN)
        assert poll.poll(10_000), "the cloud outlived its parent"
    finally:
        os.close(child)


def test_the_background_cloud_is_found_and_stopped(tmp_path: Path) -> None:
    assert running_cloud(tmp_path) is None
    assert stop_background(tmp_path) is False
    started = start_background(tmp_path, port=0)
    try:
        found = running_cloud(tmp_path)
        assert found is not None
        assert (found.pid, found.endpoint_url) == (started.pid, started.endpoint_url)
        assert start_background(tmp_path, port=0).pid == started.pid
        with pytest.raises(UserError, match="has LIMITS=none, asked for is LIMITS=aws"):
            start_background(tmp_path, port=0, options=CloudOptions(limits=Limits.AWS))
    finally:
        assert stop_background(tmp_path) is True
    assert running_cloud(tmp_path) is None
    assert not started.alive()


def test_a_stale_state_file_is_not_a_running_cloud(tmp_path: Path, local: LocalCloud) -> None:
    state = {"pid": local.pid, "endpoint_url": local.endpoint_url, "instance": local.instance}
    for wrong in (
        {"instance": "another"},
        {"pid": os.getpid()},
        {"endpoint_url": "http://127.0.0.1:1"},
        {"pid": None},
    ):
        (tmp_path / "cloud.json").write_text(json.dumps(state | wrong))
        assert running_cloud(tmp_path) is None
        assert stop_background(tmp_path) is False
    (tmp_path / "cloud.json").write_text("not JSON")
    assert running_cloud(tmp_path) is None
    assert local.alive()


def test_a_program_that_is_no_local_cloud_is_not_taken_for_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        state = {"pid": 1, "endpoint_url": f"http://127.0.0.1:{port}", "instance": "x"}
        (tmp_path / "cloud.json").write_text(json.dumps(state))
        assert running_cloud(tmp_path) is None
        thread.join()
