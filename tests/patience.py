"""How long a test waits for what must happen before it calls it stuck.

Machines that test this are at times five times slower than others, and stand still for seconds.
So a limit here is a limit on hanging and says nothing of speed. A time-out that is itself what a
test is about is not one of these.
"""

import threading
from collections.abc import Callable, Iterable

PATIENCE_S = 300.0
_PAUSE_S = 0.02


def until(happened: Callable[[], bool], what: str) -> None:
    """Look again and again until it has happened; AssertionError when patience is at its end."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / _PAUSE_S)):
        if happened():
            return
        pause.wait(_PAUSE_S)
    raise AssertionError(f"still not so after {PATIENCE_S:g} s: {what}")


def run_together(threads: Iterable[threading.Thread]) -> None:
    """Start threads and wait until all have ended."""
    started = list(threads)
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), f"{thread.name} does not end"
