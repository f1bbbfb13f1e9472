"""Jepsen's histories: what each kind of entry becomes, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.imports.functions import FUNCTIONS
from analysis.imports.jepsen import read
from history.errors import EXIT_USAGE, UserError
from history.operation import Returns

SHOWN = ("kind", "start_ns", "end_ns", "outcome", "value", "delta")


def edn(*events: str) -> str:
    """Write events given as "type process f value [time]"."""
    lines = []
    for event in events:
        kind, process, f, value, *time = event.split()
        stamp = f", :time {time[0]}" if time else ""
        lines.append(f"{{:type :{kind}, :process {process}, :f :{f}, :value {value}{stamp}}}")
    return "\n".join(lines)


def rows(path: Path, text: str) -> list[tuple[Any, ...]]:
    path.write_text(text)
    table = read(path).table
    return list(zip(*(table.column(name).to_pylist() for name in SHOWN), strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            edn("invoke 0 inc nil 10", "ok 0 inc 7 20"),
            [("increment", 10, 20, "ok", "7", None)],
            id="the answer of inc is not what was asked: a value",
        ),
        pytest.param(
            edn("invoke 0 inc 1 10", "ok 0 inc 1 20"),
            [("increment", 10, 20, "ok", None, 1)],
            id="the answer repeats what was asked: no value",
        ),
        pytest.param(
            edn("invoke 0 inc 1 1", "ok 0 inc 1 2", "invoke 0 inc 1 3", "ok 0 inc 2 4"),
            [("increment", 1, 2, "ok", "1", None), ("increment", 3, 4, "ok", "2", None)],
            id="one answer differs, so all of that function are values",
        ),
        pytest.param(
            edn("invoke 0 inc nil 1", "ok 0 inc nil 2"),
            [("increment", 1, 2, "ok", None, 1)],
            id="no answer's value",
        ),
        pytest.param(
            edn("invoke 0 add 5 1", "ok 0 add 5 2", "invoke 1 add -3 1", "ok 1 add -3 2"),
            [("increment", 1, 2, "ok", None, 5), ("decrement", 1, 2, "ok", None, -3)],
            id="adds of any size",
        ),
        pytest.param(
            edn("invoke 0 dec 2 1", "ok 0 dec 2 2", "invoke 0 dec -2 3", "ok 0 dec -2 4"),
            [("decrement", 1, 2, "ok", None, -2), ("increment", 3, 4, "ok", None, 2)],
            id="a decrement by less than nothing adds",
        ),
        pytest.param(
            edn("invoke 0 add 5 1", "info 0 add 5 2", "invoke 1 add 1 1", "info 1 add 1 2"),
            [
                ("increment", 1, None, "indeterminate", None, 5),
                ("increment", 1, None, "indeterminate", None, None),
            ],
            id="perhaps",
        ),
        pytest.param(
            edn("invoke 0 add 5 1", "fail 0 add 5 2"),
            [("increment", 1, 2, "rejected", None, None)],
            id="certainly not",
        ),
        pytest.param(
            edn("invoke 0 read nil 1", "ok 0 read 4 2", "invoke 1 read nil 3", "info 1 read nil 4"),
            [("read", 1, 2, "ok", "4", None), ("read", 3, None, "indeterminate", None, None)],
            id="reads",
        ),
        pytest.param(
            edn("invoke 0 getAndIncrement nil 1", "ok 0 getAndIncrement 0 2"),
            [("increment", 1, 2, "ok", "1", None)],
            id="the value before becomes that after",
        ),
        pytest.param(
            edn("invoke 0 fetch-and-sub nil 1", "ok 0 fetch-and-sub 5 2"),
            [("decrement", 1, 2, "ok", "4", None)],
            id="the value before a decrement",
        ),
        pytest.param(
            edn("invoke 0 add-and-get 5 1", "ok 0 add-and-get 5 2"),
            [("increment", 1, 2, "ok", None, 5)],
            id="the answer of an add of more than 1 is not used",
        ),
        pytest.param(
            edn("invoke 0 inc nil 1", f"ok 0 inc {10**30} 2"),
            [("increment", 1, 2, "ok", str(10**30), None)],
            id="an answer of any size is kept",
        ),
        pytest.param(
            edn("invoke 0 inc nil", "invoke 1 inc nil", "ok 1 inc 1", "ok 0 inc 2"),
            [("increment", 0, 3, "ok", "2", None), ("increment", 1, 2, "ok", "1", None)],
            id="without times the order is the clock",
        ),
        pytest.param(
            "{:type :ok :process 0 :f :inc :value 2 :index 2}\n"
            "{:type :invoke :process 0 :f :inc :value nil :index 1}\n",
            [("increment", 0, 1, "ok", "2", None)],
            id="entries are sorted by index",
        ),
    ],
)
def test_rows(tmp_path: Path, text: str, expected: list[tuple[Any, ...]]) -> None:
    assert rows(tmp_path / "h.edn", text) == expected


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (
            "{:type :info, :f :start, :process :nemesis}\n{:type :log, :process 3, :f :add}",
            "left out: 2 entries (1, 2) of no client (a nemesis, a log)",
        ),
        (
            edn("invoke 0 add 1 1", "invoke 0 add 1 2", "ok 0 add 1 3"),
            "taken as indeterminate: 1 invocation (1) without a completion",
        ),
        (
            edn("ok 0 inc 3 5"),
            "taken as sent at the beginning: 1 completion (1) without an invocation",
        ),
        (
            edn("invoke 0 read nil 1", "ok 0 read nil 2"),
            "left out: 1 read (1) without a value, which tells nothing",
        ),
        (
            edn("invoke 0 add 0 1", "ok 0 add 0 2"),
            "left out: 1 add (1) of 0, which changes nothing",
        ),
        (
            edn("invoke 0 addAndGet 2 1", "ok 0 addAndGet 9 2"),
            "not used: 1 answer (1) to an add of more than 1: what it added was kept instead",
        ),
        (
            edn("invoke 0 inc nil", "ok 0 inc 9"),
            "not every entry has a :time: their order was taken as the clock",
        ),
        (
            edn("invoke 0 inc nil 1", "ok 0 inc 9 2"),
            (
                "the answers of inc were taken as the counter's values: some differ from what was "
                "asked"
            ),
        ),
        (
            edn("invoke 0 generate nil 1", "ok 0 generate 9 2"),
            "ids need only differ: what other checks than unique say holds if they are a counter's",
        ),
        (
            edn("invoke 0 faa nil 1", "ok 0 faa 9 2"),
            (
                "what fetch-and-add and its like answered, the value before, was turned into that "
                "after"
            ),
        ),
    ],
)
def test_what_was_left_out_or_assumed_is_said(tmp_path: Path, text: str, note: str) -> None:
    path = tmp_path / "h.edn"
    path.write_text(text)
    assert note in read(path).notes


def test_a_plain_history_needs_no_note(tmp_path: Path) -> None:
    path = tmp_path / "h.edn"
    path.write_text(edn("invoke 0 add 1 1", "ok 0 add 1 2", "invoke 0 read nil 3", "ok 0 read 1 4"))
    assert read(path).notes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{:type :invoke :process 0 :f :cas :value [1 2]}", r"entry 1: found :f 'cas', expected"),
        (edn("invoke 0 add [3,1]", "ok 0 add [3,1]"), r"found :value '\(3, 1\)', expected an int"),
        (edn("invoke 0 inc nil", 'ok 0 inc "n1"'), r"entry 2: found :value 'n1', expected an int"),
        (edn("invoke 0 read nil", "ok 0 read true"), r"found :value 'True', expected an integer"),
        (edn("invoke 0 add 1", "ok 0 read 1"), r"entry 2: found a completion of read, expected"),
        (edn(f"invoke 0 add {2**63} 1", "ok 0 add nil 2"), r"for delta, expected an integer of at"),
        (edn(f"invoke 0 inc 1 {2**63}"), r"for start_ns, expected an integer of at most 64 bits"),
        ("{:a 1}", r"entry 1: found .*, expected a map with :type"),
        ("[1 2]", r"entry 1: found '1', expected a map"),
        ('[{"type": "invoke"', r"expected JSON"),
        ('{"type": "ok", "process": 0, "f": "inc", "value": 1.5}', r"found :value '1.5', expected"),
    ],
)
def test_what_is_no_counters_history(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "h.edn"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("as_lines", [True, False], ids=["one a line", "an array"])
def test_json_is_read_like_edn(tmp_path: Path, *, as_lines: bool) -> None:
    events = [
        {"type": "invoke", "process": 0, "f": "inc", "value": None, "time": 5, "index": 0},
        {"type": "info", "process": "nemesis", "f": "kill", "value": None, "time": 6, "index": 1},
        {"type": "ok", "process": 0, "f": "inc", "value": 2**60 + 1, "time": 7, "index": 2},
    ]
    text = "\n".join(map(json.dumps, events)) if as_lines else json.dumps(events, indent=1)
    expected = [("increment", 5, 7, "ok", str(2**60 + 1), None)]
    assert rows(tmp_path / "h.json", text) == expected


def test_every_function_is_found_by_its_key() -> None:
    assert all(name == name.lower() and name.isalnum() for name in FUNCTIONS)


def test_returns_must_not_contradict_the_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.edn"
    path.write_text(edn("invoke 0 faa nil 1", "ok 0 faa 0 2"))
    assert read(path).returns is Returns.NEW
    assert main(["verify", str(path), "--returns", "new"]) == 0
    assert main(["verify", str(path), "--returns", "old"]) == EXIT_USAGE
    assert "--returns old: the functions named in" in capsys.readouterr().err
    path.write_text(edn("invoke 0 inc nil 1", "ok 0 inc 0 2"))
    assert read(path).returns is None
    assert main(["verify", str(path), "--returns", "old"]) == 0
