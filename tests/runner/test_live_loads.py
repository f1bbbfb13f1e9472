"""Real loads as they are watched: in a pipe, on a terminal, and ended by what is seen."""

import re
import signal

from history.manifest import ENDED_WELL
from tests import servers
from tests.runner.conftest import Runner, verdicts
from tests.servers import CounterServer
from tests.terminal import Terminal, screen


def test_fail_fast_ends_the_load_and_tells_why_in_plain_lines(runner: Runner) -> None:
    with CounterServer(servers.racy) as server:
        running, code, out, err = runner.run(URL=server.url, DURATION="10m", FAIL_FAST="1")
        received = server.received
    assert (code, err) == (1, "")
    manifest, verdict = running.manifest(), running.verdict()
    told = re.fullmatch(
        r"stopped after \d+\.\d s of 600 s at the first violation \(FAIL_FAST=1\): "
        r"((\d+) was returned twice: to (\S+), and to (\S+) sent \d+\.\d{3} ms later)",
        manifest["interrupted"],
    )
    assert told, manifest["interrupted"]
    violation, value, *workers = told.groups()
    assert f"\nlive: first violation: {violation}\n" in out
    assert f"\nload: {manifest['interrupted']}; what was recorded is judged\n" in out

    # The last line counts every answer of the load.
    last = [line for line in out.splitlines() if line.startswith("live: ")][-1]
    operations = verdict["operations"]
    answered = operations["ok"] - operations["by_source"]["runner"]["ok"]
    assert f", {answered:,} ok, 0 rejected, 0 indeterminate, 0 in flight, " in last
    assert not re.search(r", 0 duplicates", last)
    assert "\x1b" not in out

    # Everything is sealed and judged as usual, and the judge sees what was seen.
    assert verdict["operations"]["total"] == received
    assert manifest["sealed"] is True
    assert {process["exit_state"] for process in manifest["processes"]} == {ENDED_WELL}
    assert verdicts(verdict)["unique"] == "FAIL"
    page = (running.folder() / "report.html").read_text()
    assert all(word in page for word in (value, *workers))


def test_a_terminal_shows_the_load_and_keeps_its_last_state(runner: Runner) -> None:
    with Terminal() as terminal, CounterServer(servers.correct) as server:
        running = runner.start(
            stdout=terminal.stream, URL=server.url, DURATION="10m", RATE="200", TERM="xterm"
        )
        terminal.close_stream()
        written = terminal.read_until(" s left")
        written += terminal.read_until("so far")
        running.until_recorded("swarm-0", 50)
        running.until_recorded("locust-0", 50)
        running.process.send_signal(signal.SIGINT)
        written += terminal.read_all()
        code, _, err = running.finish()
        received = server.received
    assert (code, err) == (3, "")
    assert running.manifest()["interrupted"].startswith("interrupted after ")
    assert verdicts(running.verdict())["unique"] == "PASS"

    lines = screen(written, 80)
    (top,) = (n for n, text in enumerate(lines) if text.endswith("stopped early"))
    assert not any(" s left" in text for text in lines), "an older picture stands above the last"
    heading, *rows = lines[top + 2 : top + 6]
    assert heading.split()[:2] == ["requests/s", "ok"]
    shown = {cells[0]: int(cells[2].replace(",", "")) for cells in map(str.split, rows)}
    by_source = running.verdict()["operations"]["by_source"]
    assert shown == {
        "locust": by_source["locust"]["ok"],
        "swarm": by_source["swarm"]["ok"],
        "all": received - by_source["runner"]["total"],
    }
    assert lines[top + 6].startswith(" from when due: p50 ")
    assert lines[top + 7] == " 0 duplicates, 0 inversions so far"
    assert lines[top + 8].startswith("load: interrupted after ")
