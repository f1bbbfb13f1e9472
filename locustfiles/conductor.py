"""When the users of this Locust process may send, and what ends them.

The runner opens and closes the start gate; whatever else ends the load (a record that cannot be
written, a runner that was killed) goes the same way: nobody sends any more, requests in flight
are finished, then Locust ends.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
import gevent.socket
from gevent.event import AsyncResult
from locust.env import Environment
from locust.runners import MasterRunner, Runner, WorkerRunner

from history.errors import UserError
from history.gate import GeneratorGate, LoadWindow
from locustfiles.client_health import sample_health
from locustfiles.recording import Recording
from locustfiles.shaping import NS_PER_S, VOLLEY_VARIABLE, ShapedUsers, Volleys

EXIT_UNRECORDED = 2
_FAILED = "gapless-failed"
_TURN_S = 0.02
_LEAVING_S = 5.0
"""What workers may take, beyond their last requests' time, to have left the master."""


class Conductor:
    """Starts and stops what one process sends. A master has no recording: it sends nothing."""

    def __init__(
        self,
        environment: Environment,
        runner: Runner,
        *,
        gate: GeneratorGate | None,
        recording: Recording | None,
        shaped: ShapedUsers | None,
        variables: Mapping[str, str],
    ) -> None:
        if environment.parsed_options is None:
            raise AssertionError(environment)
        self._options = environment.parsed_options
        self._shaped = shaped
        self._environment = environment
        self._runner = runner
        self._gate = gate
        self._recording = recording
        self._host = environment.host
        self._window = AsyncResult()
        self._volley_ns = int(variables.get(VOLLEY_VARIABLE, "0"))
        self._over = False
        self.volleys: Volleys | None = None

    def begin(self) -> None:
        """Follow the gate from now on; without a runner the user says when to start and stop."""
        events = self._environment.events
        events.test_start.add_listener(self._test_starts)
        events.test_stopping.add_listener(self._test_stops)
        events.quit.add_listener(self._close)
        events.user_error.add_listener(self._user_failed)
        if isinstance(self._runner, MasterRunner):
            self._runner.register_message(_FAILED, self._worker_failed)
        if self._recording is not None:
            self._spawn(self._sample_health, self._recording)
        if self._shaped is not None:
            self._shaped.total = self._options.num_users
        if self._gate is None:
            return
        if isinstance(self._runner, WorkerRunner) or self._environment.web_ui is not None:
            self._gate.ready()
        self._spawn(self._follow, self._gate)

    def fail(self, error: BaseException) -> None:
        """Stop all of Locust: what it sends cannot be recorded, or we made a mistake."""
        if self._environment.process_exit_code is not None or not isinstance(error, Exception):
            return
        what = error if isinstance(error, UserError) else f"a mistake of ours: {error!r}"
        print(f"gapless: {what}", file=sys.stderr, flush=True)
        self._stop_as_failed()
        if isinstance(self._runner, WorkerRunner):
            self._runner.send_message(_FAILED)

    def _user_failed(self, exception: Exception, **_: Any) -> None:  # noqa: ANN401 -- Locust's
        # Locust would log it and let the user go on, with a load that is weaker than it says.
        self.fail(exception)

    def _spawn(self, body: Callable[..., None], *arguments: object) -> None:
        spawned = gevent.spawn(body, *arguments)
        spawned.link_exception(lambda failed: self.fail(failed.exception))

    def _worker_failed(self, **_: Any) -> None:  # noqa: ANN401 -- Locust's signature
        self._stop_as_failed()

    def _stop_as_failed(self) -> None:
        self._environment.process_exit_code = EXIT_UNRECORDED
        self._options.html_file = None  # its folder may be what is full
        self._spawn(self._end)

    def _follow(self, gate: GeneratorGate) -> None:
        gevent.socket.wait_read(gate.go_fd)
        window = gate.window()
        if window is None:
            self._close()
            raise SystemExit(0)  # Locust may be anywhere in its start, where only this ends it
        if self._shaped is not None:
            self._shaped.window = window
        if self._volley_ns and self._recording is not None:
            self.volleys = Volleys(start_ns=window.start_ns, interval_ns=self._volley_ns)
            self._spawn(self.volleys.run)
        self._window.set(window)
        left_s = max(0.0, (window.end_ns - time.monotonic_ns()) / NS_PER_S)
        with contextlib.suppress(TimeoutError):
            # Nothing more is ever written there: readable means that the runner has closed it.
            gevent.socket.wait_read(gate.go_fd, timeout=left_s)
        self._end()

    def _test_starts(self, **_: Any) -> None:  # noqa: ANN401
        self._environment.host = self._host  # what Locust shows is where its users send
        if self._recording is not None and not self._over:
            self._recording.stopping = False
        if self._gate is None:
            return
        self._gate.ready()
        window: LoadWindow = self._window.get()
        if self._recording is not None:
            while (wait_ns := window.start_ns - time.monotonic_ns()) > 0:
                gevent.sleep(wait_ns / NS_PER_S)

    def _test_stops(self, **_: Any) -> None:  # noqa: ANN401
        if self._recording is not None:
            self._recording.stopping = True

    def _end(self) -> None:
        """End this process's part of the load, once, and then the process."""
        if self._over:
            return
        self._over = True
        self._test_stops()
        if self.volleys is not None:
            self.volleys.stop()
        runner, web_ui = self._runner, self._environment.web_ui
        if self._shaped is not None:
            self._shaped.frozen = True
        if isinstance(runner, WorkerRunner):
            self._report_last_figures(runner)
        elif isinstance(runner, MasterRunner) and self._environment.process_exit_code is None:
            self._await_workers(runner)
        if runner.shape_greenlet is not None:
            runner.shape_greenlet.kill()  # Locust's main greenlet waits for it, and then quits
        else:
            runner.quit()
        if web_ui is not None:
            while web_ui.greenlet is None:  # Locust starts it only after it has called us
                gevent.sleep(_TURN_S)
            web_ui.greenlet.kill()  # its own stop() fails while it is still starting

    def _report_last_figures(self, runner: WorkerRunner) -> None:
        """Let the users finish, and tell the master what it has not heard yet."""
        runner.stop()
        figures: dict[str, Any] = {}
        self._environment.events.report_to_master.fire(client_id=runner.client_id, data=figures)
        runner.send_message("stats", figures)

    def _await_workers(self, runner: MasterRunner) -> None:
        patience_s = (self._environment.stop_timeout or 0.0) + _LEAVING_S
        with gevent.Timeout(patience_s, exception=False):
            while runner.worker_count:
                gevent.sleep(_TURN_S)

    def _sample_health(self, recording: Recording) -> None:
        if self._gate is not None:
            self._window.get()
        try:
            sample_health(recording, lambda: self._runner.user_count)
        except UserError as error:
            self.fail(error)

    def _close(self, **_: Any) -> None:  # noqa: ANN401
        if self._recording is not None:
            self._recording.close()
        if self._gate is not None and self._environment.process_exit_code is None:
            self._gate.farewell()
