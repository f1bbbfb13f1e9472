"""The wire between two network namespaces: forwards packets late, out of order, or not at all.

    python -m tests.disturbances.relay --ends gapless-17-a gapless-17-b --loss 0.01

Made for kernels without netem. Both ends are TUN devices that this process holds open: they
vanish with it. It makes the namespaces, prints one line of JSON once packets can flow, does what
it reads on standard input (`cut` lets nothing through, `spare` loses nothing, `mend` ends either,
`counts`; each is answered with a line of counts), and takes the namespaces away again when that
closes. Needs root, and iproute2.
"""

import argparse
import contextlib
import errno
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

ADDRESSES = ("10.231.0.1", "10.231.0.2")
NETWORK_BITS = 30
CUT, SPARE, MEND = MODES = ("cut", "spare", "mend")
TUN = "/dev/net/tun"
_TUNSETIFF = 0x400454CA
_IFF_TUN_NO_PI = 0x0001 | 0x1000
_PACKET_BYTES = 65_535
_AT_ONCE = 64
_NS_PER_S = 1_000_000_000
_IDLE_S = 60.0


def ip(*arguments: str) -> None:
    """Call iproute2; raises CalledProcessError with what it complained of in `stderr`."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Direction:
    """Packets from one end to the other; `counts` says what became of them."""

    def __init__(self, reads: int, writes: int, asked: argparse.Namespace, name: str) -> None:
        self.reads = reads
        self.counts: Counter[str] = Counter(read=0, lost=0, cut=0, passed=0, overtaken=0)
        self._writes = writes
        self._loss = asked.loss
        self._delay_s = asked.delay_ms / 1e3
        self._jitter_s = asked.jitter_ms / 1e3
        self._chance = random.Random(f"{asked.seed}/{name}")  # noqa: S311 -- packets, not secrets
        self._under_way: list[tuple[int, int, bytes]] = []
        self._newest = 0

    def take(self, mode: str) -> None:
        """Read the packets that are there, and decide when each arrives, if it does."""
        for _ in range(_AT_ONCE):
            try:
                packet = os.read(self.reads, _PACKET_BYTES)
            except BlockingIOError:
                return
            if packet[0] >> 4 != 4:  # what IPv6 says to itself is nobody's
                continue
            self.counts["read"] += 1
            lost = self._chance.random() < self._loss and mode != SPARE
            late_s = self._delay_s + self._chance.random() * self._jitter_s
            if lost or mode == CUT:
                self.counts["cut" if mode == CUT else "lost"] += 1
                continue
            due_ns = time.monotonic_ns() + int(late_s * _NS_PER_S)
            heapq.heappush(self._under_way, (due_ns, self.counts["read"], packet))

    def give(self) -> None:
        """Write the packets that are due."""
        while self._under_way and self._under_way[0][0] <= time.monotonic_ns():
            _, number, packet = heapq.heappop(self._under_way)
            try:
                os.write(self._writes, packet)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.ENOBUFS, errno.EIO}:
                    raise
                self.counts["lost"] += 1
                continue
            self.counts["passed"] += 1
            self.counts["overtaken"] += number < self._newest
            self._newest = max(self._newest, number)

    def wait_s(self) -> float:
        """Say how long there is nothing to give."""
        if not self._under_way:
            return _IDLE_S
        return max(0.0, (self._under_way[0][0] - time.monotonic_ns()) / _NS_PER_S)


def device(namespace: str, address: str) -> int:
    """Make a TUN device and put it into a namespace, with an address; give its descriptor."""
    descriptor = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    asked = struct.pack("16sH22x", b"gapless%d", _IFF_TUN_NO_PI)
    name = fcntl.ioctl(descriptor, _TUNSETIFF, asked)[:16].rstrip(b"\0").decode()
    ip("link", "set", name, "netns", namespace)
    ip("-n", namespace, "address", "add", f"{address}/{NETWORK_BITS}", "dev", name)
    ip("-n", namespace, "link", "set", name, "up")
    ip("-n", namespace, "link", "set", "lo", "up")
    return descriptor


@contextlib.contextmanager
def namespaces(*names: str) -> Iterator[None]:
    """Make network namespaces, and take them away again."""
    with contextlib.ExitStack() as made:
        for name in names:
            ip("netns", "add", name)
            made.callback(ip, "netns", "delete", name)
        yield


def forward(there: Direction, back: Direction) -> None:
    """Carry packets both ways until standard input closes."""
    directions, mode = (there, back), MEND
    while True:
        watched = [there.reads, back.reads, sys.stdin.fileno()]
        wait_s = min(direction.wait_s() for direction in directions)
        readable, _, _ = select.select(watched, [], [], wait_s)
        if sys.stdin.fileno() in readable:
            commands = os.read(sys.stdin.fileno(), 4096).decode()
            if not commands:
                return
            for command in commands.split():
                mode = command if command in MODES else mode
                say({"there": there.counts, "back": back.counts})
        for direction in directions:
            if direction.reads in readable:
                direction.take(mode)
            direction.give()


def say(told: dict[str, Counter[str]]) -> None:
    """Print one line of JSON."""
    print(json.dumps(told), flush=True)


def main() -> None:
    """Be the wire."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--ends", nargs=2, required=True, help="names of the two namespaces")
    add("--loss", type=float, default=0.0, help="share of the packets, each way")
    add("--delay-ms", type=float, default=0.0, help="that every packet takes")
    add("--jitter-ms", type=float, default=0.0, help="at most, and at random, on top of that")
    add("--seed", type=int, default=0)
    asked = parser.parse_args()
    with namespaces(*asked.ends):
        near, far = (device(*end) for end in zip(asked.ends, ADDRESSES, strict=True))
        there = Direction(near, far, asked, "there")
        back = Direction(far, near, asked, "back")
        say({"there": there.counts, "back": back.counts})
        forward(there, back)


if __name__ == "__main__":
    main()
