"""Which requests decrement: drawn from the seed, for each process anew."""

from collections import Counter

import pytest

from history.mixing import kind_chooser, parse_decrements
from history.operation import Kind


def drawn(share: float, *, seed: int = 7, process: str = "swarm-0", count: int = 10_000) -> str:
    chosen = kind_chooser(share, seed=seed, process=process)
    return "".join("-" if chosen() is Kind.DECREMENT else "+" for _ in range(count))


def test_the_same_seed_draws_the_same_kinds_for_each_process_its_own() -> None:
    assert drawn(0.2) == drawn(0.2)
    others = {drawn(0.2, process=f"{name}-{n}") for name in ("swarm", "locust") for n in range(4)}
    assert len(others | {drawn(0.2, seed=8)}) == 9


def test_what_is_drawn_stays_as_it_is() -> None:
    """A run is made again from its seed by later versions too."""
    assert drawn(0.3, seed=1, process="locust-0", count=30) == "++++-+++-++-++-+-++-+--+++-++-"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.999])
def test_the_share_is_the_one_asked_for(share: float) -> None:
    found = Counter(drawn(share))
    assert abs(found["-"] - share * 10_000) <= 5 * (share * (1 - share) * 10_000) ** 0.5


@pytest.mark.parametrize(("text", "share"), [("0", 0), ("0.2", 0.2), ("1e-3", 0.001), (".5", 0.5)])
def test_shares(text: str, share: float) -> None:
    assert parse_decrements(text) == share


@pytest.mark.parametrize("text", ["1", "-0.1", "nan", "inf", "20%", "half", ""])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(ValueError, match=r"from 0 to less than 1, such as 0\.2"):
        parse_decrements(text)
