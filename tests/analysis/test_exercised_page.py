"""What `exercised` expects of which generators: those that the manifest names."""

import dataclasses
from typing import Any

import pytest

from analysis.checks import exercised
from analysis.run import Run
from analysis.verdict import Verdict
from tests.runs import new_manifest, ok, run_of

PASS, INCONCLUSIVE = Verdict.PASS, Verdict.INCONCLUSIVE
BY_PAGE: dict[str, Any] = {
    "duration_s": 0,
    "users": 0,
    "spawn_rate_per_s": 0,
    "connections": 0,
    "processes": 0,
}


def rows_of(source: str, count: int = 1_100, **more: Any) -> list[dict[str, Any]]:
    """Operations of two overlapping clients, 10 ns apart."""
    return [
        ok(
            10 * n,
            10 * n + 15,
            n + 1,
            source=source,
            process=f"{source}-0",
            worker=f"{source}-0/{n % 2}",
        )
        | more
        for n in range(count)
    ]


def recorded(rows: list[dict[str, Any]], *processes: str, **load: Any) -> Run:
    """A run whose load went on for long after these operations."""
    manifest = new_manifest(processes=(*processes, "runner-0"))
    manifest = manifest.replace(
        load=dataclasses.replace(manifest.load, **load),
        load_started_ns=0,
        load_ended_ns=100_000,
    )
    return run_of(rows, manifest=manifest)


def test_a_load_made_in_the_page_may_stop_when_it_likes_and_needs_no_swarm() -> None:
    finding = exercised.check(recorded(rows_of("locust"), "locust-0", **BY_PAGE))
    assert (finding.verdict, finding.evidence) == (PASS, ())


@pytest.mark.parametrize(
    ("processes", "load", "complaint"),
    [
        pytest.param(
            ["locust-0", "swarm-0"],
            {"users": 2, "connections": 0},
            "The swarm generator got no answer at all",
            id="a generator that was to send",
        ),
        pytest.param(
            ["locust-0"],
            {"users": 2, "connections": 0},
            "locust-0 fell silent after 0.0 s of 0.0 s",
            id="a load of a fixed length",
        ),
    ],
)
def test_what_was_asked_for_must_have_been(
    processes: list[str], load: dict[str, Any], complaint: str
) -> None:
    finding = exercised.check(recorded(rows_of("locust"), *processes, **load))
    assert finding.verdict is INCONCLUSIVE
    assert complaint in [evidence.summary for evidence in finding.evidence]


def test_volleys_of_locust_users_are_not_the_schedule_of_the_swarm() -> None:
    rows = rows_of("locust", intended_ns=1) + rows_of("swarm", 10, intended_ns=1)
    load = {"users": 2, "connections": 2, "rate_per_s": 10, "duration_s": 100}
    finding = exercised.check(recorded(rows, "locust-0", "swarm-0", **load))
    assert any("of 1,000 requests" in evidence.summary for evidence in finding.evidence)
