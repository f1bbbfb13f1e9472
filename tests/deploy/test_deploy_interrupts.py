"""SIGTERM and SIGHUP stop a deployment as Ctrl-C does: nothing half made is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.cloud import Cloud
from deploy.local.process import ROOT, LocalCloud
from tests.deploy.support import STUCK, EditTemplate, status
from tests.patience import PATIENCE_S

DEPLOY = """
import sys
from functools import partial
from pathlib import Path
from deploy import __main__ as commands
commands.bring_up = partial(commands.bring_up, template_path=Path(sys.argv.pop()))
sys.argv.append("deploy")
sys.exit(commands.main())
"""
LOADTEST = """
import sys
from functools import partial
from pathlib import Path
from runner import __main__ as commands, targets
targets.bring_up = partial(targets.bring_up, template_path=Path(sys.argv[1]))
sys.exit(commands.main(["--reports", sys.argv[1] + ".reports", "loadtest"]))
"""


@contextmanager
def deploying(script: str, template: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command on a template that never comes up, once its table is there."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(template)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "CREATE_COMPLETE  Table" in line:
                break
        yield process
    finally:
        process.kill()
        process.communicate()


def tables_of(cloud: Cloud, stack: str) -> list[str]:
    names = cloud.dynamodb().list_tables()["TableNames"]
    return [name for name in names if name.startswith(f"{stack}-")]


@pytest.mark.parametrize(
    ("script", "number", "code", "says"),
    [
        pytest.param(DEPLOY, signal.SIGTERM, 130, "interrupted", id="deploy, SIGTERM"),
        pytest.param(DEPLOY, signal.SIGHUP, 130, "interrupted", id="deploy, SIGHUP"),
        pytest.param(
            LOADTEST, signal.SIGTERM, 2, "interrupted before the load began", id="loadtest, SIGTERM"
        ),
    ],
)
def test_a_signal_leaves_nothing_half_made(
    cloud: Cloud,
    local: LocalCloud,
    edited: EditTemplate,
    *,
    script: str,
    number: int,
    code: int,
    says: str,
) -> None:
    template = edited(("\nOutputs:", STUCK))
    with deploying(script, template, ENDPOINT_URL=local.endpoint_url, STACK="cut") as process:
        assert status(cloud, "cut") == "CREATE_IN_PROGRESS"
        assert tables_of(cloud, "cut")
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, err
    assert says in out + err
    assert "removing what was made of stack cut" in out
    # MiniStack goes on with a wait condition whose stack was deleted, and when that fails may call
    # the stack, of which nothing is left, rolled back.
    assert status(cloud, "cut") in {None, "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"}
    assert not tables_of(cloud, "cut")


def test_nohup_still_means_nohup(local: LocalCloud, edited: EditTemplate) -> None:
    template = edited(("\nOutputs:", STUCK))
    ignoring = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + DEPLOY
    with deploying(ignoring, template, ENDPOINT_URL=local.endpoint_url, STACK="kept") as process:
        state = Path(f"/proc/{process.pid}/status").read_text()
        ignored = int(state.partition("SigIgn:")[2].split()[0], 16)
        assert ignored & 1 << (signal.SIGHUP - 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 130
