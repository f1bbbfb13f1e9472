"""What the users of one Locust process share: where they send, and what is written down."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from history import health
from history.destination import Destination
from history.health import HealthLog
from history.journal import SUFFIX, Journal
from history.mixing import kind_chooser

SOURCE = "locust"
DEFAULT_TIMEOUT_S = 10.0
DECREMENTS_VARIABLE = "GAPLESS_DECREMENTS"
SEED_VARIABLE = "GAPLESS_SEED"


class Recording:
    """The journal and the health record of one process, and the numbers of its users.

    `decrements` is the share of requests that are, drawn from `seed` as `next_kind` is called.
    Raises UserError when the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        index: int,
        destination: Destination,
        timeout_s: float,
        decrements: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.process = f"{SOURCE}-{index}"
        self.destination = destination
        self.timeout_s = timeout_s
        self.next_kind = kind_chooser(decrements, seed=seed, process=self.process)
        self.journal = Journal(
            folder / f"{self.process}{SUFFIX}", process=self.process, source=SOURCE
        )
        self.health = HealthLog(folder / f"{self.process}{health.SUFFIX}")
        self.in_flight = 0
        self.stopping = False
        """No user sends another request."""
        self._users = 0

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *, index: int, destination: Destination
    ) -> "Recording":
        """Open what GAPLESS_JOURNALS asks for; see __init__."""
        return cls(
            Path(environment["GAPLESS_JOURNALS"]),
            index=index,
            destination=destination,
            timeout_s=float(environment.get("GAPLESS_TIMEOUT_S", DEFAULT_TIMEOUT_S)),
            decrements=float(environment.get(DECREMENTS_VARIABLE, "0")),
            seed=int(environment.get(SEED_VARIABLE, "0")),
        )

    def next_worker(self) -> int:
        """Number a user; no two of a process share one, however often tests are started."""
        self._users += 1
        return self._users - 1

    def close(self) -> None:
        """Say that this process ended in good order."""
        self.journal.close()
        with contextlib.suppress(OSError):  # closed before
            self.health.close()
