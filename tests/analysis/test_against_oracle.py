"""The four checks together are exactly linearizability: compared with brute force."""

import os
from collections.abc import Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.checks import bounded, gap_free, ordered, unique
from analysis.verdict import Verdict
from history.operation import Returns
from tests.analysis.oracle import Completed, linearizable
from tests.runs import lost, ok, read, run_of

EXAMPLES = int(os.environ.get("GAPLESS_ORACLE_EXAMPLES", "400"))
"""A few seconds of them in every test run; 4,000 took five minutes and agreed on all."""
TIMES = st.integers(0, 14)


@st.composite
def arbitrary(draw: st.DrawFn) -> tuple[list[Completed], list[int]]:
    """Anything at all: mostly wrong."""
    completed = [
        Completed(start, start + draw(st.integers(0, 8)), draw(st.integers(0, 6)), is_read)
        for start, is_read in draw(
            st.lists(st.tuples(TIMES, st.sampled_from([False, False, False, True])), max_size=6)
        )
    ]
    return completed, draw(st.lists(TIMES, max_size=3))


@st.composite
def nearly_right(draw: st.DrawFn) -> tuple[list[Completed], list[int]]:
    """A correct history: effects at instants within intervals; then one thing is bent."""
    instants = sorted(draw(st.lists(TIMES, max_size=7)))
    completed, uncertain, counter = [], [], 0
    for instant in instants:
        start = instant - draw(st.integers(0, 4))
        end = instant + draw(st.integers(0, 4))
        kind = draw(st.sampled_from(["ok", "ok", "ok", "read", "applied", "never"]))
        counter += kind in {"ok", "applied"}
        if kind in {"ok", "read"}:
            completed.append(Completed(start, end, counter, kind == "read"))
        else:
            uncertain.append(start)
    if completed and draw(st.booleans()):
        at = draw(st.integers(0, len(completed) - 1))
        bent = completed[at]
        match draw(st.sampled_from(["value", "start", "end", "drop", "twice"])):
            case "value":
                value = bent.value + draw(st.sampled_from([-1, 1]))
                completed[at] = Completed(bent.start, bent.end, value, bent.is_read)
            case "start":
                completed[at] = Completed(bent.end, bent.end, bent.value, bent.is_read)
            case "end":
                completed[at] = Completed(bent.start, bent.start, bent.value, bent.is_read)
            case "drop":
                del completed[at]
            case "twice":
                completed.append(bent)
    return completed, uncertain


def all_pass(
    completed: Sequence[Completed],
    uncertain: Sequence[int],
    *,
    final: int | None,
    resent: bool,
    returns: Returns,
) -> bool:
    """Let the four checks judge, every explained hole allowed."""
    shift = 1 if returns is Returns.OLD else 0
    rows: list[dict[str, Any]] = [
        read(op.start, op.end, op.value) if op.is_read else ok(op.start, op.end, op.value - shift)
        for op in completed
    ]
    # Two unanswered requests at one instant are the same as one that was sent twice.
    if resent and len(uncertain) > 1 and uncertain[0] == uncertain[1]:
        rows += [lost(uncertain[0], attempts=2), *map(lost, uncertain[2:])]
    else:
        rows += [lost(start) for start in uncertain]
    run = run_of(rows, initial=0, final=final, returns=returns, allow_unanswered=len(uncertain))
    findings = [module.check(run) for module in (unique, bounded, gap_free, ordered)]
    # Nothing returned is INCONCLUSIVE: the oracle is only asked where there is something.
    return all(finding.verdict is Verdict.PASS for finding in findings)


@settings(max_examples=EXAMPLES)
@given(
    history=st.one_of(arbitrary(), nearly_right()),
    final=st.none() | st.integers(0, 7),
    resent=st.booleans(),
    returns=st.sampled_from(Returns),
)
@example(
    history=([Completed(0, 10, 3), Completed(20, 30, 4)], [0, 15]),
    final=None,
    resent=False,
    returns=Returns.NEW,
)
@example(
    history=([Completed(0, 1, 1), Completed(1, 2, 1, is_read=True)], []),
    final=1,
    resent=False,
    returns=Returns.NEW,
)
def test_passes_exactly_what_is_linearizable(
    history: tuple[list[Completed], list[int]],
    final: int | None,
    resent: bool,  # noqa: FBT001 -- Hypothesis passes by name
    returns: Returns,
) -> None:
    completed, uncertain = history
    if all(op.is_read for op in completed):
        return
    uncertain = sorted(uncertain)
    possible = linearizable(completed, uncertain, base=0, final=final)
    passed = all_pass(completed, uncertain, final=final, resent=resent, returns=returns)
    assert passed == possible
