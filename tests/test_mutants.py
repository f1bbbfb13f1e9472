"""The mutants fit the code: each stands for one place in it, and is a program."""

from collections import Counter

import pytest

from history.errors import UserError
from tests.mutants import MUTANTS
from tests.mutants.__main__ import NOTHING, main, row, rows_of, table
from tests.mutants.mutant import Mutant
from tests.mutants.running import NEVER_ENDED
from tests.runs import REPOSITORY


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_is_another_program(mutant: Mutant) -> None:
    assert mutant.source() != (REPOSITORY / mutant.file).read_text(encoding="utf-8")
    assert mutant.tests
    for test in mutant.tests:
        assert (REPOSITORY / test.partition("::")[0]).is_file(), test


def test_each_has_a_name_of_its_own() -> None:
    twice = [name for name, count in Counter(m.name for m in MUTANTS).items() if count > 1]
    assert twice == []
    assert len({(m.file, m.old, m.new) for m in MUTANTS}) == len(MUTANTS) >= 40


def test_all_are_in_the_page() -> None:
    page = (REPOSITORY / "docs" / "mutants.md").read_text(encoding="utf-8")
    assert list(rows_of(page)) == [mutant.name for mutant in MUTANTS]
    assert NOTHING not in page


EXAMPLE = Mutant(
    name="tie", file="analysis/x.py", old="a < b", new="a <= b", wrong="errs", tests=()
)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("c = a > b\n", "mutant tie: found its old text 0 times in analysis/x.py"),
        ("c = a < b\nd = a < b\n", "mutant tie: found its old text 2 times in analysis/x.py"),
        ("c = a < b b\n", "mutant tie: analysis/x.py does not parse"),
    ],
)
def test_code_that_has_changed_is_told(source: str, message: str) -> None:
    assert EXAMPLE.mutated("c = a < b\n") == "c = a <= b\n"
    with pytest.raises(UserError, match=message):
        EXAMPLE.mutated(source)


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("tests/analysis/test_x.py::test_y[z]", "| tie | x.py | errs | test_x: test_y |"),
        (NEVER_ENDED, "| tie | x.py | errs | a test that never ended |"),
        (None, "| tie | x.py | errs | **nothing** |"),
    ],
)
def test_a_row_of_the_page(test: str | None, told: str) -> None:
    assert row(EXAMPLE, test) == told
    page = table([told])
    assert page.startswith(f"1 mutants, {int(test is None)} survived.\n")
    assert rows_of(page) == {"tie": told}


def test_what_cannot_be_asked() -> None:
    with pytest.raises(UserError, match="--only no-such: no mutant has that name"):
        main(["--only", "order-ties", "--only", "no-such"])
