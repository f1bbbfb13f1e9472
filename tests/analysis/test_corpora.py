"""The public corpora: Jepsen's checker tests and issue 303, LTest's fetch-and-add cases."""

import pytest

from tests.analysis.corpora import CASES, FOLDER, assert_as_expected, judged


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case["blind"]])
def test_public_histories(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert_as_expected(name, judged(name, capsys))


def test_every_file_has_a_case_that_says_where_it_is_from() -> None:
    assert {path.stem for path in FOLDER.glob("*.edn")} == set(CASES)
    for name, case in CASES.items():
        assert case["source"] in (FOLDER / f"{name}.edn").read_text().splitlines()[0]
        assert case.get("verdict") or case.get("checks"), name
