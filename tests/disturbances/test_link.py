"""The wire does to packets what it is asked to, seen from sockets at its two ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from socket import SOCK_STREAM, socket

import pytest

from tests.disturbances.link import PREFIX, End, Link, Wire, linked, sweep
from tests.disturbances.needed import namespaces_needed
from tests.patience import PATIENCE_S, until
from tests.runs import REPOSITORY

pytestmark = [pytest.mark.xdist_group("link"), namespaces_needed]

DATAGRAMS = 2_000
LOSS = 0.05
HELD = Path("/run/netns")


def sent(link: Link, count: int) -> list[tuple[int, int]]:
    """Send numbered datagrams to the far end; give what arrives: number, and ns under way."""
    arrived: list[tuple[int, int]] = []

    def receive() -> None:
        while len(arrived) < count - link_lost:
            with suppress(TimeoutError):
                number, sent_ns = map(int, receiver.recv(100).split())
                arrived.append((number, time.monotonic_ns() - sent_ns))

    link_lost = 0
    with link.near.bound() as sender, link.far.bound() as receiver:
        receiver.settimeout(0.05)
        receiving = threading.Thread(target=receive)
        receiving.start()  # at once: what a socket holds for its reader is little
        for number in range(count):
            sender.sendto(f"{number} {time.monotonic_ns()}".encode(), receiver.getsockname())
            if number % 20 == 19:
                time.sleep(0.001)  # and so is what a device does
        until(lambda: settled(link, count), "every datagram was lost or has arrived")
        link_lost = link.counts()["there"]["lost"]
        receiving.join(PATIENCE_S)
    return arrived


def settled(link: Link, count: int) -> bool:
    there = link.counts()["there"]
    assert there["read"] <= count
    return there["read"] == there["lost"] + there["cut"] + there["passed"] == count


def test_a_wire_that_does_nothing_passes_every_packet_in_order() -> None:
    with linked(Wire()) as link:
        assert [number for number, _ in sent(link, DATAGRAMS)] == list(range(DATAGRAMS))
        assert link.counts()["there"]["overtaken"] == 0


def test_as_many_packets_are_lost_as_were_asked_for() -> None:
    with linked(Wire(loss=LOSS), seed=3) as link:
        arrived = [number for number, _ in sent(link, DATAGRAMS)]
        assert DATAGRAMS - len(arrived) == link.counts()["there"]["lost"]
        # Three standard deviations; the seed makes it the same every time.
        assert abs((DATAGRAMS - len(arrived)) / DATAGRAMS - LOSS) < 3 * (LOSS / DATAGRAMS) ** 0.5
    with linked(Wire(loss=LOSS), seed=3) as link:
        assert [number for number, _ in sent(link, DATAGRAMS)] == arrived


def test_every_packet_is_delayed_and_some_overtake_others() -> None:
    with linked(Wire(delay_ms=20, jitter_ms=30)) as link:
        arrived = sent(link, 500)
        assert sorted(number for number, _ in arrived) == list(range(500))
        assert min(under_way_ns for _, under_way_ns in arrived) >= 20_000_000
        assert any(later < earlier for (earlier, _), (later, _) in pairwise(arrived))
        newest, overtaken = 0, 0
        for number, _ in arrived:
            overtaken += number < newest
            newest = max(newest, number)
        assert link.counts()["there"]["overtaken"] == overtaken > 0


def connected(near: End, listener: socket) -> socket:
    connection = near.bound(SOCK_STREAM)
    connection.connect(listener.getsockname())
    return connection


def read_all(connection: socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        read += connection.recv(count)
    return read


def test_a_tcp_stream_arrives_whole_over_a_wire_that_loses_and_delays() -> None:
    with linked(Wire(loss=0.03, delay_ms=1, jitter_ms=2), seed=1) as link:
        told = bytes(range(256)) * 500
        with link.far.listener() as listener, connected(link.near, listener) as near:
            far, _ = listener.accept()
            with far:
                near.sendall(told)
                assert read_all(far, len(told)) == told
        assert link.counts()["there"]["lost"] > 0


def test_a_cut_wire_passes_nothing_and_a_mended_one_what_tcp_sends_again() -> None:
    with (
        linked(Wire()) as link,
        link.far.listener() as listener,
        connected(link.near, listener) as near,
    ):
        far, _ = listener.accept()
        with far:
            link.cut()
            near.sendall(b"through")
            until(lambda: link.counts()["there"]["cut"] > 1, "TCP tried again")
            far.settimeout(0)
            with pytest.raises(BlockingIOError):
                far.recv(10)
            far.settimeout(PATIENCE_S)
            link.mend()
            assert read_all(far, 7) == b"through"


HOLDS = """\
import signal
from tests.disturbances.link import Wire, linked
with linked(Wire()) as link:
    print(link.near.namespace, link.relay.pid, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("relay_too", [False, True])
def test_nothing_is_left_of_a_link_whoever_is_killed(*, relay_too: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        namespace, relay = holder.stdout.readline().split()
        assert namespace.startswith(PREFIX)
        assert (HELD / namespace).exists()
        if relay_too:
            os.kill(int(relay), signal.SIGKILL)
        holder.kill()
    until(lambda: not Path(f"/proc/{relay}").exists(), "the relay is gone")
    if relay_too:
        sweep()
    assert not (HELD / namespace).exists()
