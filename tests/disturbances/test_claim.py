"""The claim itself can fail: on books that do not balance, and on verdicts that do not follow."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from history.manifest import ProcessRecord
from tests.disturbances.claim import Ledger, misjudged, unbalanced, unfelt, unsealed
from tests.disturbances.plan import disturbances
from tests.runs import new_manifest

CHECKS = ("unique", "gap-free", "conserved", "exercised")


def ledger(
    values: Sequence[int], *, indeterminate: int = 0, final: int | None, **more: Any
) -> Ledger:
    """The books of a run from 0 on whose answers were these, judged as it should be."""
    missing = 0 if final is None else final - len(set(values))
    said = {"gap-free": "INCONCLUSIVE"} if missing else {}
    said |= {} if final is not None else {"conserved": "INCONCLUSIVE"}
    process = ProcessRecord(
        process="swarm-0",
        source="swarm",
        exit_state="ended",
        journal_records=len(values),
        closed_records=len(values),
    )
    books = Ledger(
        ok=len(values),
        indeterminate=indeterminate,
        rejected=0,
        values=Counter(values),
        records={"swarm-0": len(values)},
        initial=0,
        final=final,
        manifest=new_manifest().replace(sealed=True, processes=(process,)),
        verdict=judged(**said),
    )
    return dataclasses.replace(books, **more)


def judged(overall: str = "", **said: str) -> dict[str, Any]:
    """A verdict of which all is PASS, but for what is said."""
    said = {name.replace("_", "-"): verdict for name, verdict in said.items()}
    found = [{"check": name, "verdict": said.get(name, "PASS"), "evidence": []} for name in CHECKS]
    return {"verdict": overall or ("INCONCLUSIVE" if said else "PASS"), "checks": found}


@pytest.mark.parametrize(
    ("books", "counter", "said"),
    [
        pytest.param(ledger([1, 2, 3], final=3), 3, [], id="all answered"),
        pytest.param(ledger([1, 3], indeterminate=1, final=3), 3, [], id="2 was not answered"),
        pytest.param(ledger([1, 2], indeterminate=1, final=2), 3, [], id="applied afterwards"),
        pytest.param(ledger([1, 2], final=3), 3, 2 * ["the counter grew by 3"], id="2 grew to 3"),
        pytest.param(ledger([1, 2], final=2), 3, ["the counter grew by 3"], id="after all"),
        pytest.param(
            ledger([1, 2, 3], indeterminate=1, final=2),
            None,
            ["the counter grew by 2", "a number is outside"],
            id="more answered than the counter grew",
        ),
        pytest.param(
            ledger([1, 2, 2], final=3), 3, ["answered twice: [2]"], id="2 was answered twice"
        ),
        pytest.param(
            ledger([1, 2], final=2, ok=3, indeterminate=0),
            None,
            ["3 operations are ok, 2 have a number", "the counter grew by 2"],
            id="ok without a number",
        ),
        pytest.param(ledger([1, 2], final=None), None, [], id="no final value"),
    ],
)
def test_the_ledger(books: Ledger, counter: int | None, said: list[str]) -> None:
    sentences = list(unbalanced(books, counter))
    assert len(sentences) == len(said)
    assert all(map(str.startswith, sentences, said))


@pytest.mark.parametrize(
    ("verdict", "books", "count"),
    [
        pytest.param(judged(), ledger([1, 2], final=2), 0, id="PASS"),
        pytest.param(
            judged(gap_free="INCONCLUSIVE"), ledger([1], indeterminate=1, final=2), 0, id="a hole"
        ),
        pytest.param(judged(), ledger([1], indeterminate=1, final=2), 2, id="a hole passed"),
        pytest.param(
            judged("FAIL", gap_free="FAIL"),
            ledger([1], indeterminate=1, final=2),
            2,
            id="a hole failed",
        ),
        pytest.param(
            judged(gap_free="INCONCLUSIVE"), ledger([1, 2], final=2), 2, id="no hole, not given"
        ),
        pytest.param(
            judged(exercised="INCONCLUSIVE"), ledger([1, 2], final=2), 0, id="exercised, starved"
        ),
        pytest.param(
            judged(conserved="INCONCLUSIVE"), ledger([1, 2], final=None), 0, id="final unknown"
        ),
        pytest.param(
            judged(conserved="INCONCLUSIVE", gap_free="INCONCLUSIVE"),
            ledger([1, 3], indeterminate=1, final=None),
            0,
            id="a hole, final unknown",
        ),
        pytest.param(judged("INCONCLUSIVE"), ledger([1, 2], final=2), 1, id="not the worst"),
    ],
)
def test_what_the_judge_must_say(verdict: dict[str, Any], books: Ledger, count: int) -> None:
    assert len(list(misjudged(dataclasses.replace(books, verdict=verdict)))) == count


@pytest.mark.parametrize(
    ("ended", "manifest"),
    [
        pytest.param({"exit_state": "was killed by SIGKILL"}, {}, id="killed"),
        pytest.param({"closed_records": None}, {}, id="not closed"),
        pytest.param({"journal_records": 1}, {}, id="fewer in the journal"),
        pytest.param({"problem": "half of it is missing"}, {}, id="damaged"),
        pytest.param({}, {"interrupted": "stopped because the target died"}, id="interrupted"),
        pytest.param({}, {"sealed": False}, id="not sealed"),
    ],
)
def test_every_process_has_to_have_sealed(ended: dict[str, Any], manifest: dict[str, Any]) -> None:
    books = ledger([1, 2], final=2)
    assert list(unsealed(books)) == []
    (process,) = books.manifest.processes
    changed = books.manifest.replace(processes=(dataclasses.replace(process, **ended),), **manifest)
    assert len(list(unsealed(dataclasses.replace(books, manifest=changed)))) == 1


@pytest.mark.parametrize(
    ("name", "fields", "manifest", "count"),
    [
        ("none", {}, {"fault": "none", "fault_counts": {"injected": 0}}, 0),
        ("none", {"indeterminate": 1}, {"fault": "none", "fault_counts": {"injected": 0}}, 1),
        ("none", {}, {"fault": "none", "fault_counts": {"injected": 1}}, 1),
        ("none", {}, {}, 1),
        (
            "reset",
            {"indeterminate": 1},
            {"fault": "reset:0.05", "fault_counts": {"injected": 1}},
            0,
        ),
        ("reset", {"indeterminate": 1}, {"fault": "reset:0.05", "fault_counts": {}}, 1),
        ("reset", {}, {"fault": "reset:0.05", "fault_counts": {"injected": 1}}, 1),
        (
            "throttle",
            {"rejected": 2},
            {"fault": "throttle:0.1", "fault_counts": {"injected": 2}},
            0,
        ),
        (
            "throttle",
            {"rejected": 2},
            {"fault": "throttle:0.1", "fault_counts": {"injected": 3}},
            1,
        ),
        ("clock-stepped", {}, {"ended_utc": "2026-01-02T02:04:05.678Z"}, 0),
        ("clock-stepped", {}, {"ended_utc": "2026-01-02T03:04:08.678Z"}, 1),
        ("cloud-paused", {"indeterminate": 1}, {}, 0),
        ("cloud-paused", {}, {}, 1),
    ],
)
def test_a_disturbance_has_to_be_felt(
    name: str, fields: dict[str, Any], manifest: dict[str, Any], count: int
) -> None:
    books = dataclasses.replace(ledger([1, 2], final=2), **fields)
    books = dataclasses.replace(books, manifest=books.manifest.replace(**manifest))
    assert len(list(unfelt(disturbances()[name], books))) == count
