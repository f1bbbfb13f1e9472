"""The record of the clients' health: what is written is read, and damage costs only itself."""

from pathlib import Path

import pytest

from history.health import (
    FIELDS,
    MEANINGS,
    SUFFIX,
    HealthLog,
    HealthSample,
    read_health,
    read_logs,
    write_health,
)
from tests.runs import REPOSITORY, sample

SAMPLES = [
    sample("locust-0", 2**63 - 1, cpu_ns=3, in_flight=20, connections=20),
    sample("swarm-0", 500, loop_lag_ns_p50=7, loop_lag_ns_max=9, queued=4),
    sample("swarm-0", 1_000),
]


def logged(folder: Path, samples: list[HealthSample]) -> None:
    for process in {found.process for found in samples}:
        log = HealthLog(folder / f"{process}{SUFFIX}")
        for found in samples:
            if found.process == process:
                log.append(found)
        log.close()


def test_samples_go_through_logs_and_csv_unchanged(tmp_path: Path) -> None:
    logged(tmp_path, SAMPLES)
    assert read_logs(tmp_path) == SAMPLES
    write_health(SAMPLES, tmp_path / "health.csv")
    assert list(read_health(tmp_path / "health.csv")) == SAMPLES
    heading = (tmp_path / "health.csv").read_text().splitlines()[0]
    assert heading.split(",") == list(FIELDS) == list(MEANINGS)


def test_the_readme_names_every_column() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    assert all(f"`{name}`" in readme for name in FIELDS)


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    logged(tmp_path, SAMPLES)
    path = tmp_path / f"swarm-0{SUFFIX}"
    path.write_bytes(path.read_bytes()[:-20])
    assert read_logs(tmp_path) == SAMPLES[:2]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("swarm-0,1,2", id="short"),
        pytest.param("swarm-0,1,2,3,4,5,6,7,8,9", id="long"),
        pytest.param("swarm-0,1,2,3,4,5,6,7,many", id="no number"),
        pytest.param("swarm-0,1,2,3,4,5,6,7,", id="a blank"),
        pytest.param("swarm-0,1,2,3,-4,5,6,7,8", id="negative"),
        pytest.param(f"swarm-0,{2**63},2,3,4,5,6,7,8", id="more than 64 bits"),
        pytest.param("\x00\ufffd", id="damage"),
    ],
)
def test_a_damaged_row_costs_only_itself(tmp_path: Path, row: str) -> None:
    path = tmp_path / "health.csv"
    write_health(SAMPLES, path)
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([first, row, *rest]) + "\n")
    assert list(read_health(path)) == SAMPLES


def test_a_run_of_before_there_was_one_has_none(tmp_path: Path) -> None:
    assert read_health(tmp_path / "health.csv") == ()
