"""What must hold after processes of a run were killed; each breach is a sentence.

Every increment that the server applied is an `ok` record, or one of as many as there are
indeterminate records; nothing that had been recorded is lost; the verdict is never FAIL, and
never PASS unless the record is complete.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.frame import load_history
from history.manifest import ENDED_WELL, Manifest, read_manifest
from history.operation import Outcome as Became
from history.run import RunFolder
from tests.crash.experiment import Kill, Outcome
from tests.crash.plan import MASTER, RUNNER, Phase

PASS, FAIL, INCONCLUSIVE = 0, 1, 3
NOT_JUDGED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a run left: its operations (see schema.COLUMNS), its manifest, its verdict."""

    frame: pd.DataFrame
    manifest: Manifest
    verdict: Mapping[str, Any]

    def count(self, outcome: Became) -> int:
        """Count the increments with one outcome."""
        return int((self.frame["outcome"] == outcome).sum())

    @property
    def returned(self) -> list[int]:
        """The values that clients were given."""
        return [int(value) for value in self.frame["value"].dropna()]


def record_of(folder: Path) -> Record | None:
    """Read what a run left; None where it was never judged."""
    run = RunFolder(folder)
    if not run.verdict.is_file():
        return None
    return Record(
        frame=load_history(run.operations),
        manifest=read_manifest(run.manifest),
        verdict=json.loads(run.verdict.read_text()),
    )


def breaches(outcome: Outcome) -> list[str]:
    """Say what does not hold of one run; nothing if all does."""
    found = [f"left running: {process}" for process in outcome.left]
    found += _exit_codes(outcome)
    record = None if outcome.folder is None else record_of(outcome.folder)
    if record is None:
        return [*found, *_of_no_record(outcome)]
    found += unaccounted(record.frame, outcome.applied, outcome.received)
    found += wrong_verdict(record, outcome.applied)
    for kill in outcome.kills:
        found += lost(kill, record.frame)
        found += _untold(kill, outcome, record)
    return found


def _exit_codes(outcome: Outcome) -> Iterator[str]:
    """Allow what is documented, and no traceback; a killed runner has none of its own."""
    for who, ended in (("runner", outcome.runner), ("verify", outcome.verified)):
        if ended is None or (who == "runner" and outcome.runner_killed):
            continue
        if ended.returncode not in {PASS, INCONCLUSIVE, NOT_JUDGED}:
            yield f"{who} ended with exit code {ended.returncode}: {ended.stdout}{ended.stderr}"
        if ended.returncode == NOT_JUDGED and not _one_sentence(ended.stderr):
            yield f"{who} said why it could not go on with more than a sentence: {ended.stderr}"
        if ended.returncode != NOT_JUDGED and ended.stderr:
            yield f"{who} complained: {ended.stderr}"


def _one_sentence(err: str) -> bool:
    return err.startswith("gapless: ") and err.count("\n") == 1 and "Traceback" not in err


def _of_no_record(outcome: Outcome) -> Iterator[str]:
    """Allow a run without a verdict only where the load never began: one request, the runner's."""
    if len(outcome.applied) > 1 or outcome.received > 1:
        yield f"no verdict, although the server applied {len(outcome.applied):,} increments"
    if not any(kill.phase is Phase.STARTING for kill in outcome.kills):
        yield f"no verdict, although nobody was killed before the load: {outcome.runner}"


def unaccounted(frame: pd.DataFrame, applied: Sequence[int], received: int) -> Iterator[str]:
    """Hold the record against the server's own book."""
    returned = Counter(int(value) for value in frame["value"].dropna())
    book = Counter(applied)
    if invented := returned - book:
        yield f"recorded as returned, but never handed out: {sorted(invented.elements())[:10]}"
    nowhere = (book - returned).total()
    indeterminate = int((frame["outcome"] == Became.INDETERMINATE).sum())
    if nowhere > indeterminate:
        yield (
            f"{nowhere:,} applied increments are not recorded as ok, and only "
            f"{indeterminate:,} records are indeterminate"
        )
    if received > len(frame):
        yield f"the server read {received:,} requests, {len(frame):,} are recorded"


def wrong_verdict(record: Record, applied: Sequence[int]) -> Iterator[str]:
    """Refuse a FAIL, since the counter is correct, and a PASS of a record that is not complete.

    Complete is: every process ended in good order and counted as many operations as are
    there, and they are, one for one, what the server applied.
    """
    verdict, processes = record.verdict["verdict"], record.manifest.processes
    if verdict == "FAIL":
        yield f"FAIL of a correct counter: {record.verdict}"
    if verdict != "PASS":
        return
    rows = record.frame["process"].value_counts()
    for process in processes:
        held = int(rows.get(process.process, 0))
        ended = process.exit_state == ENDED_WELL
        if not ended or not held == process.journal_records == process.closed_records:
            yield f"PASS, although {held:,} operations are in the history of {process}"
    if Counter(record.returned) != Counter(applied) or len(record.frame) != len(applied):
        yield f"PASS of {len(record.frame):,} operations, the server applied {len(applied):,}"


def lost(kill: Kill, frame: pd.DataFrame) -> Iterator[str]:
    """Look for every request that the victim had recorded when it was killed."""
    there = frame[["start_ns", "worker", "end_ns", "value"]].astype(object)
    rows = set(there.where(there.notna(), None).itertuples(index=False, name=None))
    begun = {(start_ns, worker) for start_ns, worker, _, _ in rows}
    process = {RUNNER: "runner-0"}.get(kill.victim, kill.victim)
    for slot in kill.recorded:
        start_ns, worker = int(slot["start_ns"]), f"{process}/{slot['worker']}"
        row = (start_ns, worker, int(slot["end_ns"]), int(slot["value"]))
        whole = slot["answered"] != 1 or slot["outcome"] != 1 or row in rows
        if (start_ns, worker) not in begun or not whole:
            yield f"{kill.victim} had recorded {slot}, which is not in the history"


def _untold(kill: Kill, outcome: Outcome, record: Record) -> Iterator[str]:
    """Expect a process that did not end in good order to be named, by the runner and the judge."""
    if kill.victim in {RUNNER, MASTER}:
        return
    (process,) = (each for each in record.manifest.processes if each.process == kill.victim)
    if process.closed_records is not None or outcome.runner_killed:
        return
    exercised = next(c for c in record.verdict["checks"] if c["check"] == "exercised")
    told = [piece["summary"] for piece in exercised["evidence"]]
    if not any(sentence.startswith(f"{kill.victim} was ") for sentence in told):
        yield f"{kill.victim} was killed, and `exercised` does not say so: {told}"
    lines = outcome.runner.stdout.splitlines()
    if not any(line.startswith(f"load: {kill.victim} was killed") for line in lines):
        yield f"{kill.victim} was killed, and the runner did not say so: {lines}"
