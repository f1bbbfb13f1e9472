"""What other load generators print is read as they print it, and never guessed at."""

import json

import pytest

from bench.tools import TOOLS, Tool
from history.errors import UserError

BY_NAME = {tool.name: tool for tool in TOOLS}
WRK = """\
Running 1s test @ http://127.0.0.1:43363/
  1 threads and 50 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   474.30us  464.88us   8.46ms   97.92%
    Req/Sec    77.53k     6.37k   81.84k    80.00%
  77159 requests in 1.00s, 5.07MB read
"""
WRK_END = "Requests/sec:  76962.51\nTransfer/sec:      5.05MB\n"
AB = """\
Concurrency Level:      50
Time taken for tests:   1.001 seconds
Complete requests:      55572
Failed requests:        {failed}
Keep-Alive requests:    55572
Total transferred:      5157090 bytes
"""
HEY = """\
Response time histogram:
  0.000 [1]	|
  0.006 [6462]	|■■■■■■■■

Status code distribution:
  [200]	9195 responses
"""
AUTOCANNON = {
    "connections": 50,
    "errors": 0,
    "timeouts": 0,
    "non2xx": 0,
    "2xx": 13625,
    "requests": {"average": 13628, "total": 13625},
}


@pytest.mark.parametrize(
    ("name", "output", "answered"),
    [
        ("wrk", WRK + WRK_END, 77_159),
        ("ab", AB.format(failed=0), 55_572),
        ("hey", HEY, 9_195),
        ("autocannon", json.dumps(AUTOCANNON), 13_625),
    ],
)
def test_the_answers_are_counted(name: str, output: str, answered: int) -> None:
    assert BY_NAME[name].read(output) == answered


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("wrk", ""),
        ("wrk", WRK + "  Socket errors: connect 0, read 3, write 0, timeout 0\n" + WRK_END),
        ("wrk", WRK + "  Non-2xx or 3xx responses: 4\n" + WRK_END),
        ("ab", "Benchmarking 127.0.0.1 (be patient)..."),
        ("ab", AB.format(failed=12)),
        ("ab", AB.format(failed=0) + "Non-2xx responses:      7\n"),
        ("hey", "Status code distribution:\n"),
        ("hey", HEY + "  [429]\t3 responses\n"),
        ("hey", HEY + "\nError distribution:\n  [2]\tGet: EOF\n"),
        ("autocannon", ""),
        ("autocannon", "[]"),
        ("autocannon", json.dumps(AUTOCANNON | {"errors": 1})),
        ("autocannon", json.dumps(AUTOCANNON | {"timeouts": 1})),
        ("autocannon", json.dumps(AUTOCANNON | {"non2xx": 1})),
    ],
)
def test_failures_and_other_words_are_refused(name: str, output: str) -> None:
    with pytest.raises(UserError, match=rf"^{name} did not report answers only"):
        BY_NAME[name].read(output)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_command_names_its_program_the_connections_the_time_and_the_url(tool: Tool) -> None:
    command = tool.command("http://127.0.0.1:1/", 7, 50)
    assert (command[0], command[-1]) == (tool.name, "http://127.0.0.1:1/")
    assert {"50", "-c50"} & set(command)
    assert {"7", "7s", "-d7s"} & set(command)
