"""The whole experiment, by the command line that make calls."""

import json
import os
import select
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from analysis.__main__ import main as analyse
from analysis.frame import load_history
from history.journal import read_header
from tests import servers
from tests.patience import PATIENCE_S, until
from tests.runner.conftest import LENGTHS, PAUSE_S, Recorded, Runner, starved, verdicts
from tests.servers import CounterServer

Run = Callable[..., tuple[Recorded, int, str, str]]
"""Runner.run or Runner.run_here."""
PASSES = dict.fromkeys(
    ("well-formed", "unique", "bounded", "gap-free", "conserved", "ordered"), "PASS"
)


@pytest.mark.parametrize(
    ("engine", "limits", "run"),
    [("ministack", "none", Runner.run), ("dynalite", "aws", Runner.run_here)],
)
def test_local_stack_from_deploy_to_verdict(
    runner: Runner, engine: str, limits: str, run: Run
) -> None:
    for length in LENGTHS:
        running, code, out, err = run(
            runner.afresh(), DURATION=length, ENGINE=engine, LIMITS=limits
        )
        if not starved(running.verdict()):
            break
    assert (code, err) == (0, "")
    verdict, manifest, folder = running.verdict(), running.manifest(), running.folder()
    assert verdict["verdict"] == "PASS"
    assert verdicts(verdict) == {**PASSES, "exercised": "PASS"}
    by_source = verdict["operations"]["by_source"]
    assert by_source["swarm"]["ok"] > 0
    assert by_source["locust"]["ok"] > 0
    assert by_source["runner"]["total"] == 2

    assert verdict["values"]["initial"] == 1
    assert verdict["values"]["first"] == 2
    assert verdict["values"]["final"] == verdict["values"]["last"]
    assert manifest["final"]["how"].startswith("strongly consistent read of table ")
    assert (manifest["engine"], manifest["limits"]) == (engine, limits)
    assert manifest["sealed"] is True
    assert {p["process"]: p["exit_state"] for p in manifest["processes"]} == {
        "swarm-0": "ended",
        "locust-0": "ended",
        "runner-0": "ended",
    }
    assert sorted(path.name for path in folder.iterdir()) == [
        "health.csv",
        "junit.xml",
        "locust.html",
        "logs",
        "manifest.json",
        "operations.parquet",
        "report.html",
        "verdict.json",
    ]
    assert (folder.parent / "latest").resolve() == folder
    assert folder.name in (folder.parent / "index.html").read_text()
    assert str(folder / "report.html") in out

    # Everything that was started is stopped.
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(manifest["url"], timeout=PATIENCE_S)

    # And the judgement can be had again from what is stored, offline.
    before = (folder / "verdict.json").read_text()
    (folder / "verdict.json").unlink()
    assert analyse(["verify", str(folder)]) == 0
    assert (folder / "verdict.json").read_text() == before


def test_any_correct_server_open_loop(runner: Runner) -> None:
    with CounterServer(servers.correct, value=41, pause_s=PAUSE_S) as server:
        running, _, out, err = runner.run_here(URL=server.url, DURATION="2s", RATE="400")
        received = server.received
    assert err == ""
    assert "PUT " in out
    assert "405 (it has no PUT)" in out
    verdict = running.verdict()
    assert verdict["operations"]["total"] == received
    assert verdict["values"]["initial"] == 41
    frame = load_history(running.folder() / "operations.parquet")
    swarm = frame[frame["source"] == "swarm"]
    # A starved machine may not keep the schedule; then exercised says so, and only then.
    assert len(swarm) <= 800
    kept = len(swarm) >= 720
    assert verdicts(verdict) | {"exercised": "any"} == {**PASSES, "exercised": "any"}
    assert kept or verdict["verdict"] == "INCONCLUSIVE"
    assert (swarm["intended_ns"] <= swarm["start_ns"]).all()
    assert frame[frame["source"] == "locust"]["intended_ns"].isna().all()
    assert running.manifest()["target"] == "url"


def test_a_racy_server_fails_with_its_evidence(runner: Runner) -> None:
    for length in ("1s", *LENGTHS):
        with CounterServer(servers.racy) as server:
            running, code, out, _ = runner.afresh().run_here(
                URL=server.url, DURATION=length, CONNECTIONS="50"
            )
            received = server.received
        if code == 1 or not starved(running.verdict()):
            break
    assert code == 1
    assert f"\nFAIL  {running.folder().name}\n" in out
    verdict = running.verdict()
    assert verdicts(verdict)["unique"] == "FAIL"
    assert verdict["operations"]["total"] == received
    unique = next(check for check in verdict["checks"] if check["check"] == "unique")
    first, second = unique["evidence"][0]["operations"][:2]
    assert first["value"] == second["value"]
    assert first["worker"] in (running.folder() / "report.html").read_text()


