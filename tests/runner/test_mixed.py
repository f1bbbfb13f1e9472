"""Loads of increments and decrements mixed, by the command line that make calls."""

import pandas as pd

from analysis.frame import load_history
from history.mixing import kind_chooser
from history.operation import Kind
from tests import servers
from tests.runner.conftest import LENGTHS, PAUSE_S, Recorded, Runner, starved, verdicts
from tests.servers import CounterServer

MIXED = {"DECREMENTS": "0.3", "SEED": "5"}


def frame_of(recorded: Recorded) -> pd.DataFrame:
    return load_history(recorded.folder() / "operations.parquet")


def test_a_mixed_load_on_the_deployed_api(runner: Runner) -> None:
    recorded, code, out, err = runner.run_here(DURATION="2s", INITIAL="100", RETURNS="old", **MIXED)
    assert err == ""
    assert ", 30 % of all requests decrements; Ctrl-C stops early" in out
    assert "down; values are judged at the end\n" in out
    assert "duplicate" not in out.partition("\nsealed: ")[0]

    verdict, manifest, frame = recorded.verdict(), recorded.manifest(), frame_of(recorded)
    assert manifest["load"]["decrements"] == 0.3
    assert manifest["integration_timeout_ms"] == 29_000
    assert (frame["outcome"] == "ok").all()
    # Each process drew its kinds from the seed, and the brackets are increments as ever.
    for process in ("swarm-0", "locust-0"):
        own = frame[frame["process"] == process].sort_values("start_ns", kind="stable")
        choose = kind_chooser(0.3, seed=5, process=process)
        assert own["kind"].tolist() == [str(choose()) for _ in range(len(own))]
        assert str(Kind.DECREMENT) in set(own["kind"])
    brackets = frame[frame["source"] == "runner"]
    assert brackets["kind"].tolist() == ["increment", "increment"]

    # All were answered, so what went up and did not come down is what is there.
    kinds = frame["kind"].value_counts()
    moved = int(kinds["increment"] - kinds["decrement"])
    assert verdict["values"]["initial"] == 100
    assert verdict["values"]["final"] == 100 + moved
    assert verdicts(verdict)["conserved"] == "PASS"
    assert "FAIL" not in verdicts(verdict).values()
    assert code in {0, 3}
    page = (recorded.folder() / "report.html").read_text()
    assert "DECREMENTS=0.3" in page
    assert "numbers come back, so that no number is wrong by itself" in page


def test_a_racy_server_never_passes_a_mixed_load(runner: Runner) -> None:
    for length in ("1s", *LENGTHS):
        with CounterServer(servers.racy, value=50, pause_s=PAUSE_S) as server:
            recorded, code, _, _ = runner.afresh().run_here(
                URL=server.url, DURATION=length, TRANSPORT="wire", SHAPE="burst", **MIXED
            )
            received, decrements = server.received, server.decrements
        if code == 1 or not starved(recorded.verdict()):
            break
    assert code == 1
    verdict, frame = recorded.verdict(), frame_of(recorded)
    assert verdict["verdict"] == "FAIL"
    assert len(frame) == received
    assert int((frame["kind"] == "decrement").sum()) == decrements > 0
    assert recorded.manifest()["integration_timeout_ms"] is None
