"""The record, by processes that are killed at each step of writing it in turn.

    python -m tests.history.killed record FOLDER    writes FOLDER/<n>.journal
    python -m tests.history.killed seal FOLDER      seals FOLDER/<n>, copies of FOLDER/run

Each is a fork of this one. Prints a line of JSON for each, and ends with the first that was not
killed any more.
"""

import importlib
import itertools
import json
import shutil
import sys
from functools import partial
from pathlib import Path
from types import CodeType

from history import journal
from history.classify import Classified
from history.health import SUFFIX, HealthLog, HealthSample
from history.journal import Journal
from history.operation import Outcome, Reason
from history.run import RunFolder, seal
from tests.killing import Steps, Tell, killed_at
from tests.short_chunks import SLOTS, shorten_chunks

_SENT, _DONE = b"s", b"d"
_HISTORY = str(Path(journal.__file__).parent)
_WRITING = frozenset(
    {"__init__", "begin", "complete", "_answered", "_grow", "close", "append"}
    | {"seal_locked", "write_text_whole"}
)
SAMPLE = HealthSample(
    process="p",
    at_ns=1,
    interval_ns=1,
    cpu_ns=1,
    loop_lag_ns_p50=1,
    loop_lag_ns_max=1,
    in_flight=1,
    queued=0,
    connections=1,
)


def writes(code: CodeType) -> bool:
    """Tell whether a function is one of those that write the record."""
    return code.co_name in _WRITING and code.co_filename.startswith(_HISTORY)


def record(folder: Path, last: int, tell: Tell) -> None:
    """Record requests, told to the outside when they are sent and when they are done."""
    path = folder / f"{last:04}.journal"
    steps = Steps(last, watched=writes)

    def operation(value: int, tell: Tell = tell) -> None:
        slot = written.begin(value)
        tell(_SENT)
        written.complete(slot, Classified(Outcome.OK, value, Reason.INTEGER), 200)
        tell(_DONE)

    steps.begin()
    written = Journal(path, process=path.stem, source="test")
    log = HealthLog(path.with_suffix(SUFFIX))
    operation(0)
    steps.pause()
    untold: list[bytes] = []
    for value in range(1, SLOTS - 1):
        operation(value, untold.append)
    tell(b"".join(untold))
    steps.begin()
    operation(SLOTS - 1)
    operation(SLOTS)
    log.append(SAMPLE)
    written.begin(SLOTS + 1)
    tell(_SENT)
    written.close()
    log.close()
    steps.pause()


def seal_copy(folder: Path, last: int, _: Tell) -> None:
    """Seal a copy of a run."""
    steps = Steps(last, watched=writes)
    copy = folder / f"{last:04}"
    shutil.copytree(folder / "run", copy)
    steps.begin()
    seal(RunFolder(copy))
    steps.pause()


def main() -> None:
    """Kill at one step after the other."""
    shorten_chunks()
    work = {"record": record, "seal": seal_copy}[sys.argv[1]]
    if work is seal_copy:
        importlib.import_module("pandas")  # pyarrow imports it when it first sees an array
    for last in itertools.count():
        told, killed = killed_at(last, partial(work, Path(sys.argv[2])))
        counts = {"sent": told.count(_SENT), "done": told.count(_DONE)}
        print(json.dumps({"name": f"{last:04}", **counts, "killed": killed}), flush=True)
        if not killed:
            return


if __name__ == "__main__":
    main()