def test_a_server_that_drops_answers_is_inconclusive(runner: Runner) -> None:
    for length in LENGTHS:
        attempt = runner.afresh()
        with CounterServer(servers.dropping, pause_s=PAUSE_S) as server:
            running, code, _, _ = attempt.run_here(URL=server.url, DURATION=length)
            received, value = server.received, server.value
        if not starved(running.verdict()):
            break
    assert code == 3
    verdict = running.verdict()
    operations = verdict["operations"]
    # No hidden re-sends in either generator: sends on the wire = operations recorded.
    assert operations["total"] == received == value
    assert operations["indeterminate"] == received // 50
    assert verdicts(verdict) == {**PASSES, "gap-free": "INCONCLUSIVE", "exercised": "PASS"}
    gaps = next(check for check in verdict["checks"] if check["check"] == "gap-free")
    assert gaps["counts"]["missing"] == gaps["counts"]["unanswered"] == received // 50

    _, code, _, _ = attempt.run_here("verify", ALLOW_UNANSWERED=str(received))
    assert code == 0


def test_ctrl_c_seals_and_judges_what_was_recorded(runner: Runner) -> None:
    with CounterServer(servers.correct, pause_s=PAUSE_S) as server:
        running = runner.start(URL=server.url, DURATION="1h")
        running.until_line("load:")
        running.until_recorded("swarm-0", 200)
        running.until_recorded("locust-0", 200)
        running.process.send_signal(signal.SIGINT)
        code, _, err = running.finish()
        received = server.received
    assert (code, err) == (3, "")
    verdict = running.verdict()
    assert verdict["operations"]["total"] == received
    assert verdicts(verdict) == {**PASSES, "exercised": "INCONCLUSIVE"}
    assert running.manifest()["interrupted"].startswith("interrupted after ")


def test_the_local_cloud_dying_is_never_a_pass_or_a_fail(runner: Runner) -> None:
    running = runner.start(DURATION="1h")
    address = running.until_line("local cloud: started at ").split()[4]
    with urllib.request.urlopen(f"{address}/_gapless/health", timeout=PATIENCE_S) as answer:
        pid = json.load(answer)["pid"]
    running.until_recorded("swarm-0", 200)
    os.kill(pid, signal.SIGKILL)
    code, out, err = running.finish()
    assert (code, err) == (3, "")
    log = running.folder() / "logs" / "local-cloud.log"
    assert f"the local cloud died; its log: {log}\n" in out
    assert f"serving on {address} as process {pid}" in log.read_text()
    verdict = running.verdict()
    assert verdict["operations"]["ok"] >= 200
    assert verdicts(verdict)["conserved"] == "INCONCLUSIVE"
    assert "FAIL" not in verdicts(verdict).values()
    assert running.manifest()["interrupted"].startswith("stopped because the target died after ")

    # The next one is none the worse; here from a chosen start, with old values.
    start = 9007199254740990
    again = runner.afresh()
    following, code, _, err = again.run_here(DURATION="1s", RETURNS="old", INITIAL=str(start))
    assert code in {0, 3}, "a starved machine may not send enough for a PASS"
    assert err == ""
    verdict = following.verdict()
    assert verdicts(verdict) | {"exercised": "any"} == {**PASSES, "exercised": "any"}
    assert verdict["values"]["first"] == verdict["values"]["initial"] == start
    assert verdict["values"]["final"] == verdict["values"]["last"] + 1
    assert following.manifest()["returns"] == "old"


