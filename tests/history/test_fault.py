"""Faults are asked for by name and amount."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.__main__ import BEHAVIOURS
from history.fault import FAULTS, Fault, FaultSpec, Unit, parse_fault


@pytest.mark.parametrize(
    ("text", "amount", "again"),
    [
        pytest.param("none", 0.0, "none", id="no amount"),
        pytest.param("resend", 0.01, "resend:0.01", id="its default"),
        pytest.param("resend:0.00001", 1e-5, "resend:1e-05", id="a rare one"),
        pytest.param("resend:0", 0.0, "resend:0", id="never"),
        pytest.param("lost-update:1", 1.0, "lost-update:1", id="always"),
        pytest.param("cache:2.5", 2.5, "cache:2.5", id="milliseconds"),
        pytest.param("blocks:20", 20.0, "blocks:20", id="a count"),
        pytest.param("slow-start", 3.0, "slow-start:3", id="seconds"),
    ],
)
def test_specs(text: str, amount: float, again: str) -> None:
    spec = parse_fault(text)
    assert spec.amount == amount
    assert spec.text == again
    assert parse_fault(spec.text) == spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "one of none, lost-update"),
        ("resent", "one of none, lost-update"),
        ("none:1", "none without an amount"),
        ("resend:", "resend:AMOUNT, an amount from 0 to 1 (of all requests)"),
        ("resend:1.01", "resend:AMOUNT, an amount from 0 to 1 (of all requests)"),
        ("resend:-1", "resend:AMOUNT, an amount from 0 to 1 (of all requests)"),
        ("resend:nan", "resend:AMOUNT, an amount from 0 to 1 (of all requests)"),
        ("cache:0", "cache:AMOUNT, an amount from 0.001 to 60,000 (ms)"),
        ("blocks:2.5", "blocks:AMOUNT, a whole amount (numbers)"),
        ("blocks:0", "blocks:AMOUNT, an amount from 1 to 1,000,000 (numbers)"),
    ],
)
def test_wrong_specs_say_what_is_expected(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(expected)):
        parse_fault(text)


@given(st.sampled_from([f for f in FAULTS.values() if f.unit is Unit.SHARE]), st.floats(0, 1))
def test_a_spec_can_be_asked_for_again(fault: Fault, amount: float) -> None:
    spec = FaultSpec(fault=fault, amount=amount)
    assert parse_fault(spec.text).amount == pytest.approx(amount, rel=1e-9)


def test_words() -> None:
    assert parse_fault("none").words == "passes every request and every answer on as it is"
    assert parse_fault("drop:0.02").words.endswith("of the answers (2 % of all requests)")
    assert parse_fault("cache").words.endswith("after the last answer (5 ms)")
    assert [spec.changes_nothing for spec in map(parse_fault, ("none", "drop:0", "drop"))] == [
        True,
        True,
        False,
    ]


def test_a_default_lies_within_bounds() -> None:
    with pytest.raises(ValueError, match="odd: 2 is no amount in of all requests"):
        Fault(name="odd", meaning="", unit=Unit.SHARE, default=2)


def test_every_fault_has_a_behaviour() -> None:
    assert list(BEHAVIOURS) == list(FAULTS)
