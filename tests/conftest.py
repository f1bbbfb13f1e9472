"""What holds for every test."""

import signal

import pytest
from hypothesis import HealthCheck, Phase, settings

# A slow machine is no failure: nothing in a test is judged by how long it took.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Against programs that are wrong on purpose (tests.mutants): to have failed is enough.
settings.register_profile(
    "mutants",
    settings.get_profile("patient"),
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_started_deaf() -> None:
    """Let what tests start hear Ctrl-C and a closed terminal, wherever the tests themselves run.

    In the background of a shell, and under nohup, these signals are ignored, and a process that
    ignores one hands that on to all that it starts; but it does not hand on a handler.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
