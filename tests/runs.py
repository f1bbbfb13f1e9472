"""Runs and histories built from literal rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis.cells import typed_frame
from analysis.run import Run
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
    frame = typed_frame(cells, len(rows), where="rows", first_row=1)
    known: dict[str, Any] = {"run_id": "rows", "initial": 0, "final": None}
    return Run(frame=frame, **(known | {"returns": Returns.NEW} | fields))


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
