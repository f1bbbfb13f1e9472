"""FAULT: an intermediary between the load and the counter, by the command line that make calls."""

import psutil
import pytest

from tests import servers
from tests.runner.conftest import LENGTHS, PAUSE_S, Recorded, Runner, starved, verdicts
from tests.servers import CounterServer


def test_a_fault_before_any_server_is_caught_and_told(runner: Runner) -> None:
    with CounterServer(servers.correct, value=40, pause_s=PAUSE_S) as server:
        recorded, code, out, err = runner.run_here(
            URL=server.url, DURATION="2s", FAULT="resend:0.05", SEED="3"
        )
        assert (code, err) == (1, "")
        manifest, verdict = recorded.manifest(), recorded.verdict()
        counts = manifest["fault_counts"]
        # The book of the server, of the intermediary and of the record are one.
        assert server.received == counts["sent"] - 1  # it has no PUT, which was sent on too
        assert counts["sent"] == counts["received"] + counts["injected"] + 1
        assert counts["received"] == counts["answered"] == verdict["operations"]["ok"]
        assert verdict["values"]["final"] - verdict["values"]["initial"] == server.received
    assert (manifest["fault"], manifest["url"]) == ("resend:0.05", server.url)
    assert "intermediary: http://127.0.0.1:" in out
    assert "sends that share of the requests on twice" in out
    assert verdicts(verdict)["gap-free"] == "FAIL"
    (gaps,) = (check for check in verdict["checks"] if check["check"] == "gap-free")
    assert gaps["counts"]["missing"] == counts["injected"] > 0


def test_an_update_that_is_lost_in_the_deployed_stack(runner: Runner) -> None:
    recorded, code, _, err = runner.run_here(
        FAULT="lost-update", DURATION="1s", RETURNS="old", TRANSPORT="wire"
    )
    assert (code, err) == (1, "")
    verdict, manifest = recorded.verdict(), recorded.manifest()
    assert verdicts(verdict)["unique"] == "FAIL"
    assert manifest["fault"] == "lost-update:1"
    assert manifest["url"].split("/")[3:5] == ["_aws", "execute-api"], "the stack's own"
    assert manifest["fault_counts"]["sent"] == 2 * manifest["fault_counts"]["received"]


def test_an_intermediary_that_is_right_passes(runner: Runner) -> None:
    for length in LENGTHS:
        with CounterServer(servers.correct, pause_s=PAUSE_S) as server:
            recorded, code, _, _ = runner.afresh().run_here(
                URL=server.url, DURATION=length, FAULT="none"
            )
        if code == 0 or not starved(recorded.verdict()):
            break
    assert code == 0, recorded.verdict()
    assert recorded.manifest()["fault"] == "none"
    assert recorded.manifest()["fault_counts"]["injected"] == 0


def test_an_intermediary_that_dies_ends_the_load_and_the_record_is_kept(runner: Runner) -> None:
    with CounterServer(servers.correct, pause_s=PAUSE_S) as server:
        running = runner.start(URL=server.url, DURATION="60s", FAULT="none")
        running.until_recorded("swarm-0", 20)
        children = psutil.Process(running.process.pid).children()
        (between,) = (child for child in children if "faults" in child.cmdline())
        between.kill()
        code, _, err = running.finish()
    assert code == 3, err
    manifest = running.manifest()
    assert manifest["interrupted"].startswith("stopped because the target died after ")
    assert manifest["fault_counts"] == {}
    assert "FAIL" not in verdicts(running.verdict()).values()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"FAULT": "resent"}, "FAULT=resent: expected one of none, lost-update, "),
        (
            {"FAULT": "drop:2"},
            "FAULT=drop:2: expected drop:AMOUNT, an amount from 0 to 1 (of all requests)",
        ),
        (
            {"FAULT": "lost-update", "URL": "http://127.0.0.1:1/"},
            "FAULT=lost-update:1: reads and writes the counter by methods that a stack ",
        ),
    ],
)
def test_what_cannot_be_asked_for(runner: Runner, variables: dict[str, str], said: str) -> None:
    recorded, code, out, err = runner.run_here(**variables)
    assert (code, out) == (2, "")
    assert err.startswith(f"gapless: {said}")
    assert isinstance(recorded, Recorded)
    assert not recorded.reports.exists()
