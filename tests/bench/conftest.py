"""The bench's counter, compiled once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.counter import CounterProcess, compiled, running, server_core


@pytest.fixture(scope="session")
def program() -> Iterator[Path]:
    with compiled() as program:
        yield program


@pytest.fixture
def counter(program: Path) -> Iterator[CounterProcess]:
    with running(program, core=server_core()) as counter:
        yield counter
