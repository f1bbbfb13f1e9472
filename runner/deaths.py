"""Processes that end before the load does: said once each, as soon as it is seen.

One that was killed costs what it would have sent; the others go on. One that gave up could not
go on and mostly said why (its record cannot be written): then the load is over for all.
"""

from collections.abc import Callable, Mapping, Sequence

from history.manifest import ENDED_WELL
from runner.processes import STOPPED, Generator, how_ended


class Deaths:
    """What becomes of the processes of one load while it runs."""

    def __init__(self, generators: Sequence[Generator], say: Callable[[str], None]) -> None:
        self._living = list(generators)
        self._say = say
        self.gave_up = ""
        """Who gave up first, and how, in words."""

    def look(self) -> None:
        """See who has ended since the last look, and tell of those who were killed."""
        ends = [(generator, how_ended(generator)) for generator in self._living]
        self._living = [generator for generator, end in ends if end is None]
        others = "; the others go on" if self._living else ""
        for generator, end in ends:
            if end is None or end.state == ENDED_WELL:
                continue
            if not end.gave_up:
                self._tell(generator.name, end.state + others)
            elif not self.gave_up:
                self.gave_up = f"{generator.name} {end.state}"

    def last(self, exit_states: Mapping[str, str]) -> None:
        """Tell of those who ended badly when the load was over.

        Not where one has given up: that is what is told, and why the others mostly did too.
        """
        for generator in () if self.gave_up else self._living:
            state = exit_states[generator.name]
            if state != ENDED_WELL and not state.startswith(STOPPED):
                self._tell(generator.name, state)

    @property
    def none_left(self) -> bool:
        """Whether nobody sends any more."""
        return not self._living

    def _tell(self, name: str, state: str) -> None:
        self._say(f"load: {name} {state}")
