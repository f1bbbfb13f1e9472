"""Locust's half of the load: users that send as fast as they are answered.

    locust -f locustfiles/counter.py --headless --host http://127.0.0.1:8000/

The runner passes the rest in the environment: GAPLESS_JOURNALS (folder of the journal;
without it nothing starts), GAPLESS_TIMEOUT_S, GAPLESS_ALLOW_HOST, GAPLESS_SHAPE,
GAPLESS_VOLLEY_NS, GAPLESS_DECREMENTS (share of the requests), GAPLESS_SEED, and the start gates.
"""

import os
import time
from typing import Any

import gevent
from locust import LoadTestShape, User, events, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import Runner
from locust.user.task import LOCUST_STATE_STOPPING
from locust.web import WebUI

from history.destination import METHODS, REFUSED_PAUSE_S, require_allowed
from history.errors import UserError
from history.gate import WORKER_GATES_VARIABLE
from history.journal import NO_TIME
from history.operation import Outcome, Reason
from locustfiles import page, processes
from locustfiles.conductor import Conductor
from locustfiles.recording import Recording
from locustfiles.shaping import ShapedUsers
from locustfiles.transport import SendOnceClient, describe

NS_PER_MS = 1_000_000


def _shape_of(users: ShapedUsers) -> type[LoadTestShape]:
    class Shape(LoadTestShape):
        """Makes Locust follow a shape, with a change a second at most.

        Locust asks again a second after it asked last, or at once when the answer took longer:
        so each answer waits until there is news. Users come and go at once, as the shape says;
        SPAWN_RATE is for loads without one.
        """

        use_common_options = True  # USERS is what the shape scales

        def tick(self) -> tuple[int, float]:
            """Give how many users there are to be, and how many may be started a second."""
            return users.next_count(), float(users.total)

    return Shape


SHAPED = ShapedUsers.from_environment(os.environ)
if SHAPED is not None:
    Shape = _shape_of(SHAPED)
    """Locust looks for such a class in its locustfile."""


@events.init_command_line_parser.add_listener
def _prepare_workers(parser: Any, **_: Any) -> None:  # noqa: ANN401 -- Locust's signature
    if os.environ.get(WORKER_GATES_VARIABLE):
        CounterUser.talk = processes.Talk()
        CounterUser.talk.settle(parser)
        processes.end_with_parent()


@events.init.add_listener
def _open(environment: Environment, runner: Runner, web_ui: WebUI | None, **_: Any) -> None:  # noqa: ANN401
    if not os.environ.get("GAPLESS_JOURNALS"):
        raise SystemExit("gapless: GAPLESS_JOURNALS is not set; start Locust with make loadtest")
    url, index = environment.host or "", processes.index_of(runner)
    recording = None
    try:
        destination = require_allowed(url, os.environ.get("GAPLESS_ALLOW_HOST", "").split(","))
        if index is not None:
            recording = Recording.from_environment(os.environ, index=index, destination=destination)
            CounterUser.recording = recording
    except UserError as error:
        raise SystemExit(f"gapless: {error}") from error
    if web_ui is not None:
        page.keep_to(web_ui, url)
    gate = processes.own_gate(os.environ, runner)
    conductor = Conductor(
        environment, runner, gate=gate, recording=recording, shaped=SHAPED, variables=os.environ
    )
    CounterUser.conductor = conductor
    conductor.begin()


class CounterUser(User):
    """One closed-loop client on its own connection."""

    recording: Recording
    conductor: Conductor
    talk: processes.Talk

    def on_start(self) -> None:
        """Take a number for this user, and a client."""
        self.worker = self.recording.next_worker()
        self.client = SendOnceClient(self.recording.destination, timeout_s=self.recording.timeout_s)

    def on_stop(self) -> None:
        """Close the connection."""
        self.client.close()

    @task
    def take_numbers(self) -> None:
        """Send one request after the other, until told to stop.

        All of a user's life is one task: between two tasks Locust kills users that are to
        stop, and one that is just about to go on would be killed with its request in flight.
        """
        recording = self.recording
        try:
            while not recording.stopping and self._state != LOCUST_STATE_STOPPING:
                self._take_one(recording)
        except UserError as error:
            self.conductor.fail(error)
        raise StopUser

    def _take_one(self, recording: Recording) -> None:
        """Increment or decrement, recorded before it is sent and when it is answered."""
        self.client.open()
        volleys, due_ns = self.conductor.volleys, NO_TIME
        if volleys is not None:
            due = volleys.wait()
            if due is None:
                return
            due_ns = due
            self.client.open()  # a connection may die while nothing is sent on it
        if recording.stopping:
            return  # connecting took until after the end
        kind = recording.next_kind()
        start_ns = time.monotonic_ns()
        slot = recording.journal.begin(self.worker, due_ns, kind, start_ns)
        recording.in_flight += 1
        try:
            answer = self.client.send(kind, in_volley=volleys is not None)
        finally:
            recording.in_flight -= 1
        end_ns = self.client.end_ns
        recording.journal.complete(slot, answer.seen, answer.status, answer.attempts, end_ns)
        self.environment.events.request.fire(
            request_type=METHODS[kind],
            name=recording.destination.of(kind).path,
            response_time=(end_ns - start_ns) / NS_PER_MS,
            response_length=answer.body_bytes,
            exception=None if answer.seen.outcome is Outcome.OK else RuntimeError(describe(answer)),
            context={},
        )
        # Whoever is always answered at once would otherwise never let the others send.
        gevent.sleep(REFUSED_PAUSE_S if answer.seen.reason is Reason.NEVER_SENT else 0)
