"""What must not change a judgement: how the record is cut, laid out, ordered and handed over."""

import dataclasses
import functools
import os
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis import effort, judge, record, scan, slots
from analysis.frame import frame_of
from analysis.judging import judge_run
from analysis.load import load_record
from analysis.record import TableRecord, whole
from analysis.run import Run
from analysis.verdict import Judgement
from history.operation import INT64_MAX
from tests.analysis.histories import FAR, drawn_histories, run_of_history
from tests.analysis.oracle import History, Request

EXAMPLES = int(os.environ.get("GAPLESS_ORACLE_EXAMPLES", "80")) // 10 + 1
HISTORIES = st.sampled_from(["reads", "re-sends", "together"]).flatmap(drawn_histories)


EVERYTHING = History(
    requests=(
        Request(start=0, end=3, value=1),
        Request(start=1, end=2, value=4),
        Request(start=4, end=5, value=1, host="b"),
        Request(start=9, end=8, value=2),
        Request(start=9, end=7, outcome="rejected"),
        Request(start=5, outcome="indeterminate", host="b"),
        Request(start=5, end=6, value=5, is_read=True, host="c"),
        Request(start=6, end=9, value=FAR, attempts=2),
        Request(start=6, end=9, value=-FAR),
        Request(start=7, outcome="indeterminate", is_read=True),
        Request(start=7, end=9, value=3, is_read=True),
        Request(start=8, end=9, value=2, host="c"),
        Request(start=8, end=8, outcome="rejected"),
        Request(start=8, outcome="indeterminate"),
    ),
    final=6,
    window=3,
    clocks={"": (0, 1), "b": (2, 0), "c": (-1, 1)},
)
"""Whatever can be wrong, more than once."""


def on_histories(test: Callable[[History], None]) -> Callable[[], None]:
    asked = settings(max_examples=EXAMPLES)(given(history=HISTORIES)(test))
    return example(history=EVERYTHING)(asked)


def afresh(run: Run) -> Run:
    """The same run, of which nothing has been looked at yet."""
    return dataclasses.replace(run)


def verdicts_and_counts(judgement: Judgement) -> object:
    return (
        judgement.operations,
        judgement.values,
        [
            (finding.check, finding.verdict, finding.counts, finding.evidence_total)
            for finding in judgement.findings
        ],
    )


def verdicts(judgement: Judgement) -> object:
    return [(finding.check, finding.verdict) for finding in judgement.findings]


@pytest.mark.parametrize(("rows", "values"), [(1, 1), (2, 3), (3, 2)])
def test_where_it_is_cut(rows: int, values: int) -> None:
    @on_histories
    def same(history: History) -> None:
        run = run_of_history(history)
        expected = judge_run(run)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(record, "BATCH_ROWS", rows)
            patch.setattr(effort, "BATCH_ROWS", rows)
            patch.setattr(slots, "CHUNK", values)
            assert judge_run(afresh(run)) == expected

    same()


@pytest.mark.parametrize("reached", [0, 1, 3])
def test_which_values_are_kept_aside(reached: int) -> None:
    """All of them, sorted, or those beyond the first few."""

    @on_histories
    def same(history: History) -> None:
        run = run_of_history(history)
        expected = judge_run(run)

        def filling(*, initial: int, expected: int) -> slots.Filling:
            return slots.Filling(initial=initial, expected=min(expected, reached))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scan, "Filling", filling)
            patch.setattr(slots, "CHUNK", 2)
            assert judge_run(afresh(run)) == expected

    same()


def test_in_which_order_the_rows_are() -> None:
    @settings(max_examples=EXAMPLES)
    @given(history=HISTORIES, shuffling=st.randoms(use_true_random=False))
    def same(history: History, shuffling: random.Random) -> None:
        requests = list(history.requests)
        shuffling.shuffle(requests)
        shuffled = dataclasses.replace(history, requests=tuple(requests))
        expected = verdicts_and_counts(judge_run(run_of_history(history)))
        assert verdicts_and_counts(judge_run(run_of_history(shuffled))) == expected

    same()


