"""Runs and histories built from literal rows."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis.cells import typed_batch
from analysis.record import TableRecord
from analysis.run import Run
from history.health import SAMPLE_NS, HealthSample
from history.manifest import KnownValue, Load, Manifest, ProcessRecord
from history.operation import Returns

REPOSITORY = Path(__file__).resolve().parent.parent


def new_manifest(*, run_id: str = "run", processes: Sequence[str] = ("swarm-0",)) -> Manifest:
    """A manifest of a run that has begun and not ended."""
    unknown = KnownValue(value=None, how="not known yet")
    return Manifest(
        run_id=run_id,
        started_utc="2026-01-02T03:04:05.678Z",
        target="url",
        url="http://127.0.0.1:1/",
        load=Load(
            duration_s=30,
            users=20,
            spawn_rate_per_s=20,
            connections=50,
            rate_per_s=0,
            processes=1,
            timeout_s=10,
        ),
        initial=KnownValue(value=1, how="PUT"),
        final=unknown,
        processes=tuple(
            ProcessRecord(
                process=name,
                source=name.split("-")[0],
                exit_state="ended",
                journal_records=0,
                closed_records=None,
            )
            for name in processes
        ),
    )


def run_of(rows: Sequence[dict[str, Any]], **fields: Any) -> Run:
    """A Run of these rows; what a row leaves out is as in a history file."""
    names = sorted({name for row in rows for name in row} | {"start_ns", "outcome"})
    cells = {
        name: pa.array(["" if row.get(name) is None else str(row[name]) for row in rows])
        for name in names
    }
    cells = {name: cell.cast(pa.string()) for name, cell in cells.items()}
    batch = typed_batch(cells, len(rows), where="rows", first_row=1)
    record = TableRecord(pa.Table.from_batches([batch]))
    known: dict[str, Any] = {"run_id": "rows", "initial": 0, "final": None}
    return Run(record=record, **(known | {"returns": Returns.NEW} | fields))


def ok(start_ns: int, end_ns: int, value: int, **more: Any) -> dict[str, Any]:
    """An answered increment."""
    return {
        "start_ns": start_ns,
        "end_ns": end_ns,
        "outcome": "ok",
        "value": value,
    } | more


def lost(start_ns: int, **more: Any) -> dict[str, Any]:
    """An increment that got no answer."""
    return {"start_ns": start_ns, "outcome": "indeterminate"} | more


def read(start_ns: int, end_ns: int, value: int) -> dict[str, Any]:
    """An answered read."""
    return ok(start_ns, end_ns, value, kind="read")


def recorded(rows: list[dict[str, Any]], **changes: Any) -> Run:
    """A run of two generators that went well, but for the changes."""
    manifest = new_manifest(processes=("swarm-0", "locust-0"))
    counts = {name: sum(row["process"] == name for row in rows) for name in ("swarm-0", "locust-0")}
    manifest = manifest.replace(
        sealed=True,
        final=KnownValue(value=len(rows), how="GET"),
        initial=KnownValue(value=0, how="PUT"),
        processes=tuple(
            dataclasses.replace(
                process,
                journal_records=counts[process.process],
                closed_records=counts[process.process],
            )
            for process in manifest.processes
        ),
    )
    return run_of(rows, final=len(rows), manifest=manifest.replace(**changes))


def busy(count: int = 2_000, *, overlapping: bool = True) -> list[dict[str, Any]]:
    """Answered increments of 50 connections and 20 users, each sent 10 ns after the last."""
    rows = []
    for n in range(count):
        source = "swarm" if n % 2 else "locust"
        end = 10 * n + (15 if overlapping else 5)
        worker = n // 2 % (50 if n % 2 else 20)
        rows.append(
            ok(
                10 * n,
                end,
                n + 1,
                source=source,
                process=f"{source}-0",
                worker=f"{source}-0/{worker}",
            )
        )
    return rows


def sample(process: str, at_ns: int, **more: Any) -> HealthSample:
    """A health sample of half a second in which a process did next to nothing, but for more."""
    quiet: dict[str, Any] = {
        "interval_ns": SAMPLE_NS,
        "cpu_ns": 0,
        "loop_lag_ns_p50": 0,
        "loop_lag_ns_max": 0,
        "in_flight": 0,
        "queued": 0,
        "connections": 0,
    }
    return HealthSample(process=process, at_ns=at_ns, **(quiet | more))
