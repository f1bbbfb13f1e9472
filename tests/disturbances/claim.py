"""What must hold of a run against a right counter, however it was disturbed.

The ledger is made here from the raw record, without the judge's code: every number that was
answered was answered once, and the counter grew by at least as many as were answered and by at
most as many more as have an unknown fate. What the judge must then say follows from the ledger.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from history.fault import parse_fault
from history.manifest import ENDED_WELL, Manifest, read_manifest
from history.run import RunFolder
from tests.disturbances.experiment import Outcome
from tests.disturbances.plan import Act, Disturbance
from tests.runner.conftest import starved, verdicts

FAIL, INCONCLUSIVE, PASS = "FAIL", "INCONCLUSIVE", "PASS"
EXIT_CODES = {PASS: 0, FAIL: 1, INCONCLUSIVE: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """One run's books: how many operations ended how, which numbers came, what the counter did."""

    ok: int
    indeterminate: int
    rejected: int
    values: Counter[int]
    records: Mapping[str, int]
    initial: int
    final: int | None
    manifest: Manifest
    verdict: Mapping[str, Any]

    @property
    def operations(self) -> int:
        """How many are recorded."""
        return self.ok + self.indeterminate + self.rejected

    @property
    def grown(self) -> int | None:
        """By how much the counter grew, as the run knows it."""
        return None if self.final is None else self.final - self.initial

    @property
    def missing(self) -> int:
        """Count the numbers that nobody was answered, up to the last that is known of."""
        last = max(self.values, default=self.initial) if self.final is None else self.final
        return last - self.initial - len(self.values)

    @property
    def overall(self) -> str:
        """The verdict."""
        return str(self.verdict["verdict"])

    @property
    def starved(self) -> bool:
        """Whether the load was weaker than asked for, as on a machine that is too slow."""
        return starved(dict(self.verdict))


def ledger_of(folder: Path) -> Ledger:
    """Read what a run left."""
    run = RunFolder(folder)
    columns = pq.read_table(run.operations, columns=["outcome", "value", "process", "kind"])
    rows = columns.to_pydict()
    assert set(rows["kind"]) == {"increment"}
    ended = Counter(rows["outcome"])
    manifest = read_manifest(run.manifest)
    assert manifest.initial.value is not None
    return Ledger(
        ok=ended["ok"],
        indeterminate=ended["indeterminate"],
        rejected=ended["rejected"],
        values=Counter(value for value in rows["value"] if value is not None),
        records=Counter(rows["process"]),
        initial=manifest.initial.value,
        final=manifest.final.value,
        manifest=manifest,
        verdict=json.loads(run.verdict.read_text()),
    )


def breaches(outcome: Outcome) -> list[str]:
    """Say what does not hold of one run; nothing if all does."""
    found = [f"left running: {process}" for process in outcome.left]
    if outcome.folder is None or not RunFolder(outcome.folder).verdict.is_file():
        return [*found, f"no verdict: {outcome.runner}"]
    ledger = ledger_of(outcome.folder)
    found += unbalanced(ledger, outcome.counter)
    found += unsealed(ledger)
    found += misjudged(ledger)
    found += outcome.unfelt
    found += unfelt(outcome.disturbance, ledger)
    if outcome.runner.returncode != EXIT_CODES[ledger.overall] or outcome.runner.stderr:
        found.append(f"{ledger.overall}, and the runner ended so: {outcome.runner}")
    if any(not way["lost"] + way["cut"] for way in outcome.packets.values()):
        found.append(f"the link lost nothing: {outcome.packets}")
    return found


def unbalanced(ledger: Ledger, counter: int | None) -> Iterator[str]:
    """Hold the numbers against the counter: as the run read it, and as it is after all."""
    if ledger.values.total() != ledger.ok:
        yield f"{ledger.ok:,} operations are ok, {ledger.values.total():,} have a number"
    if twice := [value for value, times in ledger.values.items() if times > 1]:
        yield f"answered twice: {sorted(twice)[:10]}"
    for final, how in ((ledger.final, "the run read"), (counter, "the table holds")):
        if final is None:
            continue
        grown = final - ledger.initial
        if not ledger.ok <= grown <= ledger.ok + ledger.indeterminate:
            yield (
                f"the counter grew by {grown:,} ({how} {final:,}); {ledger.ok:,} were answered and "
                f"{ledger.indeterminate:,} have an unknown fate"
            )
        if ledger.values and not ledger.initial < min(ledger.values) <= max(ledger.values) <= final:
            yield f"a number is outside of ({ledger.initial:,}, {final:,}]"


def unsealed(ledger: Ledger) -> Iterator[str]:
    """Expect every process to have ended in order, and its records all to be there."""
    manifest = ledger.manifest
    if not manifest.sealed or manifest.interrupted:
        yield f"sealed: {manifest.sealed}, interrupted: {manifest.interrupted!r}"
    for process in manifest.processes:
        counts = {
            process.journal_records,
            process.closed_records,
            ledger.records.get(process.process, 0),
        }
        if process.exit_state != ENDED_WELL or process.problem or len(counts) != 1:
            yield f"{ledger.records.get(process.process, 0):,} records are there of {process}"


def misjudged(ledger: Ledger) -> Iterator[str]:
    """Expect each check's verdict to be what follows from the ledger, and no other."""
    expected = dict.fromkeys(verdicts(dict(ledger.verdict)), PASS)
    if ledger.missing:
        expected["gap-free"] = INCONCLUSIVE
    if ledger.final is None:
        expected["conserved"] = INCONCLUSIVE
    if ledger.starved:
        expected["exercised"] = INCONCLUSIVE
    for check in ledger.verdict["checks"]:
        if check["verdict"] != expected[check["check"]]:
            yield f"expected {expected[check['check']]} of: {check}"
    overall = INCONCLUSIVE if INCONCLUSIVE in expected.values() else PASS
    if ledger.overall != overall:
        yield f"{ledger.overall}, where {overall} can be derived"


def unfelt(disturbance: Disturbance, ledger: Ledger) -> Iterator[str]:
    """Expect the disturbance to have met the run, and to have cost no answer where it must not."""
    if disturbance.passes and ledger.indeterminate:
        yield f"{ledger.indeterminate:,} requests without an answer, none was to be lost"
    if not disturbance.passes and not ledger.indeterminate:
        yield "every request was answered, some were not to be"
    if disturbance.fault:
        yield from _not_injected(disturbance.fault, ledger)
    if any(step.act is Act.SET_CLOCK for step in disturbance.steps):
        yield from _clock_unseen(ledger.manifest)


def _not_injected(fault: str, ledger: Ledger) -> Iterator[str]:
    asked, counts = parse_fault(fault), ledger.manifest.fault_counts
    if ledger.manifest.fault != asked.text:
        yield f"asked for {asked.text}, the manifest says {ledger.manifest.fault!r}"
    if bool(counts.get("injected")) == asked.changes_nothing:
        yield f"{asked.text} was asked for, the intermediary says {counts}"
    if asked.name == "throttle" and ledger.rejected != counts.get("injected"):
        yield f"{ledger.rejected:,} requests were rejected, the intermediary says {counts}"


def _clock_unseen(manifest: Manifest) -> Iterator[str]:
    """Expect the runner itself to have ended before it began, by the wall clock."""
    assert manifest.ended_utc is not None
    began, ended = map(datetime.fromisoformat, (manifest.started_utc, manifest.ended_utc))
    if not ended < began:
        yield f"the clock was set back, and the run lasted from {began} to {ended}"
