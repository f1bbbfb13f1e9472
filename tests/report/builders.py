"""Runs and judgements made by hand, and a simulated run of a realistic size."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.frame import record_of
from analysis.run import Run
from analysis.verdict import Evidence, Finding, Judgement, Verdict, worst
from history import schema
from history.health import SAMPLE_NS, HealthSample
from history.manifest import KnownValue, Load, Manifest, ProcessRecord
from history.operation import Returns
from tests.runs import sample

S = 1_000_000_000
ORIGIN_NS = 5_000 * S
WALL_MINUS_MONOTONIC_NS = 1_795_342_500 * S - ORIGIN_NS  # the first starts at 10:15:00 UTC
_BLANKS: dict[str, Any] = {"kind": "increment", "attempts": 1, "host": "h", "source": "swarm"}


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Build a frame as the loader gives it; what a row does not name is blank."""
    columns = {
        column.name: [(_BLANKS | dict(row)).get(column.name) for row in rows]
        for column in schema.COLUMNS
    }
    return typed(columns)


def typed(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Give columns the types of the loader: int64 starts, nullable numbers, categories."""
    frame = pd.DataFrame(index=range(len(columns["start_ns"])))
    for column in schema.COLUMNS:
        given = columns.get(column.name)
        values = [None] * len(frame) if given is None else given
        if column.name == "start_ns":
            frame[column.name] = np.asarray(values, dtype=np.int64)
        elif column.type == "text":
            frame[column.name] = pd.Categorical(values)
        else:
            frame[column.name] = pd.array(values, dtype="Int64")
    return frame


def ok(value: int, start: int, end: int, **more: object) -> dict[str, Any]:
    """One answered operation; times in nanoseconds."""
    return {
        "start_ns": start,
        "end_ns": end,
        "outcome": "ok",
        "value": value,
        "status": 200,
        "reason": "integer",
        **more,
    }


def unanswered(start: int, **more: object) -> dict[str, Any]:
    """One operation that perhaps happened."""
    return {"start_ns": start, "outcome": "indeterminate", "reason": "no-answer", **more}


def run_of(rows: Sequence[Mapping[str, Any]], **more: object) -> Run:
    """Build a run of literal rows."""
    settings: dict[str, Any] = {"run_id": "20261122T101500Z-abc1234", "initial": 0, "final": None}
    return Run(record=record_of(frame_of(rows)), **(settings | more))


def judgement_of(run: Run, *findings: Finding) -> Judgement:
    """Judge by the findings given; counts and values from the frame."""
    values = run.frame["value"].dropna()
    return Judgement(
        run_id=run.run_id,
        verdict=worst(finding.verdict for finding in findings if finding.decides),
        operations={"total": len(run.frame)},
        values={
            "initial": run.initial,
            "final": run.final,
            "first": int(values.min()) if len(values) else None,
            "last": int(values.max()) if len(values) else None,
            "distinct": int(values.nunique()),
        },
        findings=findings,
    )


def finding(check: str, verdict: Verdict = Verdict.PASS, **more: object) -> Finding:
    """One finding."""
    settings: dict[str, Any] = {"summary": f"{check}: nothing to say."}
    return Finding(check=check, verdict=verdict, **(settings | more))


def manifest_of(**more: object) -> Manifest:
    """A manifest with every field filled in."""
    settings: dict[str, Any] = {
        "run_id": "20261122T101500Z-abc1234",
        "started_utc": "2026-11-22T10:15:00+00:00",
        "ended_utc": "2026-11-22T10:15:41+00:00",
        "target": "local",
        "url": "http://127.0.0.1:4566/_aws/execute-api/a1b2c3d4e5/v1/",
        "load": Load(
            duration_s=30,
            users=20,
            spawn_rate_per_s=20,
            connections=50,
            rate_per_s=0.0,
            processes=1,
            timeout_s=10.0,
        ),
        "initial": KnownValue(value=1, how="PUT 1, then a recorded GET answered 2"),
        "final": KnownValue(value=60_002, how="strongly consistent GetItem after the load"),
        "returns": Returns.NEW,
        "wall_minus_monotonic_ns": WALL_MINUS_MONOTONIC_NS,
        "stack": "gapless",
        "table": "gapless-Counter",
        "template_sha256": "9f2c" * 16,
        "seed": 42,
        "versions": {"python": "3.11.7", "locust": "2.47.0", "aiohttp": "3.14.5"},
        "host": "load-1",
        "cpu_count": 2,
        "commit": "abc1234",
        "dirty": True,
        "sealed": True,
        "processes": (
            ProcessRecord(
                process="swarm-0",
                source="swarm",
                exit_state="exited 0",
                journal_records=40_000,
                closed_records=40_000,
            ),
            ProcessRecord(
                process="locust",
                source="locust",
                exit_state="killed by signal 9",
                journal_records=20_000,
                closed_records=None,
            ),
        ),
    }
    return Manifest(**(settings | more))


def simulated(
    count: int = 60_000, *, seed: int = 1, seconds: float = 30.0, open_loop: bool = False
) -> dict[str, Any]:
    """Simulate a correct counter under two generators and the runner's bracketing reads.

    Values follow the moments at which the increments took effect; columns as arrays.
    """
    random = np.random.default_rng(seed)
    effect = np.sort(random.uniform(0.2, seconds, count))
    effect += 0.4 * np.clip(effect - seconds / 2, 0, 1)  # a stall in the middle
    locust = random.random(count) < 1 / 3
    before = random.lognormal(np.where(locust, 1.3, 0.9), 0.5, count) / 1e3
    after = random.lognormal(np.where(locust, 1.4, 0.7), 0.6, count) / 1e3
    start = ORIGIN_NS + ((effect - before) * 1e9).astype(np.int64)
    end = ORIGIN_NS + ((effect + after) * 1e9).astype(np.int64)
    worker = np.where(locust, "locust/", "swarm-0/").astype(object)
    worker += random.integers(0, 20, count).astype(str).astype(object)
    columns: dict[str, Any] = {
        "kind": ["increment"] * count,
        "start_ns": start,
        "end_ns": pd.array(end, dtype="Int64"),
        "outcome": np.full(count, "ok", dtype=object),
        "value": pd.array(np.arange(2, count + 2), dtype="Int64"),
        "host": ["load-1"] * count,
        "worker": worker,
        "source": np.where(locust, "locust", "swarm").astype(object),
        "attempts": np.ones(count, dtype=np.int64),
        "status": pd.array(np.full(count, 200), dtype="Int64"),
        "reason": np.full(count, "integer", dtype=object),
        "process": np.where(locust, "locust", "swarm-0").astype(object),
    }
    columns["source"][[0, -1]] = "runner"
    columns["worker"][[0, -1]] = columns["process"][[0, -1]] = "runner/0"
    if open_loop:
        lag = (random.exponential(0.0006, count) * 1e9).astype(np.int64)
        intended = pd.array(start - lag, dtype="Int64")
        intended[np.asarray(columns["source"]) != "swarm"] = pd.NA
        columns["intended_ns"] = intended
    return columns


def health_of(
    process: str,
    *,
    count: int = 60,
    cpu_share: float = 0.4,
    lag_ms: float = 0.7,
    connections: int = 50,
) -> list[HealthSample]:
    """Samples of one process, one each half second, about as busy and as late as is said."""
    random = np.random.default_rng(len(process))
    lags_ns = (lag_ms * 1e6 * random.lognormal(0, 0.3, count)).astype(int).tolist()
    shares = (cpu_share * random.uniform(0.8, 1.2, count)).tolist()
    return [
        sample(
            process,
            ORIGIN_NS + (order + 1) * SAMPLE_NS,
            cpu_ns=int(share * SAMPLE_NS),
            loop_lag_ns_p50=lag_ns,
            loop_lag_ns_max=9 * lag_ns,
            in_flight=connections - 2,
            connections=connections,
        )
        for order, (lag_ns, share) in enumerate(zip(lags_ns, shares, strict=True))
    ]


def operation_of(run: Run, row: int) -> dict[str, Any]:
    """Give one operation as evidence holds it."""
    found = run.frame.iloc[row].to_dict()
    plain = {
        name: None if pd.isna(value) else (int(value) if not isinstance(value, str) else value)
        for name, value in found.items()
    }
    return plain | {"row": row}


def evidence_of(run: Run, summary: str, *rows: int) -> Evidence:
    """Make evidence of some of a run's rows."""
    return Evidence(summary=summary, operations=tuple(operation_of(run, row) for row in rows))
