"""Hypothesis strategies for histories, shared by the tests of the record and of the checks."""

from hypothesis import strategies as st

from history.operation import Kind, Operation, Outcome

INT64 = st.integers(-(2**63) + 1, 2**63 - 2)
TIMES = st.integers(0, 2**62)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    """Any operation that the record can hold."""
    outcome = draw(st.sampled_from(Outcome))
    start_ns = draw(TIMES)
    answered = outcome is not Outcome.INDETERMINATE or draw(st.booleans())
    return Operation(
        kind=draw(st.sampled_from(Kind)),
        start_ns=start_ns,
        end_ns=start_ns + draw(st.integers(0, 10**12)) if answered else None,
        outcome=outcome,
        value=draw(INT64) if outcome is Outcome.OK else None,
        intended_ns=draw(st.none() | TIMES),
        attempts=draw(st.integers(0, 3)) if answered else 1,
        status=draw(st.none() | st.integers(100, 599)) if answered else None,
    )