def test_killed_generators_are_inconclusive_and_lose_nothing(runner: Runner) -> None:
    killed = {"swarm-0": signal.SIGKILL, "locust-0": signal.SIGKILL, "swarm-1": 37}
    with CounterServer(servers.correct, pause_s=PAUSE_S) as server:
        running = runner.start(URL=server.url, DURATION="1h", PROCESSES="2")
        for victim, number in killed.items():
            # Those that are left go on, whatever has become of the others.
            running.until_recorded(victim, running.recorded(victim) + 100)
            (pid,) = pids_of(running.reports, victim)
            os.kill(pid, number)
        code, _, err = running.finish()  # when none is left, long before the hour has passed
        value = server.value
    assert (code, err) == (3, "")
    verdict = running.verdict()
    operations = verdict["operations"]
    assert operations["ok"] <= value <= operations["ok"] + operations["indeterminate"]
    assert "FAIL" not in verdicts(verdict).values()
    manifest = running.manifest()
    assert manifest["sealed"] is True
    assert manifest["interrupted"].endswith(" because nobody was sending any more")
    assert {p["process"]: p["exit_state"] for p in manifest["processes"]} == {
        "swarm-0": "was killed by SIGKILL",
        "swarm-1": "was killed by signal 37",  # which has no name
        "locust-0": "was killed by SIGKILL",
        "runner-0": "ended",
    }


def test_a_killed_runner_leaves_a_run_that_can_be_judged(runner: Runner) -> None:
    with CounterServer(servers.correct, pause_s=PAUSE_S) as server:
        running = runner.start(URL=server.url, DURATION="1h")
        running.until_recorded("swarm-0", 200)
        running.until_recorded("locust-0", 200)
        generators = pids_of(running.reports, "swarm-0") + pids_of(running.reports, "locust-0")
        running.process.kill()
        running.process.communicate()
        for pid in generators:  # they notice by themselves, and end
            await_end(pid)
        value = server.value
    # The newest run is the one that was cut off, not the last that ended well.
    _, code, out, err = runner.run("verify")
    assert (code, err) == (3, "")
    assert "its runner was killed" in out
    verdict = running.verdict()
    operations = verdict["operations"]
    assert operations["ok"] <= value <= operations["ok"] + operations["indeterminate"]
    assert "FAIL" not in verdicts(verdict).values()


HELD_BACK = """
import os, sys
if "locust" in sys.orig_argv:
    open(os.environ["HELD_BACK"]).close()  # a pipe: this waits for its other end
"""


def test_generators_do_nothing_when_the_runner_dies_before_the_start(
    runner: Runner, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "sitecustomize.py").write_text(HELD_BACK)
    with CounterServer(servers.correct) as server:
        running = runner.start(
            URL=server.url, DURATION="1h", PYTHONPATH=str(tmp_path), HELD_BACK=str(pipe)
        )
        running.until_line("load:")
        until(lambda: any(running.reports.glob("2*/journal/swarm-0.journal")), "the swarm is there")
        generators = psutil.Process(running.process.pid).children(recursive=True)
        running.process.kill()
        running.process.communicate()
        released = os.open(pipe, os.O_RDWR)
        for generator in generators:
            await_end(generator.pid)
        os.close(released)
        assert len(generators) == 2
        assert server.received == 1  # the runner's own


def test_nobody_listening_is_no_reason_to_lose_the_record(runner: Runner) -> None:
    with CounterServer(servers.correct, hangs_up_on_put=True, pause_s=PAUSE_S) as server:
        running = runner.start(URL=server.url, DURATION="1s")
        assert "no answer (it has no PUT)" in running.until_line("PUT ")
        running.until_line("load:")
        assert running.process.stdout is not None
        running.process.stdout.close()
        running.process.wait(PATIENCE_S)
    assert running.manifest()["sealed"] is True
    assert "FAIL" not in verdicts(running.verdict()).values()


def test_a_second_runner_on_the_same_counter_is_refused(runner: Runner) -> None:
    with CounterServer(servers.correct, pause_s=PAUSE_S) as server:
        running = runner.start(URL=server.url, DURATION="1h")
        running.until_recorded("swarm-0", 10)
        _, code, _, err = runner.run_here(URL=server.url)
        assert code == 2
        assert "another run is loading 127.0.0.1:" in err
        _, code, _, err = runner.run_here("verify")
        assert code == 2
        assert "is being recorded or sealed by another process" in err
        running.process.send_signal(signal.SIGHUP)  # the terminal was closed
        code, _, _ = running.finish()
    assert code == 3
    assert running.verdict()["operations"]["ok"] == server.value


def pids_of(reports: Path, process: str) -> list[int]:
    """The process ids that a journal's header names."""
    return [read_header(path)[0].pid for path in reports.glob(f"2*/journal/{process}.journal")]


def await_end(pid: int) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    readable, _, _ = select.select([descriptor], [], [], PATIENCE_S)
    os.close(descriptor)
    assert readable, f"process {pid} is still there"
