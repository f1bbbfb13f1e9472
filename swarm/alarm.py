"""Waking up at an exact time: asyncio's timers are a millisecond coarse, a timerfd is not.

Measured on the loop that sends: uvloop's call_at wakes 0.6 to 0.75 ms late at the median, a
timerfd that the loop watches 0.05 to 0.07 ms, at the same cost (docs/performance.md).
"""

import asyncio
import contextlib
import ctypes
import os
import time
from collections.abc import Callable

from swarm.schedule import NS_PER_S

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1
_TFD_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC  # TFD_NONBLOCK and TFD_CLOEXEC are these


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


def _timerfd_calls() -> tuple[Callable[..., int], Callable[..., int]] | None:
    """Give the C library's timerfd_create and timerfd_settime; None where it has none."""
    # Python's own os.timerfd_create is there from 3.13 on.
    library = ctypes.CDLL(None, use_errno=True)
    try:
        return library.timerfd_create, library.timerfd_settime
    except AttributeError:
        return None


class Alarm:
    """Call `ring` once at each time that is set, never before it.

    Times are monotonic nanoseconds. Where the system has no timerfd (macOS) the loop's timer
    rings instead, later, and the record shows by how much.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._at_ns = 0
        self._fd = -1
        self._closed = False
        self._handle: asyncio.TimerHandle | None = None
        calls = _timerfd_calls()
        if calls is not None:
            create, self._settime = calls
            self._fd = create(_CLOCK_MONOTONIC, _TFD_FLAGS)
        if self._fd >= 0:
            self._spec = _Itimerspec()
            self._spec_pointer = ctypes.byref(self._spec)
            loop.add_reader(self._fd, self._wake)

    def set(self, at_ns: int) -> None:
        """Ring at this time; at once if it has passed. An earlier setting is forgotten."""
        if self._closed:
            return
        self._at_ns = at_ns
        if self._fd < 0:
            self._set_timer()
            return
        # A time of zero would disarm it. Setting it also clears an expiry not yet read.
        self._spec.value.seconds, self._spec.value.nanoseconds = divmod(max(1, at_ns), NS_PER_S)
        self._settime(self._fd, _TFD_TIMER_ABSTIME, self._spec_pointer, None)

    def close(self) -> None:
        """Ring no more, whatever is set."""
        self._closed = True
        if self._handle is not None:
            self._handle.cancel()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, 8)
            self._ring()

    def _set_timer(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        wait_s = max(0.0, (self._at_ns - time.monotonic_ns()) / NS_PER_S)
        self._handle = self._loop.call_later(wait_s, self._timer_rang)

    def _timer_rang(self) -> None:
        if time.monotonic_ns() < self._at_ns:
            self._set_timer()  # uvloop rounds to a millisecond and may fire early
        else:
            self._ring()
