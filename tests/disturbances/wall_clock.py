"""A wall clock that can be stepped, for the processes of one run: the machine's own stays.

What wall_clock.c says is loaded into these processes, and adds an offset to what they ask of the
wall clock. Every other clock is the machine's.
"""

import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

SOURCE = Path(__file__).with_name("wall_clock.c")
_LIBRARY = "wall_clock.so"
_OFFSET = struct.Struct("=q")
_NS_PER_S = 1_000_000_000

_ANSWERS = """\
import sys, time
for line in sys.stdin:
    print(time.monotonic_ns(), time.time_ns(), time.monotonic_ns(), flush=True)
"""


def unavailable() -> str:
    """Say why the wall clock cannot be stepped here; empty if it can."""
    if not sys.platform.startswith("linux"):
        return f"{SOURCE.name} is for Linux"
    if shutil.which("cc") is None or not Path("/usr/include/stdio.h").exists():
        return f"{SOURCE.name} cannot be compiled: apt-get install gcc libc6-dev"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a process with the stepped clock reads, beside what we do.

    `ahead_s` is how far its wall clock is ahead of ours; `same_monotonic` says that its monotonic
    clock, read twice, lay between two readings of ours.
    """

    ahead_s: float
    same_monotonic: bool


class WallClock:
    """The clock; what is started with its `variables` goes by it."""

    def __init__(self, folder: Path) -> None:
        self._library = folder / _LIBRARY
        self._file = folder / "offset"
        self._file.write_bytes(_OFFSET.pack(0))
        with self._file.open("r+b") as file:
            self._offset = mmap(file.fileno(), _OFFSET.size)
        command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(self._library), str(SOURCE)]
        subprocess.run(command, check=True)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a process that goes by this clock, and so of all that it starts."""
        return {"LD_PRELOAD": str(self._library), "GAPLESS_CLOCK_OFFSET": str(self._file)}

    def step(self, ahead_s: float) -> None:
        """Set it so far ahead of the machine's, or behind it."""
        _OFFSET.pack_into(self._offset, 0, int(ahead_s * _NS_PER_S))

    @contextmanager
    def witness(self) -> Iterator["Witness"]:
        """Start a process that goes by this clock, and says what it reads."""
        with subprocess.Popen(
            [sys.executable, "-c", _ANSWERS],
            env=self.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield Witness(process)


class Witness:
    """A process that goes by a clock for as long as the block lasts that started it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def sees(self) -> Seen:
        """Ask it what time it is."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        before_ns, wall_ns = time.monotonic_ns(), time.time_ns()
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        first_ns, its_wall_ns, second_ns = map(int, self._process.stdout.readline().split())
        return Seen(
            ahead_s=(its_wall_ns - wall_ns) / _NS_PER_S,
            same_monotonic=before_ns <= first_ns <= second_ns <= time.monotonic_ns(),
        )


def goes_by_one(pid: int) -> bool:
    """Say whether a process that runs has such a clock in it."""
    return _LIBRARY in Path(f"/proc/{pid}/maps").read_text()
