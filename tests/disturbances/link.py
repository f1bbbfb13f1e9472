"""Two network namespaces joined by a wire that loses and delays packets (relay.py)."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from ctypes import CDLL, get_errno
from dataclasses import dataclass
from pathlib import Path

from tests.disturbances.relay import ADDRESSES, CUT, MEND, SPARE, TUN, ip
from tests.patience import PATIENCE_S
from tests.runs import REPOSITORY

PREFIX = "gapless-"
_CLONE_NEWNET = 0x40000000
_HELD = Path("/run/netns")

Counts = Mapping[str, Mapping[str, int]]
"""What became of the packets `there` (from the near end to the far one) and `back`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What the way between the two ends does to packets; shares and times are for each way."""

    loss: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class End:
    """One end: a namespace with an address."""

    namespace: str
    address: str

    @property
    def inside(self) -> tuple[str, ...]:
        """What has to be put before a command so that it runs there."""
        return ("ip", "netns", "exec", self.namespace)

    def bound(self, kind: int = socket.SOCK_DGRAM) -> socket.socket:
        """Give a socket of this end, bound to a port of the system's choice."""
        made: list[socket.socket] = []
        thread = threading.Thread(target=lambda: made.append(self._bound(kind)))
        thread.start()  # to move a thread is to move what it opens from then on, and only that
        thread.join(PATIENCE_S)
        return made[0]

    def _bound(self, kind: int) -> socket.socket:
        with (_HELD / self.namespace).open() as held:
            if CDLL(None, use_errno=True).setns(held.fileno(), _CLONE_NEWNET):
                raise OSError(get_errno(), f"setns {self.namespace}")
        opened = socket.socket(type=kind)
        opened.settimeout(PATIENCE_S)
        opened.bind((self.address, 0))
        return opened

    def listener(self) -> socket.socket:
        """Give a socket of this end that takes connections."""
        listening = self.bound(socket.SOCK_STREAM)
        listening.listen()
        return listening


class Link:
    """The wire while it is there. Where packets go from `near` to `far`, they go `there`."""

    def __init__(self, relay: "subprocess.Popen[str]", near: End, far: End) -> None:
        self.near = near
        self.far = far
        self.relay = relay

    def counts(self) -> Counts:
        """Say what became of the packets so far."""
        return self._told("counts")

    def cut(self) -> None:
        """Let no packet through from now on. Those under way arrive."""
        self._told(CUT)

    def spare(self) -> None:
        """Lose no packet from now on."""
        self._told(SPARE)

    def mend(self) -> None:
        """Let packets through again, and lose those that are to be lost."""
        self._told(MEND)

    def _told(self, command: str) -> Counts:
        assert self.relay.stdin is not None
        assert self.relay.stdout is not None
        self.relay.stdin.write(command + "\n")
        self.relay.stdin.flush()
        counts: Counts = json.loads(self.relay.stdout.readline())
        return counts


@contextmanager
def linked(wire: Wire, *, seed: int = 0) -> Iterator[Link]:
    """Make two namespaces and join them; they end with the block, or with this process."""
    sweep()
    ends = tuple(
        End(f"{PREFIX}{os.getpid()}-{threading.get_native_id()}-{letter}", address)
        for letter, address in zip("ab", ADDRESSES, strict=True)
    )
    command = [sys.executable, "-m", "tests.disturbances.relay"]
    command += ["--ends", *(end.namespace for end in ends), "--seed", str(seed)]
    command += ["--loss", str(wire.loss), "--delay-ms", str(wire.delay_ms)]
    command += ["--jitter-ms", str(wire.jitter_ms)]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us; it ends when its standard input does
    ) as relay:
        assert relay.stdout is not None
        if not relay.stdout.readline():
            raise OSError(f"the relay ended with exit code {relay.wait(PATIENCE_S)}")
        yield Link(relay, *ends)


def sweep() -> None:
    """Remove namespaces of processes that are gone, and whose relay was killed too."""
    for held in _HELD.glob(PREFIX + "*"):
        with suppress(ValueError, subprocess.CalledProcessError):
            if not Path(f"/proc/{int(held.name.split('-')[1])}").exists() and not _relayed(held):
                ip("netns", "delete", held.name)


def _relayed(held: Path) -> bool:
    """Say whether a relay lives that will remove a namespace itself."""
    for commandline in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if held.name.encode() in commandline.read_bytes().split(b"\0"):
                return True
    return False


def unavailable() -> str:
    """Say why there can be no link on this machine; empty if there can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    if os.geteuid():
        return "making network namespaces needs root"
    if not Path(TUN).exists():
        return f"there is no {TUN}"
    if shutil.which("ip") is None:
        return "there is no `ip`: apt-get install iproute2"
    name = f"{PREFIX}{os.getpid()}-trial"
    try:
        ip("netns", "add", name)
        ip("netns", "delete", name)
        os.close(os.open(TUN, os.O_RDWR))
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces cannot be made here: {getattr(error, 'stderr', '') or error}"
    return ""
