"""Locust's half of the load: users that take numbers as fast as they are answered.

    locust -f locustfiles/counter.py --headless --host http://127.0.0.1:8000/

The runner passes the rest in the environment: GAPLESS_JOURNALS (folder of the journal;
without it nothing starts), GAPLESS_TIMEOUT_S, GAPLESS_ALLOW_HOST, and the start gate.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import gevent
import gevent.socket
from locust import User, constant, events, task
from locust.env import Environment
from locust.exception import StopUser

from history.destination import REFUSED_PAUSE_S, Destination, require_allowed
from history.errors import UserError
from history.gate import GeneratorGate
from history.journal import SUFFIX, Journal
from history.operation import Outcome, Reason
from locustfiles.transport import SendOnceClient, describe

SOURCE = "locust"
DEFAULT_TIMEOUT_S = 10.0
EXIT_JOURNAL = 2
NS_PER_MS = 1_000_000


class Recording:
    """What the users of this process share: where they send, and the journal they write."""

    destination: Destination
    journal: Journal
    timeout_s: float
    users = 0
    stopping = False


@events.init.add_listener
def _open(environment: Environment, **_: Any) -> None:  # noqa: ANN401 -- Locust's signature
    folder = os.environ.get("GAPLESS_JOURNALS")
    if not folder:
        raise SystemExit("gapless: GAPLESS_JOURNALS is not set; start Locust with make loadtest")
    try:
        Recording.destination = require_allowed(
            environment.host or "", os.environ.get("GAPLESS_ALLOW_HOST", "").split(",")
        )
        Recording.timeout_s = float(os.environ.get("GAPLESS_TIMEOUT_S", DEFAULT_TIMEOUT_S))
        name = f"{SOURCE}-0"
        Recording.journal = Journal(Path(folder) / f"{name}{SUFFIX}", process=name, source=SOURCE)
    except UserError as error:
        raise SystemExit(f"gapless: {error}") from error


@events.test_start.add_listener
def _wait_for_gate(environment: Environment, **_: Any) -> None:  # noqa: ANN401
    Recording.stopping = False
    gate = GeneratorGate.from_environment(os.environ)
    if gate is None:
        return
    window = gate.wait()  # blocks this process, which has nothing else to do yet
    if window is None:
        # Locust swallows a listener's exceptions and would start its users all the same, and
        # quitting a test that has not started hangs: only SystemExit ends it.
        Recording.journal.close()
        raise SystemExit(0)
    while time.monotonic_ns() < window.start_ns:
        gevent.sleep((window.start_ns - time.monotonic_ns()) / 1e9)
    gevent.spawn(_quit_when_over, environment, gate, window.end_ns)


def _quit_when_over(environment: Environment, gate: GeneratorGate, end_ns: int) -> None:
    with contextlib.suppress(TimeoutError):
        # Nothing more is ever written there: readable means that the runner has closed it.
        gevent.socket.wait_read(gate.go_fd, timeout=max(0.0, (end_ns - time.monotonic_ns()) / 1e9))
    _quit(environment)


def _quit(environment: Environment) -> None:
    if environment.runner is not None:
        environment.runner.quit()


@events.test_stopping.add_listener
def _send_no_more(**_: Any) -> None:  # noqa: ANN401
    Recording.stopping = True


@events.quit.add_listener
def _close(**_: Any) -> None:  # noqa: ANN401
    Recording.journal.close()


class CounterUser(User):
    """One closed-loop client on its own connection."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Take a number for this user, and a client."""
        self.worker = Recording.users
        Recording.users += 1
        self.connection = SendOnceClient(Recording.destination, timeout_s=Recording.timeout_s)

    def on_stop(self) -> None:
        """Close the connection."""
        self.connection.close()

    @task
    def take_number(self) -> None:
        """GET the next number, recorded before it is sent and when it is answered."""
        if Recording.stopping:
            # Locust kills users that it finds between two tasks; one that is about to run
            # again would be killed with its request in flight, and need not send it.
            raise StopUser
        try:
            slot = Recording.journal.begin(self.worker)
        except UserError as error:
            self.environment.process_exit_code = EXIT_JOURNAL
            _quit(self.environment)
            raise SystemExit(f"gapless: {error}") from error
        sent_ns = time.monotonic_ns()
        answer = self.connection.increment()
        Recording.journal.complete(slot, answer.seen, answer.status, answer.attempts)
        self.environment.events.request.fire(
            request_type="GET",
            name=Recording.destination.path,
            response_time=(time.monotonic_ns() - sent_ns) / NS_PER_MS,
            response_length=answer.body_bytes,
            exception=None if answer.seen.outcome is Outcome.OK else RuntimeError(describe(answer)),
            context={},
        )
        if answer.seen.reason is Reason.NEVER_SENT:
            gevent.sleep(REFUSED_PAUSE_S)
