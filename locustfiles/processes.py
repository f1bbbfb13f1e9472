"""Locust's own `--processes`: one master, and workers forked from it that do the sending.

The runner makes a start gate for each of them (history/gate.py). All inherit all of them, so
each keeps its own and closes the others': a gate is seen closed once nobody holds it.
"""

import contextlib
import ctypes
import os
import signal
import socket
from collections.abc import Mapping

from locust.argument_parser import LocustArgumentParser
from locust.runners import LocalRunner, Runner, WorkerRunner

from history.gate import GeneratorGate, worker_gates

_PR_SET_PDEATHSIG = 1
_LOOPBACK = "127.0.0.1"


def own_gate(environment: Mapping[str, str], runner: Runner) -> GeneratorGate | None:
    """Give this process's gate, None without a runner of ours, and close those of the others.

    Locust numbers its workers from 0 as they connect to the master.
    """
    gates = [GeneratorGate.from_environment(environment), *worker_gates(environment)]
    own = gates[1 + runner.worker_index if isinstance(runner, WorkerRunner) else 0]
    for gate in gates:
        if gate is not None and gate is not own:
            gate.close()
    return own


def index_of(runner: Runner) -> int | None:
    """Number this process among those that send; None: a master, which sends nothing."""
    if isinstance(runner, LocalRunner | WorkerRunner):
        return runner.worker_index
    return None


class Talk:
    """Where master and workers talk: on loopback, at a port that no other run has."""

    def __init__(self) -> None:
        # Bound and never listening, it keeps the port: the system gives it to nobody else, and
        # the master may still listen there because both say SO_REUSEADDR.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind((_LOOPBACK, 0))
        self.port: int = self._reserved.getsockname()[1]

    def settle(self, parser: LocustArgumentParser) -> None:
        """Make Locust's options default to it; Locust's own would be one port for all runs."""
        parser.set_defaults(
            master_host=_LOOPBACK,
            master_port=self.port,
            master_bind_host=_LOOPBACK,
            master_bind_port=self.port,
        )


def end_with_parent() -> None:
    """Make every process forked from this one end when it does, however it does.

    Locust's workers notice a master that was killed only after a minute, and one that is not
    yet connected after five.
    """
    parent = os.getpid()

    def in_child() -> None:
        with contextlib.suppress(AttributeError):  # Linux only; elsewhere Locust's minute holds
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    os.register_at_fork(after_in_child=in_child)
