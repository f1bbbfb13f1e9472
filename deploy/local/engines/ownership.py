"""Whose a table is, in a database that others use as well: written on it as tags."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MADE_BY = "made-by"
US = "gapless"
WHERE = "gapless-host"
NAMESPACE = "gapless-namespace"
PROCESS = "gapless-pid"
STARTED = "gapless-started"
UNKNOWN = "unknown"

PROC = Path("/proc")
START_TIME_FIELD = 22 - 3
"""Of /proc/PID/stat, counted after the process's name (proc_pid_stat(5): starttime)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One running local cloud."""

    where: str
    """This boot of this machine."""
    namespace: str
    """In which numbers and times of processes are comparable: only there can be known whether one
    still runs (pid_namespaces(7), time_namespaces(7)). UNKNOWN where the system does not say."""
    pid: int
    started: str
    """When the process started, in clock ticks: tells it from a later one with its number."""

    @classmethod
    def this_process(cls) -> Self:
        """Name the cloud that runs in this process."""
        name = socket.gethostname()
        with suppress(OSError):
            name = f"{name}/{(PROC / 'sys/kernel/random/boot_id').read_text().strip()}"
        pid = os.getpid()
        return cls(where=name, namespace=own_namespace(), pid=pid, started=start_of(pid))

    def tags(self) -> list[dict[str, str]]:
        """Give the tags for a table of this cloud."""
        named = {
            MADE_BY: US,
            WHERE: self.where,
            NAMESPACE: self.namespace,
            PROCESS: str(self.pid),
            STARTED: self.started,
        }
        return [{"Key": key, "Value": value} for key, value in named.items()]

    def objection(self, tags: Mapping[str, str]) -> str | None:
        """Say why a table with these tags is not ours to delete; None if a dead cloud left it."""
        if tags.get(MADE_BY) != US:
            return "which was not made by gapless"
        if tags.get(WHERE) != self.where:
            return f"made by gapless on {tags.get(WHERE)}, which may still use it"
        pid, started = tags.get(PROCESS, ""), tags.get(STARTED, UNKNOWN)
        if (
            UNKNOWN in (self.namespace, self.started, started)
            or tags.get(NAMESPACE) != self.namespace
            or not (pid.isascii() and pid.isdigit())
        ):
            return (
                "made by another local cloud of this machine, of which cannot be told from here "
                "whether it still uses it"
            )
        if int(pid) != self.pid and runs(int(pid)) and start_of(int(pid)) in (started, UNKNOWN):
            return f"which another local cloud (process {pid}) is using"
        return None


def own_namespace() -> str:
    """Name the namespaces that this process's view of others depends on.

    UNKNOWN without /proc, and with one of another namespace, whose numbers are not ours.
    """
    try:
        if (PROC / "self").readlink().name != str(os.getpid()):
            return UNKNOWN
        inodes = [(PROC / "self/ns/pid").stat().st_ino]
    except OSError:
        return UNKNOWN
    with suppress(OSError):  # a kernel without time namespaces
        inodes.append((PROC / "self/ns/time").stat().st_ino)
    return "/".join(map(str, inodes))


def start_of(pid: int) -> str:
    """Say when a process started, in clock ticks since the boot; UNKNOWN if that is not told."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return UNKNOWN
    _, _, fields = stat.rpartition(")")  # the name may itself have spaces and parentheses
    return fields.split()[START_TIME_FIELD]


def runs(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
