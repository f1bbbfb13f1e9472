"""What is read of others is never narrower than the truth, and whatever is read ends well."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.imports import k6, locust
from analysis.load import load_imported
from history.errors import UserError
from tests.analysis.corpora import FOLDER

NOON = 1_795_348_800 * 10**9
STARTS = st.integers(NOON, NOON + 10**10)
DURATIONS = st.integers(1000, 3 * 10**9)
K6_HEADING = "metric_name,timestamp,metric_value,extra_tags\n"
LOCUST_HEADING = "start_time,response_time,value,status_code\n"
SEEDS = [
    *(path.read_bytes() for path in sorted(FOLDER.glob("*l*.edn"))),
    b'[{"type":"invoke","f":"inc","process":0,"time":5,"value":null}]',
    b'{"code":200,"timestamp":"2026-11-22T12:00:00Z","latency":5,"body":"MQ==","seq":1}\n',
    b"1795348800000000000,200,7,0,1,,MQ==,a,0,GET,http://x,\n",
    b'{"type":"Point","metric":"op","data":{"time":"2026-11-22T12:00:00Z","tags":{"value":"1"}}}\n',
    K6_HEADING.encode() + b"op,1795348800,1.0,value=1&start=1795348799000\nvalue,1,2,\n",
    LOCUST_HEADING.encode() + b"1795348800.5,12.25,7,200\n",
    b"kind,start_ns,end_ns,outcome,value\nincrement,0,1,ok,1\n",
    b'{"start_ns": 0, "end_ns": 1, "outcome": "ok", "value": 1}\n',
]
PIECES = [b'"', b"{", b"}", b"[", b"]", b",", b"\n", b"\r", b"\0", b"\xff", b"null", b"-1", b"1e99"]
PIECES += [b"9" * 30, b":", b"NaN", b'"\\ud800"', b"#_", b"{}", b".", b"=", b"&", b""]


@settings(max_examples=50)
@given(start_ns=STARTS, took_ns=DURATIONS, digits=st.sampled_from([0, 3, 6, 9]))
def test_k6_points_hold_the_truth(
    tmp_path_factory: pytest.TempPathFactory, start_ns: int, took_ns: int, digits: int
) -> None:
    end_ns = start_ns + took_ns
    path = tmp_path_factory.getbasetemp() / "k.csv"
    stamp, tag = end_ns // 10 ** (9 - digits), start_ns // 10**6
    path.write_text(f"{K6_HEADING}op,{stamp},1.0,value=7&start={tag}\n")
    table = k6.read(path).table
    assert table.column("start_ns")[0].as_py() <= start_ns
    assert end_ns <= table.column("end_ns")[0].as_py() < end_ns + 10 ** (9 - digits)


@settings(max_examples=50)
@given(start_ns=STARTS, took_ns=DURATIONS, rounded=st.sampled_from([None, 2, 0]))
def test_locust_rows_hold_the_truth(
    tmp_path_factory: pytest.TempPathFactory, start_ns: int, took_ns: int, rounded: int | None
) -> None:
    path = tmp_path_factory.getbasetemp() / "l.csv"
    took_ms = took_ns / 10**6
    took_ms = took_ms if rounded is None else round(took_ms, rounded)
    path.write_text(f"{LOCUST_HEADING}{start_ns / 10**9!r},{took_ms!r},7,200\n")
    table = locust.read(path).table
    assert table.column("start_ns")[0].as_py() <= start_ns
    assert table.column("end_ns")[0].as_py() >= start_ns + took_ns


@settings(max_examples=100, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    cuts=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 20), st.sampled_from(PIECES)), max_size=3
    ),
    suffix=st.sampled_from([".csv", ".jsonl", ".json", ".edn"]),
)
def test_any_damage_is_a_history_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory,
    seed: bytes,
    cuts: list[tuple[float, int, bytes]],
    suffix: str,
) -> None:
    for where, length, piece in cuts:
        at = int(where * len(seed))
        seed = seed[:at] + piece + seed[at + length :]
    path: Path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    path.write_bytes(seed)
    told = ""
    try:
        load_imported(path)
    except UserError as error:
        told = str(error)
    assert "\n" not in told
    assert len(told) < 1000
