"""Reports without figures, for tests that are about the words: drawing takes a second a page."""

import pytest

from analysis.report import charts

_EMPTY = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def leave_undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave all figures empty until the test ends."""
    for draw in ("draw", "draw_spans"):
        monkeypatch.setattr(charts, draw, lambda _plot, _size: _EMPTY)
