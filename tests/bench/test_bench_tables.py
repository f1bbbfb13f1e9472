"""Results as they are written down: the same cells for a terminal and for docs/."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from bench import burst, clients, lag, recording
from bench.__main__ import PAGE, WRITTEN, main
from bench.clients import Client, Cost
from bench.document import replaced, write_parts
from bench.lag import Lag, Load
from bench.machine import condition_notes
from bench.recording import Spent
from bench.tables import Table
from history.errors import UserError

TABLE = Table(
    title="Costs",
    columns=("client", "cost"),
    rows=(("ours", "1.50"), ("another", "12.00")),
    words=frozenset({"client"}),
    notes=("All of it.",),
)


def test_a_table_for_a_terminal() -> None:
    assert TABLE.text().splitlines() == [
        "Costs",
        "  client    cost",
        "  ours      1.50",
        "  another  12.00",
        "  All of it.",
    ]


def test_a_table_for_docs() -> None:
    assert TABLE.markdown() == (
        "Costs:\n\n"
        "| client | cost |\n|---|---:|\n| ours | 1.50 |\n| another | 12.00 |\n"
        "\nAll of it.\n"
    )


def test_a_row_has_a_cell_for_every_column() -> None:
    with pytest.raises(ValueError, match="2 columns"):
        Table(title="Costs", columns=("client", "cost"), rows=(("ours",),), words=frozenset())


def costs(*each: tuple[float, float]) -> list[Cost]:
    return [Cost(cost_s=cost_s, rate_per_s=10_000, server_share=busy) for cost_s, busy in each]


def client(name: str, *, target_s: float | None = None) -> Client:
    unused = Mock(side_effect=AssertionError)
    return Client(name=name, records="values", start=unused, check=unused, target_s=target_s)


def test_clients_stand_cheapest_first_beside_their_targets_and_wrk_of_the_same_round() -> None:
    measured = [client("fast", target_s=0.18), client("slow", target_s=0.95), client("wrk")]
    table = clients.table(
        measured,
        {
            # The second round was four times slower for all: the ratios are those of each round.
            "fast": costs((0.1, 0.5), (0.5, 0.5), (0.15, 0.5)),
            "slow": costs((2.0, 0.1), (9.0, 0.1), (2.2, 0.1)),
            "wrk": costs((0.1, 0.95), (0.4, 0.95), (0.1, 0.95)),
        },
        missing=["hey (apt-get install hey)"],
        conditions=["quiet"],
    )
    assert table.rows == (
        ("wrk", "0.100 (0.100 to 0.400)", "1.00", "", "", "10,000", "95% (!)", "values"),
        ("fast", "0.150 (0.100 to 0.500)", "1.25", "0.18", "1.98", "10,000", "50%", "values"),
        ("slow", "2.200 (2.000 to 9.000)", "22.00", "0.95", "10.44", "10,000", "10%", "values"),
    )
    limit = (
        "(!) the counter was busier than 90% of its core with wrk: the requests/s are its limit, "
        "not the client's; the CPU time is the client's own."
    )
    assert table.notes == (
        "Targets, as multiples of wrk in the same run: fast kept, slow missed.",
        "Not installed, not measured: hey (apt-get install hey).",
        limit,
        "quiet",
    )


def test_without_wrk_there_is_no_ratio_and_no_judgement() -> None:
    table = clients.table(
        [client("fast", target_s=0.18)],
        {"fast": costs((0.1, 0.5))},
        missing=[],
        conditions=[],
    )
    assert table.rows[0][2] == ""
    assert table.notes == (
        "Without wrk nothing says how fast this machine is: apt-get install wrk.",
    )


def lags(*p50_ms: float) -> list[Lag]:
    return [Lag(late_ms=(p50, 1.0, 2.0, 3.0), rate_per_s=500) for p50 in p50_ms]


def test_lag_is_judged_by_its_median_under_every_schedule() -> None:
    even, random = (Load(rate_per_s=500, arrivals=kind) for kind in ("uniform", "poisson"))
    table = lag.table(
        {
            (even, "swarm wire"): lags(0.05, 9.0, 0.06),
            (even, "swarm aiohttp"): lags(0.05, 0.06, 0.07),
            (random, "swarm wire"): lags(0.1, 0.1, 0.1),
            (random, "swarm aiohttp"): lags(0.11, 0.11, 0.12),
            (random, "timers of uvloop"): lags(0.5, 0.6, 0.7),
        },
        rounds=3,
        conditions=["quiet"],
    )
    assert table.rows[0] == (
        *("500", "uniform", "swarm wire"),
        *("0.06", "1.00", "2.00", "3.00", "500"),
    )
    assert table.notes[0] == (
        "Target, p50 of at most 0.1 ms under every schedule: swarm wire kept, swarm aiohttp missed."
    )
    assert table.notes[-1] == "quiet"


def test_recording_is_judged_by_its_cpu_time() -> None:
    table = recording.table(
        {
            "journal": [Spent(wall_ns=9_000, cpu_ns=1_400), Spent(wall_ns=3_000, cpu_ns=1_600)],
            "list": [Spent(wall_ns=900, cpu_ns=800)] * 2,
        },
        conditions=(),
    )
    assert table.rows == (
        ("journal", "6,000", "1,500", "< 2,000: kept"),
        ("list", "900", "800", ""),
    )


def test_a_burst_is_set_beside_what_it_is_better_than() -> None:
    table = burst.table({"steady": [0, 0, 3], "burst": [900, 2_000, 800]}, conditions=["quiet"])
    assert table.rows == (
        ("steady", "1 of 3", "0", "0", "3"),
        ("burst", "3 of 3", "900", "800", "2,000"),
    )
    assert table.notes == ("quiet",)


@pytest.mark.parametrize(
    ("loop_ms", "stolen", "others", "doubt"),
    [
        pytest.param([30, 31, 33], 0.01, 0.05, "", id="quiet"),
        pytest.param([30], 0.3, 0.0, "CPU was stolen", id="stolen"),
        pytest.param([30], 0.0, 0.5, "other processes ran", id="shared"),
        pytest.param([30, 40], 0.0, 0.0, "the machine's speed changed", id="throttled"),
        pytest.param(
            [30, 40],
            0.3,
            0.5,
            "CPU was stolen, other processes ran, the machine's speed changed",
            id="all at once",
        ),
    ],
)
def test_a_measurement_says_what_makes_it_doubtful(
    loop_ms: list[float], stolen: float, others: float, doubt: str
) -> None:
    said, *doubts = condition_notes(loop_ms, stolen=stolen, others=others)
    assert f"took {stolen:.1%} of a core" in said
    expected = f"Doubtful: {doubt}; run it again when the machine is quiet."
    assert doubts == ([expected] if doubt else [])


EXAMPLE = (
    "# Page\n<!-- a: begin -->\nold\n<!-- a: end -->\nby hand\n<!-- b: begin -->\n<!-- b: end -->\n"
)


def test_only_what_is_between_the_marks_is_replaced() -> None:
    assert replaced(EXAMPLE, "a", "new\n") == EXAMPLE.replace("old", "new")


def test_parts_are_written_all_or_none(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(EXAMPLE)
    with pytest.raises(UserError, match="<!-- c: begin -->"):
        write_parts(page, {"a": "1\n", "c": "2\n"})
    assert page.read_text() == EXAMPLE
    write_parts(page, {"a": "1\n", "b": "2\n"})
    assert page.read_text() == replaced(replaced(EXAMPLE, "a", "1\n"), "b", "2\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["clint"], "no such part: clint; there are judge, ", id="a part that is none"),
        pytest.param(
            ["clients", "--write"],
            "--write puts one run's figures together: ask for recording, lag, burst too",
            id="half a page",
        ),
    ],
)
def test_what_cannot_be_measured_is_said_at_once(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err


def test_the_page_has_a_place_for_everything_that_is_written() -> None:
    page = PAGE.read_text()
    for part in ("machine", *WRITTEN):
        assert "new\n" in replaced(page, f"bench {part}", "new\n")
