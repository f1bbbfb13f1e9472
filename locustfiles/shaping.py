"""The load over time, from history/shape.py: how many users there are, or when they all fire."""

import time
from collections.abc import Mapping

import gevent
from gevent.event import AsyncResult

from history.gate import GATE_VARIABLE, LoadWindow
from history.shape import LoadShape, clients_at, parse_shape

NS_PER_S = 1_000_000_000
SHAPE_VARIABLE = "GAPLESS_SHAPE"
VOLLEY_VARIABLE = "GAPLESS_VOLLEY_NS"
LOOK_S = 0.05
"""How often a shape is looked at."""


class ShapedUsers:
    """How many users a shape asks for, over the load's window."""

    def __init__(self, shape: LoadShape) -> None:
        self._shape = shape
        self._users = 0
        self.total = 0
        """USERS, which the shape scales."""
        self.window: LoadWindow | None = None
        self.frozen = False
        """The load is over: nobody is started any more."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "ShapedUsers | None":
        """Read what the runner asks for; None where users stay as they are.

        A shape is one of the load's window, so without the runner's gate there is none.
        """
        shape = parse_shape(environment.get(SHAPE_VARIABLE) or "constant")
        full = all(level == 1 for _, level in shape.points)
        return None if full or not environment.get(GATE_VARIABLE) else cls(shape)

    def next_count(self) -> int:
        """Wait until another number of users is to be there; give it. At once the first time.

        Once the load is over, gives the last one again.
        """
        while (users := self._now()) == self._users and not self.frozen:
            gevent.sleep(LOOK_S)
        self._users = users
        return users

    def _now(self) -> int:
        if self.frozen:
            return self._users
        return clients_at(self._shape, self.total, self._share())

    def _share(self) -> float:
        if self.window is None:
            return 0.0
        length_ns = self.window.end_ns - self.window.start_ns
        share = (time.monotonic_ns() - self.window.start_ns) / length_ns
        return min(1.0, max(0.0, share))


class Volleys:
    """The instants at which every user fires at once: `start_ns` plus multiples of an interval.

    Users that wait are all woken within one turn of the event loop. One that is still waiting
    for its answer at a tick fires with the next.
    """

    def __init__(self, *, start_ns: int, interval_ns: int) -> None:
        self._start_ns = start_ns
        self._interval_ns = interval_ns
        self._next = AsyncResult()
        self._stopped = False

    def wait(self) -> int | None:
        """Block until the next volley; give its time, None when there are no more."""
        if self._stopped:
            return None
        tick_ns: int | None = self._next.get()
        return tick_ns

    def run(self) -> None:
        """Call every volley, until stopped; the body of a greenlet."""
        while not self._stopped:
            elapsed_ns = time.monotonic_ns() - self._start_ns
            tick_ns = self._start_ns + (elapsed_ns // self._interval_ns + 1) * self._interval_ns
            while (wait_ns := tick_ns - time.monotonic_ns()) > 0:  # a timer may fire early
                gevent.sleep(wait_ns / NS_PER_S)
            if not self._stopped:
                self._call(tick_ns)

    def stop(self) -> None:
        """Send everyone who waits home."""
        self._stopped = True
        self._call(None)

    def _call(self, tick_ns: int | None) -> None:
        waited_for, self._next = self._next, AsyncResult()
        waited_for.set(tick_ns)
