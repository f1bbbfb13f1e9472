"""The public corpora with adds that were answered without the counter's value."""

import pytest

from tests.analysis.corpora import CASES, assert_as_expected, judged


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["blind"]])
def test_blind_histories(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert_as_expected(name, judged(name, capsys))
