"""The EDN reader: what Clojure writes, and what nobody should."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.imports.edn import DEPTH_MAX, TOKEN_CHARACTERS_MAX, values
from history.errors import UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ; only a comment", []),
        ("{:type :ok, :value 3} {:a nil}", [{"type": "ok", "value": 3}, {"a": None}]),
        ("[{:a 1} {:a 2}]", [{"a": 1}, {"a": 2}]),
        ("({:a 1})", [{"a": 1}]),
        ("#jepsen.history[{:a 1}]", [{"a": 1}]),
        ("#jepsen.history.Op{:index 0}", [{"index": 0}]),
        ("[[1 [2]] #{3} {:k (4)}]", [(1, (2,)), (3,), {"k": (4,)}]),
        ("[1 #_ 2 #_ #_ 3 4 5]", [1, 5]),
        ("#_[1 2] 3", [3]),
        ("#_ #tag 5 #tag #_ 6 7", [7]),
        ("-7 +7 8N 9223372036854775808", [-7, 7, 8, 2**63]),
        ("1.5 22/7 1e9 ##Inf", ["1.5", "22/7", "1e9", "##Inf"]),
        ("nil true false nilly", [None, True, False, "nilly"]),
        (":a/b get-and-inc my.ns/f :x.y/z", ["a/b", "get-and-inc", "my.ns/f", "x.y/z"]),
        (r'"a\n\"b\" \u00e9\\" \newline \a \[ \u0041', ['a\n"b" é\\', "\n", "a", "[", "u0041"]),
        ('#inst "2026-11-23" #uuid "f81d"', ["2026-11-23", "f81d"]),
        ("{{:a 1} 2, [1] 3}", [{"{'a': 1}": 2, (1,): 3}]),
        ("1,2,,3 ; four\n5", [1, 2, 3, 5]),
    ],
)
def test_values(text: str, expected: list[object]) -> None:
    assert list(values(text, "f")) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{:a 1", r"f:1: found the end of the file, expected what line 1 opens to be closed"),
        ("1\n{:a\n [2}", r"f:3: found '}' that closes nothing"),
        ("]", r"f:1: found '\]' that closes nothing"),
        ("{:a}", r"f:1: found a map with a key without a value"),
        ('1\n"open', r"f:2: found '\"open', expected EDN"),
        ("^{:m 1} x", r"f:1: found '\^\{:m 1\} x', expected EDN"),
        ("[1 #_]", r"f:1: found '\]' after a tag"),
        ("#tag", r"f:1: found the end of the file, expected a value after a tag"),
        ("\\", r"f:1: found .*, expected EDN"),
        ("[" * 10**6, rf"f:1: found brackets {DEPTH_MAX + 1} deep"),
        ("{:a " * 10**5, rf"f:1: found brackets {DEPTH_MAX + 1} deep"),
        ("#_" * 10**6, rf"f:1: found {DEPTH_MAX + 1} prefixes in a row"),
        ("x" * 10**7, r"f:1: found a token of 10,000,000 characters"),
        ('"' + "x" * 10**7 + '"', r"f:1: found a token of 10,000,002 characters"),
        ('"' + "\\n" * 10**6, r"f:1: found .*, expected EDN"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_edn_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        list(values(text, "f"))
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_the_deepest_and_the_longest_that_are_read() -> None:
    deep = "[" * DEPTH_MAX + "]" * DEPTH_MAX
    assert len(list(values(deep, "f"))) == 1
    assert list(values("x" * TOKEN_CHARACTERS_MAX, "f")) == ["x" * TOKEN_CHARACTERS_MAX]


def written(value: object) -> str:
    """Write a value as Clojure does."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f":{key} {written(part)}" for key, part in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + " ".join(map(written, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=6,
)


@settings(max_examples=50)
@given(st.lists(VALUES.filter(lambda value: not isinstance(value, tuple)), max_size=4))
def test_what_was_written_is_read(wanted: list[object]) -> None:
    assert list(values("\n".join(map(written, wanted)), "f")) == wanted
    assert list(values(written(tuple(wanted)), "f")) == wanted


@given(st.text(alphabet='{}[]()#_:\\"; a1^\n', max_size=30))
def test_any_text_is_values_or_one_sentence(text: str) -> None:
    told = ""
    try:
        list(values(text, "f"))
    except UserError as error:
        told = str(error)
    assert "\n" not in told