def moved(history: History, *, values: int = 0, times: Callable[[int], int] = int) -> History:
    """The same history with other numbers."""

    def moved_request(request: Request) -> Request:
        value = None if request.value is None else request.value + values
        end = None if request.end is None else times(request.end)
        return dataclasses.replace(request, start=times(request.start), end=end, value=value)

    return dataclasses.replace(
        history,
        requests=tuple(map(moved_request, history.requests)),
        base=history.base + values,
        final=None if history.final is None else history.final + values,
    )


@pytest.mark.parametrize(
    "origin", [-(2**63) + 3 * FAR, -FAR - 3, -4, 0, FAR, 2**63 - 3 * FAR], ids=lambda n: f"{n:.0e}"
)
def test_where_the_counter_began(origin: int) -> None:
    @on_histories
    def same(history: History) -> None:
        expected = verdicts(judge_run(run_of_history(moved(history, values=-history.base))))
        elsewhere = moved(history, values=origin - history.base)
        assert verdicts(judge_run(run_of_history(elsewhere))) == expected

    same()


@pytest.mark.parametrize("epoch", [-(2**62), -FAR, 2**62])
def test_where_the_clock_began(epoch: int) -> None:
    @on_histories
    def same(history: History) -> None:
        expected = verdicts_and_counts(judge_run(run_of_history(history)))
        elsewhere = moved(history, times=lambda time: time + epoch)
        assert verdicts_and_counts(judge_run(run_of_history(elsewhere))) == expected

    same()


def written(table: pa.Table, path: Path, row_group_size: int) -> Path:
    texts = [
        pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type)
        for f in table.schema
    ]
    plain = table.cast(pa.schema(texts))
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(plain, path)
    else:
        pq.write_table(plain, path, row_group_size=row_group_size)
    return path


def test_from_where_it_comes(tmp_path: Path) -> None:
    @settings(max_examples=EXAMPLES)
    @given(history=HISTORIES, size=st.integers(1, 3))
    def same(history: History, size: int) -> None:
        run = run_of_history(history)
        expected = judge_run(run)
        table = whole(run.record)
        if not table.num_rows:
            return
        for name in ("h.parquet", "h.csv"):
            stored = load_record(written(table, tmp_path / name, size))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(record, "BATCH_ROWS", size)
                assert judge_run(dataclasses.replace(run, record=stored)) == expected

    same()


def test_who_hands_it_over(tmp_path: Path) -> None:
    """A notebook's frame, a table and a file are judged as the command line judges."""

    @settings(max_examples=EXAMPLES)
    @given(history=HISTORIES, error=st.none() | st.integers(0, 4))
    def same(history: History, error: int | None) -> None:
        clocks = {} if error is None else dict.fromkeys(history.hosts, (0, error))
        history = dataclasses.replace(history, clocks=clocks)
        run = run_of_history(history)
        expected = judge_run(run)
        table = whole(run.record)
        if not table.num_rows:
            return
        ask = functools.partial(
            judge,
            initial=history.base,
            final=history.final,
            allow_unanswered=INT64_MAX,
            effect_window_ms=None if history.window is None else history.window / 1e6,
            clock_error_ms=None if error is None else error / 1e6,
        )
        frame = frame_of(run.record)
        for handed in (frame, table, written(table, tmp_path / "h.parquet", 2)):
            judged = ask(handed)
            assert judged.verdict is expected.verdict
            assert judged.findings == expected.findings

    same()


def test_a_table_of_pieces_is_one_history() -> None:
    run = run_of_history(
        History(
            requests=(
                Request(start=0, end=1, value=1),
                Request(start=2, end=3, value=1),
                Request(start=2, outcome="indeterminate"),
                Request(start=4, end=5, value=4),
            )
        )
    )
    table = whole(run.record)
    pieces = pa.concat_tables([table.slice(n, 1) for n in range(table.num_rows)])
    assert pc.sum(pieces["value"]).as_py() == 6
    assert judge_run(dataclasses.replace(run, record=TableRecord(pieces))) == judge_run(run)
