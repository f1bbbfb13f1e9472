"""Load generators of others: how they are started, and what their output says. Pure."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from history.errors import UserError

REQUESTS_MAX = 5_000_000
"""For ab, whose time limit needs a number of requests beside it, and memory for each."""

_WRK = re.compile(r"^\s*(\d+) requests in ", re.MULTILINE)
_AB = re.compile(r"^(Complete|Failed|Non-2xx) (?:requests|responses):\s+(\d+)", re.MULTILINE)
_HEY_STATUS = re.compile(r"^\s+\[(\d+)\]\s+(\d+) responses\s*$", re.MULTILINE)
_HEY_ERROR = re.compile(r"^Error distribution:\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A load generator on PATH. `answered` reads from its output how many GETs got a 200.

    `answered` gives None where the output is not as expected, or tells of failures.
    """

    name: str
    package: str
    command: Callable[[str, int, int], list[str]]
    """From a URL, seconds, and connections."""
    answered: Callable[[str], int | None]
    records: str

    def read(self, output: str) -> int:
        """Give how many GETs the tool says were answered; raises UserError if not all were."""
        answered = self.answered(output)
        if answered is None:
            said = " ".join(output.split())
            raise UserError(f"{self.name} did not report answers only; it said: {said[:500]}")
        return answered


def _wrk(output: str) -> int | None:
    found = _WRK.search(output)
    failed = "Socket errors" in output or "Non-2xx" in output
    return int(found[1]) if found and not failed else None


def _ab(output: str) -> int | None:
    found = {name: int(count) for name, count in _AB.findall(output)}
    failed = found.get("Failed", 0) + found.get("Non-2xx", 0)
    return found.get("Complete") if not failed else None


def _hey(output: str) -> int | None:
    found = {int(status): int(count) for status, count in _HEY_STATUS.findall(output)}
    return found.get(200) if set(found) == {200} and not _HEY_ERROR.search(output) else None


def _autocannon(output: str) -> int | None:
    try:
        found = json.loads(output)
        failed = found["errors"] + found["timeouts"] + found["non2xx"]
        answered = found["2xx"]
    except (ValueError, TypeError, KeyError):
        return None
    return int(answered) if not failed else None


WRK = Tool(
    name="wrk",
    package="apt-get install wrk",
    command=lambda url, seconds, connections: (
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url]
    ),
    answered=_wrk,
    records="latency histogram",
)
TOOLS = (
    WRK,
    Tool(
        name="ab",
        package="apt-get install apache2-utils",
        command=lambda url, seconds, connections: [
            *("ab", "-q", "-k", "-l", "-c", str(connections)),
            *("-t", str(seconds), "-n", str(REQUESTS_MAX), url),
        ],
        answered=_ab,
        records="latencies",
    ),
    Tool(
        name="autocannon",
        package="npm install --global autocannon",
        command=lambda url, seconds, connections: [
            *("autocannon", "-c", str(connections), "-d", str(seconds), "--json", url)
        ],
        answered=_autocannon,
        records="latency histogram",
    ),
    Tool(
        name="hey",
        package="apt-get install hey",
        command=lambda url, seconds, connections: [
            *("hey", "-z", f"{seconds}s", "-c", str(connections), url)
        ],
        answered=_hey,
        records="latencies",
    ),
)
