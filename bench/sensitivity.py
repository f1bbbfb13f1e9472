"""Write a measurement of sensitivity down: its tables and figures, in docs/.

    make sensitivity RUNS=5
    python -m bench sensitivity FOLDER [--write]

It judges the stored measurement again, as python -m analysis sensitivity does, and measures
nothing itself.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.report import charts, formats
from analysis.report import sensitivity_figures as figures
from analysis.report import sensitivity_tables as tables
from analysis.report.aligned import cells, markdown
from analysis.report.plots import Plot, Size
from analysis.report.sensitivity import lines
from analysis.report.tables import Table
from analysis.sensitivity.folder import find_measurement, judge_measurement
from analysis.sensitivity.result import Sensitivity
from bench.document import write_parts
from history.series import Series, read_series
from runner.provenance import REPOSITORY

PAGE = REPOSITORY / "docs" / "sensitivity.md"
BY_RATE, SHORTER = "sensitivity.svg", "sensitivity-shorter.svg"


def main(arguments: Sequence[str]) -> int:
    """Judge, print, and with --write put tables and figures into docs/."""
    parser = argparse.ArgumentParser(
        prog="python -m bench sensitivity",
        description=(__doc__ or "").splitlines()[0],
        epilog="example: python -m bench sensitivity sensitivity-20261128T060838Z-f4de535 --write",
    )
    parser.add_argument("folder", metavar="FOLDER", help="a measurement's folder, or its name")
    parser.add_argument("--write", action="store_true", help=f"put the result into {PAGE.name}")
    options = parser.parse_args(arguments)
    folder = find_measurement(REPOSITORY / "reports", options.folder)
    result = judge_measurement(folder, say=lambda line: print(line, file=sys.stderr))
    print(lines(result))
    if options.write and result.exit_code == 0:
        write(PAGE, read_series(folder.series), result)
        print(f"written: {PAGE.relative_to(REPOSITORY)}")
    elif options.write:
        print("not written: the measurement is not whole, or has a false alarm")
    return result.exit_code


def write(page: Path, series: Series, result: Sensitivity) -> None:
    """Put tables into a page of docs/ and the figures beside it."""
    write_parts(
        page,
        {
            "sensitivity conditions": f"{_conditions(series, result)}\n",
            "sensitivity detection": _told(tables.detection(result), _agreement(result)),
            "sensitivity chances": _told(tables.chances(result)),
        },
    )
    _draw(page.parent / BY_RATE, figures.by_rate(result))
    if figures.has_shorter(result):
        _draw(page.parent / SHORTER, figures.by_expected(result))


def _conditions(series: Series, result: Sensitivity) -> str:
    load = series.load
    requests = sum(one.requests for one in result.runs)
    engine = f" ({series.engine})" if series.engine else ""
    return (
        f"{formats.counted(len(result.runs), 'run')} of {load.duration_s} s, {requests:,} requests "
        f"in all: {load.users} Locust users and {load.connections} connections of the swarm "
        f"({load.transport}), target {series.target}{engine}, everything on {series.cpu_count} "
        f"cores, {series.started_utc[:10]}."
    )


def _agreement(result: Sensitivity) -> str:
    compared = result.compared
    outside = sum(one.disagrees for one in compared)
    return (
        f"Of {formats.counted(len(compared), 'figure')} of the model, for whole runs and for "
        f"windows of every length, {outside} {'lies' if outside == 1 else 'lie'} outside the 95 % "
        f"interval of what was measured; {tables.MARK} marks those of whole runs."
    )


def _told(table: Table, *notes: str) -> str:
    text = f"{table.caption}:\n\n{markdown(*cells(table))}" + "".join(f"\n{n}\n" for n in notes)
    return text.replace("\u00a0", " ")


def _draw(path: Path, plot: Plot) -> None:
    """Draw for a page that may be dark around it."""
    svg = charts.draw(plot, Size.WIDE)
    path.write_bytes(svg.replace(b"<svg ", b'<svg style="background: #fff" ', 1))
